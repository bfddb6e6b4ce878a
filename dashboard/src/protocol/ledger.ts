// The ledger of a job, as hansa/protocol/ledger.py: what each finalised round's sheets mean for every trainer.

import type { Address } from 'viem'
import { drop } from './aggregation'
import type { Leaf } from './merkle'
import * as pay from './pay'
import { Code, type Entry } from './sheet'
import { tally, type Judgement } from './tally'

export interface RoundLedger {
  judgements: Judgement[]
  included: number[] // ok and not dropped, ascending
  leaves: Leaf[] // one for every enrolled trainer, by address
  records: Map<Address, pay.PayRecord> // after the round
  shares: Map<Address, pay.Share> // of the included, members of the committee left out
  after: Ledger // that takes the next round
}

/** A job's books before a round. Addresses are checksummed throughout. trainers: every enrolled one's weight, 1 to 255. */
export class Ledger {
  constructor(
    private readonly trainers: ReadonlyMap<Address, bigint>,
    private readonly rewardPerRound: bigint,
    private readonly seats: number,
    private readonly rule: string,
    private readonly records: ReadonlyMap<Address, pay.PayRecord> = new Map(),
    private readonly reputations: ReadonlyMap<Address, number> = new Map(),
  ) {}

  /** Judges and pays a finalised round; never call it for a failed cycle. unpaid: submitting members of a fully
   * coupled committee, never dropped and left out of everything that pays. */
  round(submitted: readonly Address[], sheets: readonly (Entry | null)[][], unpaid: ReadonlySet<Address>): RoundLedger {
    const judgements = tally(sheets, this.seats, submitted.length)
    const named = submitted.flatMap((trainer, i) => (judgements[i] ? [{ trainer, i, judgement: judgements[i] }] : []))
    const members = new Set(named.filter(({ trainer }) => unpaid.has(trainer)).map(({ i }) => i))
    const dropped = drop(this.rule, judgements, members)
    const kept = named.filter(({ judgement, i }) => judgement.code === Code.OK && !dropped.has(i))
    const judged = new Map(named.filter(({ i }) => !members.has(i)).map((each) => [each.trainer, each.judgement]))
    const records = pay.advance(this.records, judged, this.trainers)
    const payable = kept.filter(({ i }) => !members.has(i)).map(({ trainer }) => trainer)
    const shares = pay.shares(this.records, records, payable)
    const paid = pay.payments(shares, this.rewardPerRound)
    const struck = new Set(named.filter(({ judgement }) => judgement.code === Code.MALFORMED).map((each) => each.trainer))
    const leaves = [...this.trainers.keys()].sort(byAddress).map((trainer) => this.leaf(trainer, paid.get(trainer) ?? 0n, struck.has(trainer)))
    const standing = new Map(leaves.map((leaf) => [leaf.trainer, leaf.reputation]))
    const after = new Ledger(this.trainers, this.rewardPerRound, this.seats, this.rule, records, standing)
    return { judgements, included: kept.map(({ i }) => i), leaves, records, shares, after }
  }

  private leaf(trainer: Address, paid: bigint, strike: boolean): Leaf {
    return { trainer, pay: paid, strike, reputation: pay.reputation(this.reputations.get(trainer) ?? 0, paid > 0n) }
  }
}

const byAddress = (a: string, b: string): number => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)
