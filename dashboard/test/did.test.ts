import { expect, test } from 'vitest'
import { didParts, type Change } from '../src/protocol/did'
import { read } from './vectors'

const { account, now, cases } = read('did')

test.for(cases as any[])('$what: owner, delegates and keys are those that Python finds', ({ changes, owner, delegates, keys }) => {
  const read = changes.map(({ validTo, ...rest }: any) => (validTo === undefined ? rest : { ...rest, validTo: BigInt(validTo) })) as Change[]
  const found = didParts(account, read, now)
  expect(found.owner).toBe(owner)
  expect(found.delegates.map((each) => each.account)).toEqual(delegates)
  expect(found.keys).toEqual(keys)
})

test('what is no encryption key of Hansa’s is counted', () => {
  const { changes } = cases.find(({ what }: any) => what === 'keys of other kinds')
  expect(didParts(account, changes.map((each: any) => ({ ...each, validTo: BigInt(each.validTo) })), now).others).toBe(4)
})
