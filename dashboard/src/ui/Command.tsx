/** A line for a terminal, to be copied. */
import { Copy } from './Name'

export function Command({ text }: { text: string }) {
  return (
    <span class="command">
      <code class="mono" translate={false}>{text}</code>
      <Copy text={text} what="command" />
    </span>
  )
}
