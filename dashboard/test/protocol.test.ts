import { bytesToHex } from 'viem/utils'
import { expect, test } from 'vitest'
import { digestOf, fromCid, toCid } from '../src/protocol/cid'
import { floorDiv, measurementMedian } from '../src/protocol/exact'
import { leafHash, RewardsTree } from '../src/protocol/merkle'
import { decodeSpec } from '../src/protocol/spec'
import { decodeSheet } from '../src/protocol/sheet'
import { tally } from '../src/protocol/tally'
import { read } from './vectors'

const VECTORS = read('protocol')

test('floorDiv rounds towards −∞', () => {
  expect([floorDiv(-7n, 2n), floorDiv(7n, -2n), floorDiv(-6n, 2n), floorDiv(7n, 2n)]).toEqual([-4n, -4n, -3n, 3n])
})

test('of two middle measurements the one nearer 0, the lower of −v and v', () => {
  expect([measurementMedian([-5n, 2n]), measurementMedian([3n, -3n]), measurementMedian([9n, 1n, 4n])]).toEqual([2n, -3n, 4n])
})

test.for(VECTORS.sheet_bytes as any[])('sheet $bytes', ({ bytes, read: entries }) => {
  const expected = entries.map(([code, gain, news]: any) => ({ code, gain: BigInt(gain), news: BigInt(news) }))
  expect(decodeSheet(bytes, entries.length)).toEqual(expected)
  expect(() => decodeSheet(bytes, entries.length + 1)).toThrow(RangeError)
})

test.for(VECTORS.tallies as any[])('tally of $sheets for $seats seats', ({ seats, sheets, own, judged }) => {
  const counted = sheets.map((sheet: any, i: number) => decodeSheet(sheet, 2).map((entry, place) => (place === own[i] ? null : entry)))
  expect(tally(counted, seats, 2)).toEqual(judged.map(([code, gain, news]: any) => ({ code, gain: BigInt(gain), news: BigInt(news) })))
})

test.for(VECTORS.rewards as any[])('rewards $root', ({ root, leaves }) => {
  const read = leaves.map((leaf: any) => ({ ...leaf, pay: BigInt(leaf.pay), strike: leaf.strike === 1 }))
  const tree = new RewardsTree(read)
  expect(tree.root).toBe(root)
  expect(read.map(leafHash)).toEqual(leaves.map((leaf: any) => leaf.hash))
  expect(read.map((leaf: any) => tree.proof(leaf.trainer))).toEqual(leaves.map((leaf: any) => leaf.proof))
})

test.for(VECTORS.cids as any[])('CID of $length bytes', async ({ text, length, cid, digest }) => {
  const pattern = new TextEncoder().encode(text)
  const data = new Uint8Array(length)
  for (let i = 0; i < length; i++) data[i] = pattern[i % pattern.length] ?? 0
  expect(toCid((await digestOf(data)).digest)).toBe(cid)
  expect(bytesToHex(fromCid(cid))).toBe(digest)
})

test.each(['', 'Qm', 'bafy', '0'.repeat(46), '1'.repeat(46)])('%j is no CIDv0', (text) => {
  expect(() => fromCid(text)).toThrow(RangeError)
})

test('specs of both versions', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const { version, title, about, metric, frozen } = decodeSpec(bytes(VECTORS.spec.text))
  expect({ version, title, about, metric, frozen }).toEqual({
    version: 2, title: 'Beats, é', about: 'Three hospitals', metric: 'accuracy', frozen: { encoder: 'ab'.repeat(32) },
  })
  expect(decodeSpec(bytes(VECTORS.spec.version_1))).toMatchObject({ version: 1, title: '', about: '', metric: null, frozen: {} })
})

test.for([
  ['version', 3], ['title', null], ['metric', 1], ['frozen', []], ['frozen', { encoder: 1 }], ['privacy', 'open'], ['group', '3'], ['shares', null], ['validation', 'public'],
  ['validation_set', 'x'], ['title', undefined],
] as [string, unknown][])('a spec whose %s is %o is refused by name', ([name, value]) => {
  const text = JSON.stringify({ ...JSON.parse(VECTORS.spec.text), [name]: value })
  expect(() => decodeSpec(new TextEncoder().encode(text))).toThrow(`the job spec's ${name}`)
})
