// Every round's verdicts and pay, worked out again from what the chain holds, as hansa/runtime/replay.py.

import type { Address, Hex } from 'viem'
import { finalised, type CycleRecord, type Enrolment, type JobHistory } from '../chain/history/records'
import type { JobTerms } from '../chain/structs'
import { breathe } from '../pause'
import { Ledger, type RoundLedger } from '../protocol/ledger'
import { RewardsTree } from '../protocol/merkle'
import { decodeSheet, type Entry } from '../protocol/sheet'
import type { JobSpec } from '../protocol/spec'

const LARGEST_WEIGHT = 255n

export interface Replayed {
  round: number
  ledger: RoundLedger
  tree: RewardsTree
  agrees: boolean // with what was voted
}

/** The ledgers of a job's finalised rounds; keeps what it has worked out as long as the history begins with the same results. */
export class Replay {
  private readonly rounds: (Replayed & { resultHash: Hex })[] = []

  async follow(history: JobHistory, spec: JobSpec): Promise<readonly Replayed[]> {
    const rounds = finalised(history)
    if (this.rounds.some((each, i) => rounds[i]?.outcome.resultHash !== each.resultHash)) this.rounds.length = 0
    let before = this.rounds.at(-1)?.ledger.after ?? firstLedger(history, spec)
    for (const { cycle, outcome } of rounds.slice(this.rounds.length)) {
      const ledger = attempt(before, cycle)
      const tree = new RewardsTree(ledger.leaves)
      this.rounds.push({ round: outcome.round, ledger, tree, agrees: tree.root === outcome.rewards, resultHash: outcome.resultHash })
      before = ledger.after
      await breathe()
    }
    return [...this.rounds]
  }
}

function firstLedger({ enrolled, posted: { terms } }: JobHistory, spec: JobSpec): Ledger {
  return new Ledger(new Map(enrolled.map((each) => [each.trainer, weight(each, spec, terms)])), terms.rewardPerRound, terms.seats, spec.rule)
}

/** What a trainer's update weighs in the mean and in pay: 1, or its bond in units of the least bond. */
function weight({ bond }: Enrolment, spec: JobSpec, { minBond }: JobTerms): bigint {
  if (spec.weights === 'equal') return 1n
  const units = bond / minBond
  return units < LARGEST_WEIGHT ? units : LARGEST_WEIGHT
}

/** The round of this cycle, after which `before` stands. */
function attempt(before: Ledger, cycle: CycleRecord): RoundLedger {
  const trainers = cycle.updates.map(({ trainer }) => trainer)
  const unpaid = new Set<Address>(trainers.filter((trainer) => cycle.committee.includes(trainer)))
  return before.round(trainers, countedSheets(cycle), unpaid)
}

const DECODED = new WeakMap<CycleRecord, Entry[][]>()

/** The revealed sheets, in their order. */
export function sheetsOf(cycle: CycleRecord): Entry[][] {
  const found = DECODED.get(cycle) ?? cycle.sheets.map(({ sheet }) => decodeSheet(sheet, cycle.updates.length))
  DECODED.set(cycle, found)
  return found
}

/** The same without what a member says of its own update. */
export function countedSheets(cycle: CycleRecord): (Entry | null)[][] {
  return sheetsOf(cycle).map((sheet, i) => {
    const member = cycle.committee[cycle.sheets[i]?.seat ?? -1]
    return sheet.map((entry, place) => (cycle.updates[place]?.trainer === member ? null : entry))
  })
}
