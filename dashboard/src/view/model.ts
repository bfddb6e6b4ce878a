// What the pages show. Amounts are bigint in a token's smallest unit; gains, news and metrics are in units of 1e-9.

import type { Log } from '../chain/logs'
import type { AccountView } from './account'

export type Address = `0x${string}`
export type Hex = `0x${string}`
export type PhaseName =
  | 'NONE' | 'ENROL' | 'OPEN' | 'SUBMIT' | 'ATTEST' | 'RELEASE' | 'SCORE' | 'REVEAL' | 'VOTE' | 'FINALIZE'
  | 'LAPSED' | 'COMPLETED' | 'ABORTED' | 'CANCELLED'
export type Verdict = 'ok' | 'unreachable' | 'malformed' | 'zero' | 'duplicate'

export interface Token {
  address: Address
  symbol: string // at most 16 characters, without control characters
  decimals: number
}

export interface JobRow {
  job: number
  phase: PhaseName
  round: number
  maxRounds: number
  trainers: number
  seats: number
  metric: bigint | null
  sponsor: Address
  rewardPerRound: bigint
  token: Token
  deadline: number
}

/** JobTerms of contracts/interfaces; times are seconds. */
export interface Terms {
  token: Address
  committee: Address
  admission: Address
  recheckAdmission: boolean
  spec: string // CID
  model: string // CID of model 0
  rewardPerRound: bigint
  feePerSeat: bigint
  minBond: bigint
  strikePenalty: bigint
  targetMetric: bigint
  enrolTime: number
  openTime: number
  submitTime: number
  attestTime: number
  releaseTime: number
  scoreTime: number
  revealTime: number
  voteTime: number
  finalizeTime: number
  claimTime: number
  slashTime: number
  maxTrainers: number
  minUpdates: number
  maxRounds: number
  patience: number
  failureBurn: number // basis points of a full round
  maxFailures: number
  seats: number
  quorum: number
  threshold: number
}

export interface Spec {
  task: string
  settings: Record<string, unknown>
  steps: number
  bits: 8 | 16
  rule: string
  weights: 'equal' | 'bond'
  baselines: string[]
  publishKeys: boolean
  raw: string // canonical JSON
}

export interface Opinion {
  seat: number
  validator: Address
  verdict: Verdict
  gain: bigint
  news: bigint
}

export interface UpdateView {
  place: number
  trainer: Address
  cid: string
  tx: Hex
  block: number
  opinions: Opinion[]
  verdict: Verdict | null // null: no outcome yet
  gain: bigint | null
  news: bigint | null
  included: boolean
}

export interface SeatView {
  seat: number
  validator: Address
  committed: boolean
  revealed: boolean
  voted: boolean
  matched: boolean | null
  metric: bigint | null
}

export type Outcome =
  | { kind: 'open' }
  | { kind: 'finalized'; model: string; rewards: Hex; metric: bigint; block: number; tx: Hex; resultHash: Hex }
  | { kind: 'failed'; phase: PhaseName; burnt: bigint; failures: number; block: number; why: string }

export interface CycleView {
  cycle: bigint
  number: number
  round: number
  openedBlock: number
  openedAt: number | null
  seed: Hex
  updates: UpdateView[]
  seats: SeatView[]
  outcome: Outcome
}

export interface ShareView {
  weight: number
  averageGain: number
  averageNews: number
  averageFresh: number
  differs: number // d, of the middle one
  e: bigint
  k: bigint
  f: bigint
  s: bigint
  d: bigint
  middle: bigint
  p: bigint
  beforeCap: bigint
  cap: bigint
  capped: boolean
  part: number
}

export interface LedgerCell {
  round: number
  trainer: Address
  update: UpdateView | null
  share: ShareView | null
  record: { cg: bigint; dg: bigint; cn: bigint; dn: bigint; cf: bigint; df: bigint } | null
  pay: bigint
  strike: boolean
  reputation: number
  claimed: { amount: bigint; tx: Hex } | null
}

export interface RoundView {
  round: number
  cycle: CycleView
  attempts: CycleView[]
  parent: string
  model: string
  metric: bigint
  cells: LedgerCell[] // every enrolled trainer
  root: Hex
  votedRoot: Hex
  agrees: boolean // root === votedRoot
}

export interface TrainerView {
  address: Address
  bond: bigint
  bondLeft: bigint
  earned: bigint
  claimed: bigint
  claimable: { round: number; amount: bigint }[]
  strikes: number
  reputation: number
}

export interface ValidatorView {
  address: Address
  matched: number
  wrong: number
  missed: number
  fees: bigint // earned
  feesPaid: bigint
  feesClaimable: bigint
}

export interface Waiting {
  phase: PhaseName
  deadline: number
  now: number
  acted: Address[]
  waitingFor: Address[]
  note: string
}

/** Books of contracts/interfaces/IVault.sol. */
export interface Books {
  token: Address
  sponsor: Address
  endedAt: number
  claimUntil: number
  slashUntil: number
  escrowed: bigint
  left: bigint
  booked: bigint
  paid: bigint
  burnt: bigint
  burnSent: bigint
  refunded: bigint
  bonded: bigint
  forfeited: bigint
}

/** What the contracts say of a job by themselves: shown while its events are still read. */
export interface JobGlance {
  job: number
  sponsor: Address
  token: Token
  terms: Terms
  termsHash: Hex
  spec: Spec | null
  phase: PhaseName
  waiting: Waiting
  books: Books
  baselines: { name: string; metric: bigint }[]
  stopping: boolean
  enrolled: number
  finalized: number // rounds
  metrics: { round: number; metric: bigint }[] // of the latest rounds
  head: Head
}

export interface JobView extends JobGlance {
  burnt: readonly Log[] // the vault's events
  specProblem: string | null
  cycles: CycleView[]
  lapses: { afterCycle: number; failures: number; burnt: bigint; block: number }[]
  rounds: RoundView[] // [] while the spec can't be had: specProblem says why
  trainers: TrainerView[]
  validators: ValidatorView[]
}

export interface Head {
  number: number
  timestamp: number
}

/** message: the object and the cause; next: what to do. */
export class ChainProblem extends Error {
  constructor(
    readonly kind: 'rpc-down' | 'nonsense' | 'reset' | 'wrong-chain',
    message: string,
    readonly next: string,
  ) {
    super(message)
    this.name = 'ChainProblem'
  }
}

/** message: the object and the cause; next: what to do. */
export class StoreProblem extends Error {
  constructor(
    readonly kind: 'down' | 'missing' | 'wrong-bytes' | 'too-large',
    readonly cid: string,
    message: string,
    readonly next: string,
  ) {
    super(message)
    this.name = 'StoreProblem'
  }
}

export interface Reader {
  jobs(from?: number): Promise<JobRow[]>
  /** early: told what the contracts say of a job that was not read before. */
  job(id: number, early?: (glance: JobGlance) => void): Promise<JobView>
  account(address: Address): Promise<AccountView>
  head(): Promise<Head>
  claimCalls(job: number, trainer: Address): Promise<{ to: Address; data: Hex; total: bigint; rounds: number[] }>
  verify(cid: string): Promise<{ bytes: number; blocks: number; ok: true; kind: 'model' | 'update' | 'spec' | 'other' }>
}
