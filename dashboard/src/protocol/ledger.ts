// The ledger of a job, as hansa/protocol/ledger.py: what each finalised round's sheets mean for every trainer.

import type { Address } from 'viem'
import { measurementMedian } from './exact'
import type { Leaf } from './merkle'
import * as pay from './pay'
import { drop } from './rules'
import { Code, CODES, type Entry } from './sheet'

/** A committee's verdict on one update, and where it is ok the median gain and news, 1e-9. */
export type Judgement = Entry

/** A job's books before a round. Addresses are checksummed throughout. */
export interface Ledger {
  trainers: ReadonlyMap<Address, bigint> // every enrolled trainer's weight, 1 to 255
  rewardPerRound: bigint
  seats: number
  rule: string
  records: ReadonlyMap<string, pay.PayRecord>
  reputations: ReadonlyMap<string, number>
}

export interface RoundLedger {
  judgements: Judgement[]
  included: number[] // ok and not dropped, ascending
  leaves: Leaf[] // one for every enrolled trainer, by address
  records: Map<string, pay.PayRecord>
  shares: Map<string, pay.Share>
  after: Ledger
}

/** Judges and pays a finalised round; never call it for a failed cycle. unpaid: submitting members of a fully
 * coupled committee, never dropped and left out of everything that pays. */
export function settle(
  ledger: Ledger,
  submitted: readonly Address[],
  sheets: readonly (Entry | null)[][],
  unpaid: ReadonlySet<Address>,
): RoundLedger {
  const judgements = tally(sheets, ledger.seats, submitted.length)
  const named = submitted.map((trainer, i) => ({ trainer, i, judgement: at(judgements, i) }))
  const members = new Set(named.filter(({ trainer }) => unpaid.has(trainer)).map(({ i }) => i))
  const dropped = drop(ledger.rule, judgements, members)
  const kept = named.filter(({ judgement, i }) => judgement.code === Code.OK && !dropped.has(i))
  const judged = new Map(named.filter(({ i }) => !members.has(i)).map((each) => [each.trainer, each.judgement]))
  const records = pay.advance(ledger.records, judged, ledger.trainers)
  const payable = kept.filter(({ i }) => !members.has(i)).map(({ trainer }) => trainer)
  const shares = pay.shares(records, judged, payable, ledger.trainers)
  const paid = pay.payments(shares, ledger.rewardPerRound)
  const struck = new Set(named.filter(({ judgement }) => judgement.code === Code.MALFORMED).map((each) => each.trainer))
  const leaves = [...ledger.trainers.keys()].sort(byAddress).map((trainer): Leaf => {
    const amount = paid.get(trainer) ?? 0n
    const standing = pay.reputation(ledger.reputations.get(trainer) ?? 0, amount > 0n)
    return { trainer, pay: amount, strike: struck.has(trainer), reputation: standing }
  })
  const reputations = new Map(leaves.map((leaf) => [leaf.trainer, leaf.reputation]))
  return { judgements, included: kept.map(({ i }) => i), leaves, records, shares, after: { ...ledger, records, reputations } }
}

/** A verdict is what more than half of the seats, not of the sheets, say; else unreachable. null: a member's own
 * update, on which it has no say. */
export function tally(sheets: readonly (Entry | null)[][], seats: number, n: number): Judgement[] {
  return Array.from({ length: n }, (_, i) => judge(sheets.map((sheet) => at(sheet, i)).filter((entry) => entry !== null), seats))
}

function judge(entries: readonly Entry[], seats: number): Judgement {
  for (const code of CODES) {
    const agreeing = entries.filter((entry) => entry.code === code)
    if (2 * agreeing.length <= seats) continue
    if (code !== Code.OK) return { code, gain: 0n, news: 0n }
    const gain = measurementMedian(agreeing.map((entry) => entry.gain))
    return { code, gain, news: measurementMedian(agreeing.map((entry) => entry.news)) }
  }
  return { code: Code.UNREACHABLE, gain: 0n, news: 0n }
}

function byAddress(a: string, b: string): number {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1
}

function at<Item>(items: readonly Item[], i: number): Item {
  const item = items[i]
  if (item === undefined) throw new RangeError(`a sheet has no entry ${i}`)
  return item
}
