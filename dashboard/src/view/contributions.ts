// Who was paid which part of each round, as it is drawn: one series a colour.

import type { Address } from 'viem'
import type { LedgerCell, RoundView } from './model'

interface Contributions {
  series: { trainer: Address | null; colour: string }[] // null: several trainers
  rounds: { round: number; parts: number[] }[] // parts of what the round paid, by series; all 0 where it paid nothing
}

/** colours: classes by trainer, in order of enrolment. */
export function contributions(rounds: readonly RoundView[], colours: ReadonlyMap<Address, string>): Contributions {
  const names = [...colours.values()]
  const found = [...new Set(names)].sort()
  const places = new Map([...colours].map(([trainer, colour]) => [trainer, found.indexOf(colour)]))
  const alone = (colour: string) => names.filter((each) => each === colour).length === 1
  return {
    series: found.map((colour) => ({ trainer: alone(colour) ? ([...colours].find(([, of]) => of === colour)?.[0] ?? null) : null, colour })),
    rounds: rounds.map(({ round, cells }) => ({ round, parts: partsOf(cells, places, found.length) })),
  }
}

/** Floats: for a drawing. */
function partsOf(cells: readonly LedgerCell[], places: ReadonlyMap<Address, number>, count: number): number[] {
  const sums = Array.from({ length: count }, () => 0)
  for (const { trainer, pay } of cells) {
    const place = places.get(trainer)
    if (place !== undefined && pay) sums[place] = (sums[place] ?? 0) + Number(pay)
  }
  const total = sums.reduce((sum, each) => sum + each, 0)
  return sums.map((sum) => (total ? sum / total : 0))
}
