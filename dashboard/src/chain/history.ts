// A job's events as records, as hansa/runtime/history/records.py, and what the contract holds of it.

import type { Address, Hex } from 'viem'
import type { PhaseName } from '../view/model'
import type { Log } from './logs'

/** contracts/interfaces/IFederation.sol's Phase, in its order. */
export const PHASES: readonly PhaseName[] = [
  'NONE', 'ENROL', 'OPEN', 'SUBMIT', 'ATTEST', 'RELEASE', 'SCORE', 'REVEAL', 'VOTE', 'FINALIZE', 'LAPSED', 'COMPLETED', 'ABORTED', 'CANCELLED',
]
const OVER: ReadonlySet<PhaseName> = new Set(['COMPLETED', 'ABORTED', 'CANCELLED'])
export const isOver = (phase: PhaseName): boolean => OVER.has(phase)

/** Events that don't fit together; the text says what is missing or invented. */
export class HistoryError extends Error {}

export function phaseOf(index: number): PhaseName {
  const phase = PHASES[index]
  if (!phase) throw new HistoryError(`there is no phase ${index}`)
  return phase
}

/** JobTerms as the ABI decodes them; hashes are not CIDs yet. */
export interface RawTerms {
  token: Address; committee: Address; admission: Address; recheckAdmission: boolean; spec: Hex; model: Hex
  rewardPerRound: bigint; feePerSeat: bigint; minBond: bigint; strikePenalty: bigint; targetMetric: bigint
  enrolTime: number; openTime: number; submitTime: number; attestTime: number; releaseTime: number; scoreTime: number
  revealTime: number; voteTime: number; finalizeTime: number; claimTime: number; slashTime: number
  maxTrainers: number; minUpdates: number; maxRounds: number; patience: number; failureBurn: number
  maxFailures: number; seats: number; quorum: number; threshold: number
}

/** JobState as the ABI decodes it. Bitmaps: bit s is seat s. */
export interface JobState {
  phase: number; sponsor: Address; cycle: bigint; deadline: number; openedAt: number; endedAt: number; round: number
  enrolled: number; submitted: number; pending: number; stale: number; failures: number
  stopping: boolean; rejoining: boolean; committeeKept: boolean; bestMetric: bigint
  due: number; attested: number; released: number; committed: number; revealed: number; voted: number
  updates: bigint; sheets: Hex; lastResult: Hex; committee: readonly Address[]; matched: readonly bigint[]
}

export interface Update {
  trainer: Address
  digest: Hex
  block: number
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
  block: number
  tx: Hex
}

export interface Failed {
  kind: 'failed'
  phase: PhaseName // that ran out; VOTE where the committee agreed that nothing could be aggregated
  failures: number // in a row
  burnt: bigint
  block: number
}

/** One attempt at a round, in on-chain order. */
export interface Cycle {
  cycle: bigint
  number: number
  round: number
  seed: Hex
  committee: readonly Address[] // by seat
  openedBlock: number
  openedAt: number
  updates: readonly Update[]
  attested: ReadonlySet<number>
  released: ReadonlySet<number>
  committed: ReadonlySet<number>
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
  posted: { block: number; sponsor: Address; termsHash: Hex; terms: RawTerms; escrow: bigint }
  enrolled: readonly { trainer: Address; bond: bigint; held: bigint }[] // held: what penalties and its return left of it
  cycles: readonly Cycle[]
  lapses: readonly { afterCycle: number; failed: Failed }[]
  ended: PhaseName | null
  claims: ReadonlyMap<number, ReadonlyMap<Address, Claim>> // by round, then trainer; the same map where nothing is new
  paid: bigint // rewards and fees that were claimed
  burnt: readonly Log[] // the vault's Burnt events
}

export const finalised = (history: JobHistory): { cycle: Cycle; outcome: Finalized }[] =>
  history.cycles.flatMap((cycle) => (cycle.outcome?.kind === 'finalized' ? [{ cycle, outcome: cycle.outcome }] : []))
