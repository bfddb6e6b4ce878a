// A job's events as records, as hansa/runtime/history/records.py, and what the vault's events say of its money.

import type { Address, Hex } from 'viem'
import type { PhaseName } from '../../protocol/phases'
import type { Log } from '../logs'
import type { JobTerms } from '../structs'

export interface Posted {
  block: number
  sponsor: Address
  termsHash: Hex
  terms: JobTerms
  escrow: bigint
}

export interface Enrolment {
  trainer: Address
  bond: bigint
  held: bigint // what penalties and its return left of it
}

export interface Submitted {
  trainer: Address
  digest: Hex
  tx: Hex
}

export interface Revealed {
  seat: number
  sheet: Hex
  salt: Hex
}

export interface Vote {
  sealed: bigint
  metric: bigint // 1e-9
}

export interface Finalized {
  kind: 'finalized'
  round: number
  model: Hex
  rewards: Hex
  metric: bigint
  matched: number // bitmap of seats
  resultHash: Hex
  time: number // seconds
  block: number
  tx: Hex
}

export interface Failed {
  kind: 'failed'
  phase: PhaseName // that ran out; VOTE where the committee agreed that nothing could be aggregated
  failures: number // in a row
  burnt: bigint
  time: number // seconds
  block: number
}

/** One attempt at a round, in on-chain order. */
export interface CycleRecord {
  number: number
  round: number
  randomness: Hex
  committee: readonly Address[] // by seat
  keys: readonly Hex[] // by seat, 0 for none
  updates: readonly Submitted[]
  acted: ReadonlyMap<PhaseName, ReadonlySet<number>> // seats, by phase
  sheets: readonly Revealed[]
  votes: ReadonlyMap<number, Vote>
  outcome: Finalized | Failed | null
}

export interface Claim {
  amount: bigint
  tx: Hex
}

export interface JobHistory {
  job: number
  posted: Posted
  enrolled: readonly Enrolment[]
  cycles: readonly CycleRecord[]
  lapses: readonly { afterCycle: number; failed: Failed }[]
  ended: PhaseName | null
  claims: ReadonlyMap<number, ReadonlyMap<Address, Claim>> // by round, then trainer; the same map where nothing is new
  paid: bigint // rewards and fees that were claimed
  burnt: readonly Log[] // the vault's Burnt events
  seen: ReadonlyMap<Address, number> // block of each party's last act
}

export const finalised = (history: JobHistory): { cycle: CycleRecord; outcome: Finalized }[] =>
  history.cycles.flatMap((cycle) => (cycle.outcome?.kind === 'finalized' ? [{ cycle, outcome: cycle.outcome }] : []))
