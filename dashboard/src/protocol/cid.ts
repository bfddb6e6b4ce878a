// Content identifiers, as hansa/protocol/cid.py: CIDv0 of what `ipfs add` makes, in 256 KiB chunks and a tree of 174 links.

const CHUNK = 1 << 18 // bytes of a leaf
const LINKS = 174 // of a node
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const PREFIX = [0x12, 0x20] // multihash: sha2-256, 32 bytes

interface Block {
  digest: Uint8Array
  size: number // of the file's bytes below
  stored: number // of the blocks themselves, this one included
}

/** Digest of the CIDv0 that a file of these bytes has, and how many blocks it takes. */
export async function digestOf(data: Uint8Array): Promise<{ digest: Uint8Array; blocks: number }> {
  let level: Block[] = []
  for (let start = 0; start < Math.max(1, data.length); start += CHUNK) level.push(await leaf(data.subarray(start, start + CHUNK)))
  let blocks = level.length
  while (level.length > 1) {
    const above: Block[] = []
    for (let i = 0; i < level.length; i += LINKS) above.push(await node(level.slice(i, i + LINKS)))
    blocks += above.length
    level = above
  }
  const [root] = level
  if (!root) throw new RangeError('a file has a root')
  return { digest: root.digest, blocks }
}

/** CIDv0 ('Qm…') of a 32-byte digest. */
export function toCid(digest: Uint8Array): string {
  if (digest.length !== 32) throw new RangeError(`a digest has 32 bytes, not ${digest.length}`)
  let number = [...PREFIX, ...digest].reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  let text = ''
  for (; number; number /= 58n) text = ALPHABET.charAt(Number(number % 58n)) + text
  return text
}

/** Whether a text has a CIDv0's form. */
export const isCid = (text: string): boolean => /^Qm[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)

/** Digest of a CIDv0; throws RangeError for anything else. */
export function fromCid(text: string): Uint8Array {
  const values = [...text.slice(0, 47)].map((letter) => ALPHABET.indexOf(letter))
  const number = values.reduce((value, each) => value * 58n + BigInt(each), 0n)
  if (text.length !== 46 || values.includes(-1) || number >> 256n !== 0x1220n) throw new RangeError(`${JSON.stringify(text.slice(0, 64))} is no CIDv0`)
  return Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * (31 - i))) & 255n))
}

async function leaf(data: Uint8Array): Promise<Block> {
  const content = data.length ? field(2, data) : []
  return stored([], concat([8, 2], ...content, [24], varint(data.length)), data.length, 0)
}

async function node(children: readonly Block[]): Promise<Block> {
  const size = children.reduce((total, child) => total + child.size, 0)
  const sizes = children.flatMap((child) => [[32], varint(child.size)])
  const below = children.reduce((total, child) => total + child.stored, 0)
  const links = children.flatMap((child) => field(2, link(child)))
  return stored(links, concat([8, 2, 24], varint(size), ...sizes), size, below)
}

function link(child: Block): Uint8Array {
  return concat(...field(1, concat(PREFIX, child.digest)), [18, 0, 24], varint(child.stored))
}

async function stored(links: readonly ArrayLike<number>[], data: Uint8Array, size: number, below: number): Promise<Block> {
  const bytes = concat(...links, ...field(1, data))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return { digest, size, stored: bytes.length + below }
}

/** A protobuf field of bytes. */
function field(number: number, data: Uint8Array): ArrayLike<number>[] {
  return [[(number << 3) | 2], varint(data.length), data]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128)
  return [...bytes, value]
}

function concat(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
