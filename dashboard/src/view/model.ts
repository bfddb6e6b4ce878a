// What the pages show. Amounts are bigint in a token's smallest unit; gains, news and metrics are in units of 1e-9.

import type { Address, Hex } from 'viem'
import type { Claim } from '../chain/history/records'
import type { Log } from '../chain/logs'
import type { Books, JobTerms } from '../chain/structs'
import type { Baseline } from '../protocol/baselines'
import type { PayRecord, Share } from '../protocol/pay'
import type { PhaseName } from '../protocol/phases'
import type { JobSpec } from '../protocol/spec'
import type { MovementKind, Verdict } from '../protocol/tables'

export interface Token {
  address: Address
  symbol: string // at most 16 characters, without control characters
  decimals: number
}

export interface Terms extends Omit<JobTerms, 'spec' | 'model'> {
  spec: string // CID
  model: string // CID of model 0
}

/** gain, news: 0 unless the verdict is ok. */
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
  opinions: Opinion[]
  verdict: Verdict | null // null: no outcome yet
  gain: bigint | null
  news: bigint | null
  included: boolean
  repeats: { trainer: Address; cosine: bigint } | null // of a duplicate, as most sheets have it
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

/** time: of the end, seconds. */
export type Outcome =
  | { kind: 'open' }
  | { kind: 'finalized'; model: string; rewards: Hex; metric: bigint; time: number; tx: Hex }
  | { kind: 'failed'; phase: PhaseName; burnt: bigint; time: number; why: string; silent: Address[] } // silent: members for want of whom it failed

export interface CycleView {
  number: number
  round: number
  updates: UpdateView[]
  seats: SeatView[]
  outcome: Outcome
}

/** Counted: what of the gain so far counts, the trainer's and of all who share the round, 1e-9; part: p out of the sum of all p. */
export interface ShareView extends Share {
  counted: bigint
  allCounted: bigint
  part: number
}

export interface LedgerCell {
  round: number
  trainer: Address
  update: UpdateView | null
  share: ShareView | null
  record: PayRecord | null
  pay: bigint
  strike: boolean
  reputation: number
  claimed: Claim | null
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
  attended: { round: number; how: 'matched' | 'wrong' | 'missed' }[] // finalised rounds in which it had a seat
  matched: number
  wrong: number
  missed: number
  fees: bigint // earned
  feesPaid: bigint
  feesClaimable: bigint
}

export interface Waiting {
  deadline: number
  acted: Address[]
  waitingFor: Address[]
  note: string
}

/** What the contracts say of a job by themselves: shown while its events are still read. */
export interface JobGlance {
  job: number
  sponsor: Address
  token: Token
  terms: Terms
  termsHash: Hex
  spec: JobSpec | null
  phase: PhaseName
  waiting: Waiting
  books: Books
  baselines: Baseline[]
  stopping: boolean
  failures: number // in a row
  enrolled: number
  finalized: number // rounds
  metrics: { round: number; metric: bigint }[] // of the latest rounds
  head: Head
}

export interface JobView extends JobGlance {
  burnt: readonly Log[] // the vault's events
  specProblem: string | null
  cycles: CycleView[]
  openedAt: number // of the last cycle, seconds; 0 before the first
  seen: ReadonlyMap<Address, number> // block of each party's last act
  lapses: { afterCycle: number; failures: number; burnt: bigint; block: number }[]
  rounds: RoundView[] // [] while the spec can't be had: specProblem says why
  trainers: TrainerView[]
  validators: ValidatorView[]
}

export interface Head {
  number: number
  timestamp: number
}

/** One event of the vault about an account. */
export interface Movement {
  block: number
  time: number | null // null: not asked for
  tx: Hex
  job: number
  kind: MovementKind
  round: number | null
  amount: bigint
  moved: bigint // to the account; from it: negative; 0 where tokens stay in the vault or are burnt
}

/** What an account earned by a round, booked at a time in seconds. */
export interface Earning {
  job: number
  round: number
  time: number
  amount: bigint
}

export interface AccountView {
  address: Address
  native: bigint
  movements: Movement[] // oldest first
  unlike: number[] // jobs whose movements don't add up to what the vault holds
  tokens: { token: Token; balance: bigint | null }[] // null: the token does not say
  jobs: {
    job: number
    token: Token
    view: JobView
    roles: ('sponsor' | 'trainer' | 'validator')[]
    trainer: TrainerView | null
    validator: ValidatorView | null
    rest: bigint // the sponsor's, claimable
    earnings: Earning[]
  }[]
}
