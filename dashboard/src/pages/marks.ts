/** What a cell of a strip stands for. */
import type { StripCell } from '../charts/Strip'
import type { Mark } from '../charts/shapes/strip'
import type { LedgerCell, ValidatorView } from '../view/model'

export const OF_TRAINERS = [['full', 'paid'], ['half', 'used, unpaid'], ['empty', 'left out'], ['cross', 'strike'], ['none', 'absent']] as const
export const OF_VALIDATORS = [['full', 'matched'], ['cross', 'other result'], ['empty', 'missed'], ['none', 'no seat']] as const

/** One trainer's cells, oldest round first. */
export const trainerStrip = (cells: readonly LedgerCell[]): StripCell[] => cells.map((cell) => of(cell.round, OF_TRAINERS, markOf(cell)))

function markOf({ update, pay, strike }: LedgerCell): Mark {
  if (strike) return 'cross'
  if (pay > 0n) return 'full'
  return update ? (update.included ? 'half' : 'empty') : 'none'
}

const MARKS = { matched: 'full', wrong: 'cross', missed: 'empty' } as const

/** One member's cells of rounds 1 to `last`. */
export function validatorStrip({ attended }: ValidatorView, last: number): StripCell[] {
  const known = new Map(attended.map(({ round, how }) => [round, MARKS[how]]))
  return Array.from({ length: last }, (_, i) => of(i + 1, OF_VALIDATORS, known.get(i + 1) ?? 'none'))
}

function of(round: number, words: readonly (readonly [Mark, string])[], mark: Mark): StripCell {
  return { round, mark, word: words.find(([each]) => each === mark)?.[1] ?? mark }
}
