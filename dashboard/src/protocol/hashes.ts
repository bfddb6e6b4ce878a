// Hashes, as hansa/protocol/hashes.py: cycle ids, seeds, accumulators, results, votes.

import type { Address, Hex } from 'viem'
import { concat, encodeAbiParameters, keccak256, numberToHex, parseAbiParameters } from 'viem/utils'

const LOW_128 = (1n << 128n) - 1n
const COUNTER_BITS = 23n
const MAKE = /* @__PURE__ */ parseAbiParameters('bytes32, bytes32, uint256')
const SEED = /* @__PURE__ */ parseAbiParameters('bytes32, uint256, bytes32')
const SHEETS = /* @__PURE__ */ parseAbiParameters('bytes32, uint256, bytes32, bytes32')
const SEALED = /* @__PURE__ */ parseAbiParameters('bytes32, uint256')
const RESULT = /* @__PURE__ */ parseAbiParameters('uint256, address, uint256, uint64, uint128, bytes32, bytes32, bytes32')

/** Id of a job's counter-th opened cycle, from 1. */
export function makeCycle(prevResult: Hex, seed: Hex, counter: number, everybody: boolean): bigint {
  const history = BigInt(keccak256(encodeAbiParameters(MAKE, [prevResult, seed, BigInt(counter)]))) & ((1n << 40n) - 1n)
  return (((history << COUNTER_BITS) | BigInt(counter)) << 1n) | (everybody ? 1n : 0n)
}

export const cycleCounter = (cycle: bigint): number => Number((cycle >> 1n) & ((1n << COUNTER_BITS) - 1n))

export const everybodyDue = (cycle: bigint): boolean => (cycle & 1n) === 1n

export function cycleSeed(prevSheets: Hex, prevUpdates: bigint, parentHash: Hex): Hex {
  return keccak256(encodeAbiParameters(SEED, [prevSheets, prevUpdates, parentHash]))
}

/** Accumulator of a cycle's updates before the first; never 0. */
export const updatesStart = (seed: Hex): bigint => (BigInt(seed) & LOW_128) | 1n

export function updatesAcc(acc: bigint, trainer: Address, digest: Hex): bigint {
  return BigInt(keccak256(concat([numberToHex(acc, { size: 16 }), trainer, digest]))) & LOW_128
}

export function sheetsAcc(acc: Hex, seat: number, sheet: Hex, salt: Hex): Hex {
  return keccak256(encodeAbiParameters(SHEETS, [acc, BigInt(seat), keccak256(sheet), salt]))
}

/** Where something is committed to or voted on. */
export interface Place {
  chainId: number
  federation: Address
  job: bigint
  cycle: bigint
}

/** What a cycle's vote is about. */
export function resultHash({ chainId, federation, job, cycle }: Place, updates: bigint, sheets: Hex, model: Hex, rewards: Hex): Hex {
  return keccak256(encodeAbiParameters(RESULT, [BigInt(chainId), federation, job, cycle, updates, sheets, model, rewards]))
}

/** A seat's vote for a result hash, 192 bits. */
export function sealedVote(result: Hex, seat: number): bigint {
  return BigInt(keccak256(encodeAbiParameters(SEALED, [result, BigInt(seat)]))) & ((1n << 192n) - 1n)
}
