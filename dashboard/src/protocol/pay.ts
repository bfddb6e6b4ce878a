// Who is paid what, in integers: hansa/protocol/pay.py, line by line. The rule and what it withstands: docs/pay.md.

import type { Address } from 'viem'
import { abs, floorDiv, max, min, sum, weightedUpperMedian } from './exact'
import { Code } from './sheet'
import type { Judgement } from './tally'

const [KEPT, OF] = [5n, 6n] // of both sums five sixths stay, each round
const CLAMP = 2n // medians: no gain counts for more
const NEWS = 3n // news counts where it is a third of its gain or more
const ENOUGH = 2n // gain counts in full with half as large a part of news as everybody's
const FULL_REPUTATION = 1_000_000

/** A trainer's running sums, 1e-9 of validation loss, never below 0. */
export interface PayRecord {
  gain: bigint
  news: bigint
}

/** How one included trainer's part of a round's reward came about. */
export interface Share {
  gain: bigint // its record after the round
  news: bigint
  allGain: bigint // everybody's records before the round, not less than allNews
  allNews: bigint
  p: bigint // the part of the round's reward, out of the sum of all p
}

const NOTHING: PayRecord = { gain: 0n, news: 0n }

/** The records after a finalised round, from the round's ok updates, dropped ones too. */
export function advance(
  records: ReadonlyMap<Address, PayRecord>,
  judgements: ReadonlyMap<Address, Judgement>,
  weights: ReadonlyMap<Address, bigint>,
): Map<Address, PayRecord> {
  const ok = [...judgements].flatMap(([i, judgement]) => {
    const a = weights.get(i) ?? 0n
    return judgement.code === Code.OK && a > 0n ? [{ i, a, gain: judgement.gain, news: min(judgement.gain, judgement.news) }] : []
  })
  const after = new Map([...records].map(([i, old]) => [i, { gain: (KEPT * old.gain) / OF, news: (KEPT * old.news) / OF }]))
  if (!ok.length) return after
  const middle = weightedUpperMedian(ok.map(({ gain, a }) => [floorDiv(abs(gain), a), a] as const))
  for (const { i, a, gain, news } of ok) {
    const [old, most] = [after.get(i) ?? NOTHING, CLAMP * a * middle]
    const added = gain > 0n && NEWS * news >= gain ? min(news, most) : 0n
    after.set(i, { gain: max(0n, old.gain + min(gain, most)), news: old.news + added })
  }
  return after
}

/** The included trainers' parts of the round's reward, from the records before it and after it. */
export function shares(
  before: ReadonlyMap<Address, PayRecord>,
  after: ReadonlyMap<Address, PayRecord>,
  included: readonly Address[],
): Map<Address, Share> {
  const allNews = sum([...before.values()].map(({ news }) => news))
  const allGain = max(allNews, sum([...before.values()].map(({ gain }) => gain)))
  return new Map(included.map((i) => [i, share(after.get(i) ?? NOTHING, allGain, allNews)]))
}

function share({ gain, news }: PayRecord, allGain: bigint, allNews: bigint): Share {
  return { gain, news, allGain, allNews, p: allNews ? min(gain * allNews, ENOUGH * news * allGain) : gain }
}

/** Each share's tokens, rounded down; nobody is paid where no share is positive. */
export function payments(shares: ReadonlyMap<Address, Share>, rewardPerRound: bigint): Map<Address, bigint> {
  const total = sum([...shares.values()].map(({ p }) => p))
  return new Map([...shares].map(([i, { p }]) => [i, total ? floorDiv(rewardPerRound * p, total) : 0n]))
}

/** A trainer's standing after a finalised round, 0 to 10⁶: an average over about eight rounds. */
export function reputation(previous: number, okAndPaid: boolean): number {
  return Math.floor((7 * previous + (okAndPaid ? FULL_REPUTATION : 0)) / 8)
}
