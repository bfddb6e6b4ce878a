// What an identity's events say of who acts for it and of its keys: the parts of hansa/protocol/did.py that the page shows.

import type { Address, Hex } from 'viem'
import { hexToBytes } from 'viem/utils'

export type Change =
  | { kind: 'owner'; owner: Address }
  | { kind: 'delegate'; name: Hex; delegate: Address; validTo: bigint }
  | { kind: 'attribute'; name: Hex; value: Hex; validTo: bigint }

export interface DidParts {
  owner: Address | null // null: given up for good, and nothing counts any more
  delegates: { account: Address; may: string; until: bigint }[] // who signs for it
  keys: Hex[] // X25519, oldest first, that messages may be sealed to
  others: number // keys and services of other kinds
}

export const KEY_NAME = 'did/pub/X25519/enc/base64'
const NOBODY = /^0x0{40}$/
const SIGNS = ['sigAuth', 'veriKey']

/** changes: all of the identity's, oldest first. now: seconds. */
export function didParts(account: Address, changes: readonly Change[], now: number): DidParts {
  let owner = account
  const valid = new Map<string, { name: string; change: Exclude<Change, { kind: 'owner' }> }>() // those taken out and set again are the newest
  for (const change of changes) {
    if (change.kind === 'owner') {
      owner = change.owner
      if (NOBODY.test(owner)) return { owner: null, delegates: [], keys: [], others: 0 }
      continue
    }
    const name = textOf(change.name)
    if (name === null) continue // what isn't text says nothing
    const key = JSON.stringify([name, change.kind, change.kind === 'delegate' ? change.delegate : change.value])
    if (change.validTo > BigInt(now)) valid.set(key, { name, change })
    else valid.delete(key)
  }
  const all = [...valid.values()]
  const delegates = all.flatMap(({ name, change }) => (change.kind === 'delegate' && SIGNS.includes(name) ? [{ account: change.delegate, may: name, until: change.validTo }] : []))
  const attributes = all.flatMap(({ name, change }) => (change.kind === 'attribute' && /^did\/(pub|svc)\/\w+(\/\w+){0,2}$/.test(name) ? [{ name, value: change.value }] : []))
  const keys = attributes.filter(({ name }) => name === KEY_NAME).map(({ value }) => value)
  return { owner, delegates, keys, others: attributes.length - keys.length }
}

/** The text of 32 bytes that end with zeros; null where they are none. */
function textOf(word: Hex): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(hexToBytes(word)).replace(/\0+$/, '')
  } catch {
    return null
  }
}
