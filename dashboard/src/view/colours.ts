// Which colour each trainer of a job has, the same on every page.

import type { Address } from 'viem'

const COLOURS = 6 // that can be told apart; see tokens.css
const GREY = 't7'

/** Classes, in order of enrolment: t1 to t6; of more trainers, those who earned most have them and all others share the grey t7. */
export function coloursOf(trainers: readonly { address: Address; earned: bigint }[]): ReadonlyMap<Address, string> {
  const ranked = [...trainers].sort((a, b) => (a.earned === b.earned ? 0 : a.earned < b.earned ? 1 : -1)) // a stable sort: who enrolled first
  const chosen = new Set(ranked.slice(0, COLOURS))
  let next = 1
  return new Map(trainers.map((trainer) => [trainer.address, chosen.has(trainer) ? `t${next++}` : GREY]))
}
