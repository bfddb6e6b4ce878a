// Rewards of a round as a Merkle tree, equal to OpenZeppelin's StandardMerkleTree and hansa/protocol/merkle.py.

import { concat, keccak256 } from 'viem/utils'
import type { Address, Hex } from 'viem'

const WORD = 64 // hexadecimal digits

/** What one round owes one trainer. */
export interface Leaf {
  trainer: Address
  pay: bigint
  strike: boolean
  reputation: number
}

export function leafHash({ trainer, pay, strike, reputation }: Leaf): Hex {
  const words = [trainer.slice(2).toLowerCase(), pay.toString(16), strike ? '1' : '0', reputation.toString(16)]
  return keccak256(keccak256(`0x${words.map((word) => word.padStart(WORD, '0')).join('')}`, 'bytes'))
}

/** All nodes, root first. Throws RangeError where there is no leaf. */
export function treeOf(leaves: readonly Leaf[]): Hex[] {
  if (!leaves.length) throw new RangeError('a tree needs a leaf')
  const hashes = leaves.map(leafHash).sort().reverse()
  const nodes = [...Array<Hex>(hashes.length - 1).fill('0x'), ...hashes]
  for (let i = hashes.length - 2; i >= 0; i--) nodes[i] = parent(node(nodes, 2 * i + 1), node(nodes, 2 * i + 2))
  return nodes
}

export const rootOf = (nodes: readonly Hex[]): Hex => node(nodes, 0)

/** Siblings from a leaf to the root. Throws RangeError for a leaf that is not in the tree. */
export function proofOf(nodes: readonly Hex[], leaf: Leaf): Hex[] {
  let i = nodes.indexOf(leafHash(leaf))
  if (i < 0) throw new RangeError(`${leaf.trainer} has no such leaf`)
  const path: Hex[] = []
  for (; i > 0; i = (i - 1) >> 1) path.push(node(nodes, i % 2 ? i + 1 : i - 1))
  return path
}

function parent(a: Hex, b: Hex): Hex {
  return keccak256(a < b ? concat([a, b]) : concat([b, a]))
}

function node(nodes: readonly Hex[], i: number): Hex {
  const found = nodes[i]
  if (!found) throw new RangeError(`the tree has no node ${i}`)
  return found
}
