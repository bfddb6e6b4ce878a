/** When something was: its age below an hour, else its date; the second on hover. */
import { ago, date } from '../dates'
import { useNow } from './load'

const HOUR = 3600

export function Time({ at }: { at: number }) {
  const age = useNow() - at
  const text = new Date(1000 * at).toISOString()
  return (
    <time dateTime={text} title={`${text.slice(0, 19).replace('T', ' ')} UTC`}>
      {age >= 0 && age < HOUR ? ago(age) : date(at)}
    </time>
  )
}
