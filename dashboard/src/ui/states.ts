/** What a job's phases come to for a reader: few states, each with a word and a shape beside its colour. */
import { isOver, type PhaseName } from '../protocol/phases'

export type State = keyof typeof STATES

/** shape: a path in a box of 12 × 12, drawn with a stroke. */
export const STATES = {
  open: { word: 'Open to join', shape: 'M6 2.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z' },
  running: { word: 'Running', shape: 'M3.5 2.5v7l6-3.5z' },
  completed: { word: 'Completed', shape: 'M2.5 6.5l2.5 2.5l4.5-6' },
  trouble: { word: 'In trouble', shape: 'M3 3l6 6M9 3l-6 6' },
  ended: { word: 'Ended early', shape: 'M3 3l6 6M9 3l-6 6' },
  cancelled: { word: 'Cancelled', shape: 'M2.5 6h7' },
} as const

/** failures: in a row. */
export function stateOf(phase: PhaseName, failures = 0): State {
  if (phase === 'ENROL') return 'open'
  if (phase === 'COMPLETED') return 'completed'
  if (phase === 'LAPSED' || (failures && !isOver(phase))) return 'trouble'
  if (phase === 'ABORTED') return 'ended'
  return isOver(phase) || phase === 'NONE' ? 'cancelled' : 'running'
}
