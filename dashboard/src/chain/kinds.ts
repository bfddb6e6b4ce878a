// Which of our contracts stands at an address that anybody may have named: by its code, as hansa/runtime/chain/bytecode.py.

import { KINDS } from 'virtual:deciders'
import type { Address, Hex } from 'viem'
import { isHex, keccak256, numberToHex } from 'viem/utils'
import { nonsense, type Chain } from './client'

const WORD = 64 // hexadecimal digits of an immutable's value

/** Its name; null where it is none of ours. */
export function kindOf(code: Hex): string | null {
  const size = (code.length - 2) / 2
  return KINDS.find((kind) => kind.size === size && keccak256(emptied(code.toLowerCase(), kind.gaps)) === kind.hash)?.name ?? null
}

const known = new WeakMap<Chain, Map<Address, Promise<string | null>>>()

/** Asked once: code stays. */
export function kindAt(chain: Chain, address: Address, at: number): Promise<string | null> {
  const kept = known.get(chain) ?? new Map<Address, Promise<string | null>>()
  known.set(chain, kept)
  const found = kept.get(address) ?? readKind(chain, address, at)
  kept.set(address, found)
  found.catch(() => kept.delete(address))
  return found
}

async function readKind(chain: Chain, address: Address, at: number): Promise<string | null> {
  const code = await chain.ask('eth_getCode', [address, numberToHex(at)])
  if (!isHex(code) || code.length % 2) throw nonsense('eth_getCode', code)
  return kindOf(code)
}

/** The code with zeros for the values of its immutables; nothing where one of them has two values. */
function emptied(code: string, gaps: readonly (readonly number[])[]): Hex {
  let rest = code
  for (const places of gaps) {
    const starts = places.map((place) => 2 + 2 * place)
    if (new Set(starts.map((start) => code.slice(start, start + WORD))).size > 1) return '0x'
    for (const start of starts) rest = rest.slice(0, start) + '0'.repeat(WORD) + rest.slice(start + WORD)
  }
  return rest as Hex
}
