// Who is paid what, in integers: hansa/protocol/pay.py, line by line. The rule and what it withstands: docs/pay.md.

import type { Address } from 'viem'
import { abs, floorDiv, max, min, sum, weightedLowerMedian } from './exact'
import { Code } from './sheet'
import type { Judgement } from './tally'

const U = 1n << 32n
const PRIOR = U / 4n
const CLAMP = 2n // medians: no measurement counts for more
const CAP = 3n // medians: nobody is paid more
const KEPT = 4n // of what was fresh a quarter stays, each round
const FULL_REPUTATION = 1_000_000

type Column = Map<Address, bigint>

/** A trainer's running averages, each as sum and weight: gain is cg/dg, news cn/dn, fresh cf/df. */
export interface PayRecord {
  cg: bigint
  dg: bigint
  cn: bigint
  dn: bigint
  cf: bigint
  df: bigint
}

/** How one included trainer's part of a round's reward came about. */
export interface Share {
  weight: bigint // a
  e: bigint // average gain
  k: bigint // average news
  f: bigint // average of what is fresh
  s: bigint // the smallest of the three, weighted
  d: bigint // how far this round's update differs from the model's course: |news| // a
  middle: bigint // D, the median of d over the ok updates; a quarter of it is enough
  beforeCap: bigint // p as it would be without the cap
  cap: bigint // 3 * a * the median of positive p // a
  p: bigint // the part of the round's reward, out of the sum of all p
}

const NOTHING: PayRecord = { cg: 0n, dg: 0n, cn: 0n, dn: 0n, cf: 0n, df: 0n }

/** The records after a finalised round, from the round's ok updates, dropped ones too; the others' stay. */
export function advance(
  records: ReadonlyMap<Address, PayRecord>,
  judgements: ReadonlyMap<Address, Judgement>,
  weights: ReadonlyMap<Address, bigint>,
): Map<Address, PayRecord> {
  const ok = [...judgements].filter(([i, judgement]) => judgement.code === Code.OK && of(weights, i) > 0n)
  const a: Column = new Map(ok.map(([i]) => [i, of(weights, i)]))
  const gain = clamped(new Map(ok.map(([i, each]) => [i, each.gain])), a)
  const news = clamped(new Map(ok.map(([i, each]) => [i, min(each.gain, each.news)])), a)
  const fresh = clamped(new Map(ok.map(([i, each]) => [i, min(each.gain, abs(each.news))])), a)
  const size = sum([...gain.values()].map(abs)) // G
  const total = sum(a.values()) // A
  const helped = sum([...a].filter(([i]) => of(gain, i) > 0n).map(([, weight]) => weight))
  const majority = max(0n, 2n * helped - total) // V
  const agreed = agreement(gain, size) * majority
  const after = new Map(records)
  if (agreed === 0n) return after
  const newly = agreement(news, size) * majority
  const [gained, gainWeight] = [added(gain, agreed, size, a), floorDiv(U * agreed, size * total)]
  const [brought, newsWeight] = [added(news, newly, size, a), floorDiv(U * newly, size * total)]
  const still = added(fresh, agreed, size, a)
  for (const i of a.keys()) {
    const old = records.get(i) ?? NOTHING
    after.set(i, {
      cg: old.cg + of(gained, i),
      dg: old.dg + gainWeight,
      cn: old.cn + max(0n, of(brought, i)),
      dn: old.dn + newsWeight,
      cf: old.cf / KEPT + max(0n, of(still, i)),
      df: old.df / KEPT + gainWeight,
    })
  }
  return after
}

/** Each x_i within ±2 * a_i * (the median of x_j // a_j over the positive x_j). */
function clamped(x: Column, a: Column): Column {
  const limit = CLAMP * median(positive(x), a)
  return mapped(x, (value, i) => max(-limit * of(a, i), min(limit * of(a, i), value)))
}

const positive = (x: Column): Column => new Map([...x].filter(([, value]) => value > 0n))

/** The weighted lower median of x_i // a_i; 0 of nothing. */
function median(x: Column, a: ReadonlyMap<Address, bigint>): bigint {
  if (!x.size) return 0n
  return weightedLowerMedian([...x].map(([i, value]) => [floorDiv(value, of(a, i)), of(a, i)] as const))
}

/** S, at most G: the sum, if it is positive. */
function agreement(x: Column, size: bigint): bigint {
  return min(size, max(0n, sum(x.values())))
}

/** What a round adds to a sum: U*x_i*S*V // (a_i*T*G), `agreed` being S*V; 0 if T is 0. */
function added(x: Column, agreed: bigint, size: bigint, a: Column): Column {
  const spread = sum([...x.values()].map(abs)) // T
  return mapped(x, (value, i) => (spread ? floorDiv(U * value * agreed, of(a, i) * spread * size) : 0n))
}

/** The included trainers' parts of the round's reward, from the records after it and its judgements. */
export function shares(
  records: ReadonlyMap<Address, PayRecord>,
  judgements: ReadonlyMap<Address, Judgement>,
  included: readonly Address[],
  weights: ReadonlyMap<Address, bigint>,
): Map<Address, Share> {
  const a: Column = new Map(included.filter((i) => of(weights, i) > 0n).map((i) => [i, of(weights, i)]))
  const at = (i: Address): PayRecord => records.get(i) ?? NOTHING
  const e = mapped(a, (_, i) => floorDiv(U * at(i).cg, at(i).dg + PRIOR))
  const k = mapped(a, (_, i) => floorDiv(U * at(i).cn, at(i).dn + PRIOR))
  const f = mapped(a, (_, i) => floorDiv(U * at(i).cf, at(i).df + PRIOR))
  const whole = (x: Column): bigint => sum(mapped(a, (weight, i) => weight * max(0n, of(x, i))).values())
  const [allE, allK, allF] = [whole(e), whole(k), whole(f)]
  const smallest = (i: Address): bigint =>
    min(of(e, i) * allK * allF, min(2n * of(k, i) * allE * allF, 2n * of(f, i) * allE * allK))
  const s = mapped(a, (weight, i) => weight * smallest(i))
  const total = sum(a.values())
  const positiveS = sum([...s.values()].map((value) => max(0n, value)))
  const { d, middle } = differences(judgements, weights)
  const unlimited = mapped(a, (weight, i) => max(0n, 4n * total * of(s, i) - weight * positiveS))
  const p = mapped(unlimited, (value, i) => (middle ? floorDiv(value * min(middle, 4n * of(d, i)), middle) : value))
  const limit = CAP * median(positive(p), a)
  const share = (weight: bigint, i: Address): Share => ({
    weight, e: of(e, i), k: of(k, i), f: of(f, i), s: of(s, i), d: of(d, i), middle, beforeCap: of(p, i), cap: limit * weight, p: min(of(p, i), limit * weight),
  })
  return mapped(a, share)
}

/** How far each ok update differs from the model's course, and the median of it. */
function differences(
  judgements: ReadonlyMap<Address, Judgement>,
  weights: ReadonlyMap<Address, bigint>,
): { d: Column; middle: bigint } {
  const ok = [...judgements].filter(([i, each]) => each.code === Code.OK && of(weights, i) > 0n)
  const size: Column = new Map(ok.map(([i, each]) => [i, abs(min(each.gain, each.news))]))
  return { d: mapped(size, (x, i) => floorDiv(x, of(weights, i))), middle: median(size, weights) }
}

/** Each share's tokens, rounded down; nobody is paid where no share is positive. */
export function payments(shares: ReadonlyMap<Address, Share>, rewardPerRound: bigint): Column {
  const total = sum([...shares.values()].map((share) => share.p))
  return mapped(shares, (share) => (total ? floorDiv(rewardPerRound * share.p, total) : 0n))
}

/** A trainer's standing after a finalised round, 0 to 10⁶: an average over about eight rounds. */
export function reputation(previous: number, okAndPaid: boolean): number {
  return Math.floor((7 * previous + (okAndPaid ? FULL_REPUTATION : 0)) / 8)
}

function mapped<In, Out>(values: ReadonlyMap<Address, In>, change: (value: In, i: Address) => Out): Map<Address, Out> {
  return new Map([...values].map(([i, value]) => [i, change(value, i)]))
}

function of(values: ReadonlyMap<Address, bigint>, i: Address): bigint {
  const value = values.get(i)
  if (value === undefined) throw new RangeError(`${i} is not enrolled`)
  return value
}
