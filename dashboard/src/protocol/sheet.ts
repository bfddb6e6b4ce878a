// Score sheets, as hansa/protocol/sheet.py reads them: code u8, gain and news as big-endian signed 48 bits each.

import type { Hex } from 'viem'
import { hexToBytes } from 'viem/utils'

export const ENTRY_BYTES = 13
export const LIMIT = 2n ** 40n // largest gain or news, 1e-9

export const Code = { OK: 0, UNREACHABLE: 1, MALFORMED: 2, ZERO: 3, DUPLICATE: 4 } as const
export type Code = (typeof Code)[keyof typeof Code]
export const CODES = Object.values(Code)

export interface Entry {
  code: Code
  gain: bigint
  news: bigint
}

/** Throws RangeError for another length than n entries'; what is left is settled here, alike for every reader. */
export function decodeSheet(sheet: Hex, n: number): Entry[] {
  const data = hexToBytes(sheet)
  if (data.length !== ENTRY_BYTES * n) throw new RangeError(`score sheet: ${data.length} bytes for ${n} updates, not ${ENTRY_BYTES * n}`)
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  return Array.from({ length: n }, (_, i) => entryAt(view, i * ENTRY_BYTES))
}

function entryAt(view: DataView, offset: number): Entry {
  const code = CODES.find((known) => known === view.getUint8(offset)) ?? Code.UNREACHABLE
  if (code !== Code.OK) return { code, gain: 0n, news: 0n }
  return { code, gain: signed48(view, offset + 1), news: signed48(view, offset + 7) }
}

function signed48(view: DataView, offset: number): bigint {
  const value = (BigInt(view.getInt16(offset)) << 32n) | BigInt(view.getUint32(offset + 2))
  return value > LIMIT ? LIMIT : value < -LIMIT ? -LIMIT : value
}
