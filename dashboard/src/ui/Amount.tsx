/** An amount of a token, short; pressed, it shows all digits and copies them. */
import { useState } from 'preact/hooks'
import { escapeUntrusted } from '../protocol/text'
import type { Token } from '../view/model'
import { brief, exact, nano, parsed, type Form } from './format'

type Unit = Pick<Token, 'symbol' | 'decimals'>

export const symbolOf = (token: Unit) => escapeUntrusted(token.symbol, 12) || 'token'

interface Props {
  value: bigint
  token: Unit
  unit?: boolean // false: in a column that says it once
  form?: Form
  signed?: boolean // + before what is positive
  open?: boolean // all digits from the start: a sum that is to be checked
}

export function Amount({ value, token, unit = true, form = unit ? 'text' : 'table', signed = false, open = false }: Props) {
  const [opened, set] = useState(open)
  const [said, say] = useState('')
  const all = exact(value, token.decimals)
  const shown = brief(value, token.decimals, form)
  const text = (
    <>
      {signed && value > 0n && '+'}
      {opened ? all : shown}
      {unit && <span class="unit"> {symbolOf(token)}</span>}
    </>
  )
  const title = `${all} ${symbolOf(token)}`
  if (isWhole(shown, value, token.decimals)) return <span class="amount" title={title}>{text}</span>
  const press = () => {
    set(!opened)
    if (opened) return say('')
    navigator.clipboard?.writeText(all.replaceAll(',', '').replace('−', '-')).then(() => say('copied'), () => say('not copied'))
  }
  return (
    <button type="button" class="amount" title={title} aria-expanded={opened} onClick={press}>
      {text}
      <span class="visually-hidden" role="status">{said}</span>
    </button>
  )
}

/** Whether nothing of the value is left out. */
const isWhole = (shown: string, value: bigint, decimals: number) => parsed(shown.replace('−', ''), decimals) === (value < 0n ? -value : value)

/** A metric, 1e-9. */
export function Measure({ value }: { value: bigint | null }) {
  return value === null ? <>–</> : <span class="amount" title={exact(value, 9)}>{nano(value)}</span>
}
