import { expect, test } from 'vitest'
import { PHASE_NAMES } from '../src/protocol/phases'
import { parse } from '../src/ui/router'
import { STATES, stateOf } from '../src/ui/states'
import { titleOf } from '../src/ui/titles'

const ADDRESSES = ['0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC', '0x70997970C51812dc3A010C7d01b50e0d17dc79C8']
const CID = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKB2p9'
const PLACES = [
  '', ...[1, 2].flatMap((job) => ['', '/join', '/rounds', '/validators', '/money', '/terms', '/round/1', '/round/2'].map((part) => `job/${job}${part}`)),
  'accounts', 'account', ...ADDRESSES.map((address) => `account/${address}`), 'verify', `verify/${CID}`, 'post', 'how', 'nowhere',
  `tx/0x${'12'.repeat(32)}`, `tx/0x${'34'.repeat(32)}`, 'block/0', 'block/283',
]
const facts = { network: 'demo', job: { number: 2, title: 'Machine failures' } }

test('no two places have the same title', () => {
  const titles = PLACES.map((place) => titleOf(parse(`#/${place}`), facts))
  expect(new Set(titles).size).toBe(PLACES.length)
  expect(titles.filter((title) => !title.includes('Hansa'))).toEqual([])
})

test('a title says what, then where', () => {
  const titles = ['', 'job/2', 'job/2/round/31', 'job/1', `account/${ADDRESSES[0]}`].map((place) => titleOf(parse(`#/${place}`), facts))
  expect(titles).toEqual([
    'Hansa: jobs on demo', 'Machine failures · Job 2 · Hansa', 'Machine failures · Job 2 · Round 31 · Hansa', 'Job 1 · Hansa', 'Account 0x3C44…93BC · Hansa',
  ])
})

test('an account that has a name is called by it', () => {
  expect(titleOf(parse(`#/account/${ADDRESSES[0]}`), { ...facts, account: 'Rostock' })).toBe('Account Rostock · Hansa')
})

test('every phase has a state with a word and a shape', () => {
  expect(new Set(PHASE_NAMES.map((phase) => stateOf(phase)))).toEqual(new Set(Object.keys(STATES)))
  const words = Object.values(STATES).map(({ word }) => word)
  expect(new Set(words).size).toBe(words.length)
})
