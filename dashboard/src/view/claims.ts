// What can be claimed, and until when; all rounds of a trainer in one call of the vault.

import type { Address, Hex } from 'viem'
import { encodeFunctionData } from 'viem/utils'
import { vaultAbi } from '../chain/abi'
import type { Books } from '../chain/structs'
import type { JobView } from './model'
import type { Replayed } from './replay'

export interface ClaimCall {
  to: Address
  data: Hex
  total: bigint
  rounds: number[]
}

/** Whether pay and fees can still be claimed. */
export const claimsOpen = (books: Books, now: number): boolean => !books.claimUntil || now < books.claimUntil

/** claimed: rounds that the vault has marked already. No rounds: nothing to claim. */
export function claimCall(vault: Address, view: JobView, replayed: readonly Replayed[], trainer: Address, claimed: ReadonlySet<number>): ClaimCall {
  const due = (view.trainers.find((each) => each.address === trainer)?.claimable ?? []).filter(({ round }) => !claimed.has(round))
  const claims = due.map(({ round }) => {
    const tree = replayed[round - 1]?.tree
    if (!tree) throw new RangeError(`round ${round} has no ledger`)
    const { pay, strike, reputation } = tree.leaf(trainer)
    return { round, leaf: { pay, strike: strike ? 1n : 0n, reputation: BigInt(reputation) }, proof: tree.proof(trainer) }
  })
  const data = encodeFunctionData({ abi: vaultAbi, functionName: 'claim', args: [BigInt(view.job), trainer, claims] })
  return { to: vault, data, total: due.reduce((sum, { amount }) => sum + amount, 0n), rounds: due.map(({ round }) => round) }
}
