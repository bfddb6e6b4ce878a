/** A job's state: shape, word and colour; the phase in its own words on hover. */
import { PHASES, type PhaseName } from '../protocol/phases'
import { STATES, stateOf } from './states'

/** failures: in a row. */
export function StateTag({ of, failures = 0 }: { of: PhaseName; failures?: number }) {
  const state = stateOf(of, failures)
  return (
    <span class={`tag state ${state}`} title={PHASES[of].says}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={STATES[state].shape} />
      </svg>
      {STATES[state].word}
    </span>
  )
}
