// Every round's verdicts and pay, worked out again from what the chain holds, as hansa/runtime/replay.py.

import { breathe } from '../pause'
import { finalised, type Cycle, type JobHistory } from '../chain/history'
import { settle, tally, type Ledger, type RoundLedger } from '../protocol/ledger'
import { rootOf, treeOf } from '../protocol/merkle'
import { decodeSheet, type Entry } from '../protocol/sheet'
import { weightOf } from '../protocol/spec'
import type { Address, Hex, Spec } from './model'

export interface Replayed {
  round: number
  ledger: RoundLedger
  nodes: Hex[] // of the rewards tree
  root: Hex
  agrees: boolean // with what was voted
}

/** Keeps what it has worked out as long as the history begins with the same results. */
export class Replay {
  private readonly done: (Replayed & { resultHash: Hex })[] = []

  async follow(history: JobHistory, spec: Spec): Promise<readonly Replayed[]> {
    const rounds = finalised(history)
    if (this.done.some((each, i) => rounds[i]?.outcome.resultHash !== each.resultHash)) this.done.length = 0
    let before = this.done.at(-1)?.ledger.after ?? firstLedger(history, spec)
    for (const { cycle, outcome } of rounds.slice(this.done.length)) {
      const ledger = settle(before, cycle.updates.map((each) => each.trainer), countedSheets(cycle), unpaid(cycle))
      const nodes = treeOf(ledger.leaves)
      const root = rootOf(nodes)
      this.done.push({ round: outcome.round, ledger, nodes, root, agrees: root === outcome.rewards, resultHash: outcome.resultHash })
      before = ledger.after
      await breathe()
    }
    return [...this.done]
  }
}

function firstLedger(history: JobHistory, spec: Spec): Ledger {
  const { rewardPerRound, seats, minBond } = history.posted.terms
  const trainers = new Map(history.enrolled.map(({ trainer, bond }) => [trainer, weightOf(spec.weights, bond, minBond)]))
  return { trainers, rewardPerRound, seats, rule: spec.rule, records: new Map(), reputations: new Map() }
}

/** Submitters with a seat in the cycle's own committee. */
function unpaid(cycle: Cycle): ReadonlySet<Address> {
  const members = new Set(cycle.committee)
  return new Set(cycle.updates.map((each) => each.trainer).filter((trainer) => members.has(trainer)))
}

const DECODED = new WeakMap<Cycle, Entry[][]>()

export function sheetsOf(cycle: Cycle): Entry[][] {
  const found = DECODED.get(cycle) ?? cycle.sheets.map(({ sheet }) => decodeSheet(sheet, cycle.updates.length))
  DECODED.set(cycle, found)
  return found
}

/** Without what a member says of its own update. */
function countedSheets(cycle: Cycle): (Entry | null)[][] {
  return sheetsOf(cycle).map((sheet, i) => {
    const member = cycle.committee[cycle.sheets[i]?.seat ?? -1]
    return sheet.map((entry, place) => (cycle.updates[place]?.trainer === member ? null : entry))
  })
}

/** What the sheets revealed so far would say of each update. */
export const provisional = (cycle: Cycle, seats: number): Entry[] => tally(countedSheets(cycle), seats, cycle.updates.length)
