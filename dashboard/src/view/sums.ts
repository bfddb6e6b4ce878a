// A job in a few figures.

import { sum } from '../protocol/exact'
import type { JobGlance, JobView } from './model'

export interface PublishedModel {
  round: number // 0: the sponsor's
  cid: string
  metric: bigint | null
}

/** Oldest first; known without the spec. */
export function modelsOf({ cycles, terms }: Pick<JobView, 'cycles' | 'terms'>): PublishedModel[] {
  const start: PublishedModel = { round: 0, cid: terms.model, metric: null }
  return [start, ...cycles.flatMap(({ round, outcome }) => (outcome.kind === 'finalized' ? [{ round, cid: outcome.model, metric: outcome.metric }] : []))]
}

/** The earliest one of the best metric. */
export function bestOf<Point extends { metric: bigint | null }>(points: readonly Point[]): Point | undefined {
  return points.reduce<Point | undefined>((best, each) => (each.metric !== null && (best?.metric ?? null) === null ? each : best && (each.metric ?? best.metric!) > best.metric! ? each : best), undefined)
}

/** What rounds and failures took of the escrow. */
export const spent = ({ books }: Pick<JobGlance, 'books'>): bigint => books.escrowed - books.left - books.refunded

const LAST = 10 // rounds

/** What the metric has gained in the last rounds, and what those rounds cost; null before the second. */
export function lately({ metrics, terms }: Pick<JobGlance, 'metrics' | 'terms'>): { rounds: number; gain: bigint; cost: bigint } | null {
  const last = metrics.at(-1)
  const rounds = Math.min(LAST, metrics.length - 1)
  const before = metrics.at(-1 - rounds)
  if (!last || !before || rounds < 1) return null
  return { rounds, gain: last.metric - before.metric, cost: BigInt(rounds) * fullRound(terms) }
}

export const fullRound = ({ rewardPerRound, feePerSeat, seats }: Pick<JobGlance['terms'], 'rewardPerRound' | 'feePerSeat' | 'seats'>): bigint => rewardPerRound + feePerSeat * BigInt(seats)

/** What a failed attempt takes of a full round. */
export const burnOf = (terms: Parameters<typeof fullRound>[0] & { failureBurn: number }): bigint => (fullRound(terms) * BigInt(terms.failureBurn)) / 10_000n

/** Updates of settled rounds that are in a model, of all that came. */
export function updatesUsed({ rounds }: Pick<JobView, 'rounds'>): { used: number; all: number } {
  const all = rounds.flatMap(({ cycle }) => cycle.updates)
  return { used: all.filter(({ included }) => included).length, all: all.length }
}

/** The escrow in its parts, which sum up to it. */
export function partsOfEscrow({ books }: Pick<JobGlance, 'books'>): { name: string; amount: bigint; kind: string }[] {
  const { escrowed, paid, booked, refunded, left } = books
  const burnt = escrowed - booked - refunded - left
  return [
    { name: 'Paid out', amount: paid, kind: 'good' }, { name: 'Booked, not paid', amount: booked - paid, kind: 'running' }, { name: 'Burnt', amount: burnt, kind: 'bad' },
    { name: 'Back at the sponsor', amount: refunded, kind: 'quiet' }, { name: 'Left', amount: left, kind: 'left' },
  ].filter(({ amount }) => amount > 0n)
}

export const earnedBy = ({ trainers, validators }: Pick<JobView, 'trainers' | 'validators'>) => ({
  trainers: sum(trainers.map(({ earned }) => earned)), validators: sum(validators.map(({ fees }) => fees)),
})
