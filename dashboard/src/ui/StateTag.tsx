/** A job's state: shape, word and colour; the phase in its own words on hover. */
import { PHASES, type PhaseName } from '../protocol/phases'
import { STATES, stateOf } from './states'

export function StateTag({ of }: { of: PhaseName }) {
  const state = stateOf(of)
  return (
    <span class={`tag state ${state}`} title={PHASES[of].says}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={STATES[state].shape} />
      </svg>
      {STATES[state].word}
    </span>
  )
}
