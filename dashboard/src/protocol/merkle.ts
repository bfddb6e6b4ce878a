// Rewards of a round as a Merkle tree, as hansa/protocol/merkle.py; equal to OpenZeppelin's StandardMerkleTree.

import type { Address, Hex } from 'viem'
import { concat, keccak256 } from 'viem/utils'

const WORD = 64 // hexadecimal digits

/** What one round owes one trainer. */
export interface Leaf {
  trainer: Address
  pay: bigint
  strike: boolean
  reputation: number
}

/** The tree over one leaf for each enrolled trainer; the order of `leaves` does not matter. */
export class RewardsTree {
  private readonly nodes: Hex[]

  constructor(private readonly leaves: readonly Leaf[]) {
    this.nodes = build(leaves.map(leafHash).sort())
  }

  get root(): Hex {
    return node(this.nodes, 0)
  }

  /** Throws RangeError if the trainer has none. */
  leaf(trainer: Address): Leaf {
    const found = this.leaves.find((each) => each.trainer === trainer)
    if (!found) throw new RangeError(`${trainer} has no leaf`)
    return found
  }

  /** Siblings from the trainer's leaf to the root. Throws RangeError if the trainer has no leaf. */
  proof(trainer: Address): Hex[] {
    const path: Hex[] = []
    for (let i = this.nodes.indexOf(leafHash(this.leaf(trainer))); i > 0; i = (i - 1) >> 1) path.push(node(this.nodes, i % 2 ? i + 1 : i - 1))
    return path
  }
}

export function leafHash({ trainer, pay, strike, reputation }: Leaf): Hex {
  const words = [trainer.slice(2).toLowerCase(), pay.toString(16), strike ? '1' : '0', reputation.toString(16)]
  return keccak256(keccak256(`0x${words.map((word) => word.padStart(WORD, '0')).join('')}`, 'bytes'))
}

/** All nodes, root first, over sorted leaf hashes. Throws RangeError where there is no leaf. */
function build(hashes: readonly Hex[]): Hex[] {
  if (!hashes.length) throw new RangeError('a tree needs a leaf')
  const nodes = [...Array<Hex>(hashes.length - 1).fill('0x'), ...[...hashes].reverse()]
  for (let i = hashes.length - 2; i >= 0; i--) nodes[i] = parent(node(nodes, 2 * i + 1), node(nodes, 2 * i + 2))
  return nodes
}

function parent(a: Hex, b: Hex): Hex {
  return keccak256(a < b ? concat([a, b]) : concat([b, a]))
}

function node(nodes: readonly Hex[], i: number): Hex {
  const found = nodes[i]
  if (!found) throw new RangeError(`the tree has no node ${i}`)
  return found
}
