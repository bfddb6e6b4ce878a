// What a file that was fetched and hashed is, from its first bytes.

import { decodeSpec, MAX_BYTES } from '../protocol/spec'

export type Kind = 'model' | 'update' | 'spec' | 'other'

const SEALED = 'hansa1'
const LONGEST_HEADER = 1 << 20 // bytes looked at

export function kindOf(data: Uint8Array): Kind {
  if (text(data, 0, SEALED.length) === SEALED) return 'update'
  if (isModel(data)) return 'model'
  try {
    if (data.length <= MAX_BYTES && decodeSpec(data)) return 'spec'
  } catch {
    return 'other'
  }
  return 'other'
}

/** A safetensors file whose metadata name a parent. */
function isModel(data: Uint8Array): boolean {
  if (data.length < 8) return false
  const length = Number(new DataView(data.buffer, data.byteOffset).getBigUint64(0, true))
  if (length > Math.min(LONGEST_HEADER, data.length - 8)) return false
  try {
    const { __metadata__: facts } = JSON.parse(text(data, 8, length)) as { __metadata__?: object }
    return typeof facts === 'object' && 'parent' in facts
  } catch {
    return false
  }
}

const text = (data: Uint8Array, at: number, length: number): string => new TextDecoder().decode(data.subarray(at, at + length))
