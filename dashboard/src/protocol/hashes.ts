// Hashes, as hansa/protocol/hashes.py: cycle ids, draws, accumulators, results, votes.

import type { Address, Hex } from 'viem'
import { concat, encodeAbiParameters, keccak256, numberToHex } from 'viem/utils'
import { parameters } from './parameters'

const SEED_BITS = 40n
const COUNTER_BITS = 23n
const LOW_128 = (1n << 128n) - 1n
const DRAW = parameters('uint256, address, uint256, bytes32, uint128, bytes32')
const ACT = parameters('bytes32, uint256, bytes32')
const SHEETS = parameters('bytes32, uint256, bytes32, bytes32')
const SEALED = parameters('bytes32, uint256')
const RESULT = parameters('uint256, address, uint256, uint64, uint128, bytes32, bytes32, bytes32')

/** Id of a job's counter-th opened cycle, from 1: the seed's low 40 bits, the counter, and one bit. */
export function makeCycle(seed: Hex, counter: number, everybody: boolean): bigint {
  const low = BigInt(seed) & ((1n << SEED_BITS) - 1n)
  return (((low << COUNTER_BITS) | BigInt(counter)) << 1n) | (everybody ? 1n : 0n)
}

export const cycleCounter = (cycle: bigint): number => Number((cycle >> 1n) & ((1n << COUNTER_BITS) - 1n))

export const everybodyDue = (cycle: bigint): boolean => (cycle & 1n) === 1n

/** Whose job something is of. */
export interface Site {
  chainId: number
  federation: Address
  job: bigint
}

/** Where something is committed to or voted on. */
export interface Place extends Site {
  cycle: bigint
}

/** What a committee is drawn by: accumulators as the last opened cycle left them (0 in cycle 1), and what no party
 * chose (prevrandao, or the parent's block hash). */
export function draw({ chainId, federation, job }: Site, sheets: Hex, updates: bigint, randomness: Hex): Hex {
  return keccak256(encodeAbiParameters(DRAW, [BigInt(chainId), federation, job, sheets, updates, randomness]))
}

/** Accumulator of a cycle's updates before the first; never 0. */
export const updatesStart = (seed: Hex): bigint => (BigInt(seed) & LOW_128) | 1n

export function updatesAcc(acc: bigint, trainer: Address, digest: Hex): bigint {
  return BigInt(keccak256(concat([numberToHex(acc, { size: 16 }), trainer, digest]))) & LOW_128
}

/** Accumulator `sheets` after one more attestation; it starts at the cycle's seed. */
export function attestsAcc(acc: Hex, seat: number, bitmap: Hex): Hex {
  return keccak256(encodeAbiParameters(ACT, [acc, BigInt(seat), keccak256(bitmap)]))
}

/** Accumulator `sheets` after one more release of shares. */
export function releasesAcc(acc: Hex, seat: number, digest: Hex): Hex {
  return keccak256(encodeAbiParameters(ACT, [acc, BigInt(seat), digest]))
}

/** Accumulator `sheets` after one more revealed sheet. */
export function sheetsAcc(acc: Hex, seat: number, sheet: Hex, salt: Hex): Hex {
  return keccak256(encodeAbiParameters(SHEETS, [acc, BigInt(seat), keccak256(sheet), salt]))
}

/** What a cycle's vote is about. */
export function resultHash({ chainId, federation, job, cycle }: Place, updates: bigint, sheets: Hex, model: Hex, rewards: Hex): Hex {
  return keccak256(encodeAbiParameters(RESULT, [BigInt(chainId), federation, job, cycle, updates, sheets, model, rewards]))
}

/** A seat's vote for a result hash, 192 bits. */
export function sealedVote(result: Hex, seat: number): bigint {
  return BigInt(keccak256(encodeAbiParameters(SEALED, [result, BigInt(seat)]))) & ((1n << 192n) - 1n)
}
