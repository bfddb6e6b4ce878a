// Score sheets, as hansa/protocol/sheet.py: code u8, gain and news as big-endian signed 48 bits each.

import type { Address, Hex } from 'viem'
import { encodeAbiParameters, hexToBytes, keccak256 } from 'viem/utils'
import type { Place } from './hashes'
import { parameters } from './parameters'

export const ENTRY_BYTES = 13
const LIMIT = 2n ** 40n // largest gain or news, 1e-9
export const NO_METRIC = -(2n ** 63n) // stands for a metric that is not finite
const COMMITMENT = parameters('uint256, address, uint256, uint64, address, bytes32, bytes32')

/** As in hansa/protocol/types.py. */
export const Code = { OK: 0, UNREACHABLE: 1, MALFORMED: 2, ZERO: 3, DUPLICATE: 4 } as const
export type Code = (typeof Code)[keyof typeof Code]
export const CODES = Object.values(Code)

/** Gain and news, 1e-9, of an update that is OK; of a DUPLICATE the place of the update that it repeats, and their cosine, 1e-9. */
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
  return Array.from({ length: n }, (_, i) => unpack(view, i * ENTRY_BYTES))
}

/** What `commitScores` binds a member to. */
export function commitment({ chainId, federation, job, cycle }: Place, member: Address, sheet: Hex, salt: Hex): Hex {
  return keccak256(encodeAbiParameters(COMMITMENT, [BigInt(chainId), federation, job, cycle, member, keccak256(sheet), salt]))
}

const clamp = (value: bigint): bigint => (value > LIMIT ? LIMIT : value < -LIMIT ? -LIMIT : value)

function unpack(view: DataView, offset: number): Entry {
  const code = CODES.find((known) => known === view.getUint8(offset)) ?? Code.UNREACHABLE
  if (code !== Code.OK && code !== Code.DUPLICATE) return { code, gain: 0n, news: 0n }
  return { code, gain: clamp(signed48(view, offset + 1)), news: clamp(signed48(view, offset + 7)) }
}

const signed48 = (view: DataView, offset: number): bigint => (BigInt(view.getInt16(offset)) << 32n) | BigInt(view.getUint32(offset + 2))
