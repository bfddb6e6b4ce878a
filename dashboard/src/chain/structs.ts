// What the contracts hold, as the ABI decodes it: the structs of IFederation and IVault, as hansa/runtime/chain/structs.py.

import type { Address, Hex } from 'viem'
import { encodeAbiParameters, keccak256 } from 'viem/utils'
import type { PhaseName, PhaseTime, SeatBits } from '../protocol/phases'
import { federationAbi, outputOf } from './abi'

export const NO_TARGET = 2n ** 63n - 1n // a metric that no job reaches

/** Times are seconds, digests not CIDs yet; failureBurn: basis points of a full round. */
export interface JobTerms extends Readonly<Record<PhaseTime, number>> {
  token: Address; committee: Address; admission: Address; recheckAdmission: boolean; keepCommittee: boolean; spec: Hex; model: Hex
  rewardPerRound: bigint; feePerSeat: bigint; minBond: bigint; strikePenalty: bigint; targetMetric: bigint
  claimTime: number; slashTime: number; maxTrainers: number; minUpdates: number; maxRounds: number; patience: number
  failureBurn: number; maxFailures: number; seats: number; quorum: number; threshold: number
}

export interface JobState extends Readonly<Record<SeatBits, number>> {
  phase: PhaseName; sponsor: Address; cycle: bigint; deadline: number; openedAt: number; endedAt: number; round: number
  enrolled: number; submitted: number; pending: number; stale: number; failures: number
  stopping: boolean; rejoining: boolean; committeeKept: boolean; bestMetric: bigint
  updates: bigint; sheets: Hex; history: Hex; committee: readonly Address[]; matched: readonly bigint[]
}

/** keccak256(abi.encode(terms, escrow, sponsor)), what `enrol` agrees to. */
export function termsHash(terms: JobTerms, escrow: bigint, sponsor: Address): Hex {
  return keccak256(encodeAbiParameters([outputOf(federationAbi, 'termsOf'), { type: 'uint256' }, { type: 'address' }], [terms, escrow, sponsor]))
}

export interface Books {
  token: Address; sponsor: Address; endedAt: number; claimUntil: number; slashUntil: number
  escrowed: bigint; left: bigint; booked: bigint; paid: bigint; burnt: bigint; burnSent: bigint; refunded: bigint
  bonded: bigint; forfeited: bigint
}
