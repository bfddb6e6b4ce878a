// Names of accounts: what a book takes, what it refuses, and where the header's field leads.

import { expect, test } from 'vitest'
import type { Address } from 'viem'
import { placeOf } from '../src/ui/find'
import { defaults, exported, imported, looks, renamed, type Book } from '../src/view/book'

const [A, B, C]: Address[] = ['0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC', '0x70997970C51812dc3A010C7d01b50e0d17dc79C8', '0x90F79bf6EB2c4f870365E785982E1f101E93b906']
const BOOK: Book = new Map([[A!, 'Rostock'], [B!, 'Lübeck']])
const file = (names: object) => JSON.stringify(names)
const refused = (name: string) => () => renamed(BOOK, C!, name)

test('a name is given, changed and taken away', () => {
  const given = renamed(BOOK, C!, '  Gdańsk ')
  expect(given.get(C!)).toBe('Gdańsk')
  expect(renamed(given, A!, 'rostock').get(A!)).toBe('rostock')
  expect([...renamed(given, A!, ' ')]).toEqual([[B, 'Lübeck'], [C, 'Gdańsk']])
  expect([...BOOK]).toHaveLength(2)
})

test.for(['Rostock', 'rostock', 'ROSTOCK', 'R o s t o c k', 'Rоstосk', 'Rost0ck', 'Ｒostock', '𝐑ostock', 'Róstöck', 'Lubeck', 'Lϋbeck'])('%s looks like a name that is taken', (name) => {
  expect(refused(name)).toThrow(/looks like “(Rostock|Lübeck)”.*two accounts can’t share one/)
})

test.for([['l', 'I'], ['trainer-1', 'trainer–l'], ['modern', 'modem'], ['СОР', 'cop'], ['ΑΒΒΑ', 'abba'], ['vv', 'w']])('%s and %s look alike', ([one, other]) => {
  expect(looks(one!)).toBe(looks(other!))
})

test.for(['trainer-1', 'trainer-2', 'Rostock', 'Росток', 'Ροδόκη', '罗斯托克', 'कि', 'की'])('%s looks like itself alone', (name, { task }) => {
  expect(task.name).toContain(name)
  expect(renamed(BOOK, C!, name === 'Rostock' ? 'Rostock 2' : name).size).toBe(3)
})

test('what cannot be seen, is too long or is called otherwise is refused with a sentence', () => {
  for (const name of ['Ro\u202estock', 'a\u200bb', 'a\nb', 'a\u0000', 'a\u00a0b', '\u2800', 'x\u0300\u0301\u0302\u0303\u0304']) expect(refused(name)).toThrow('A name has only characters that can be seen.')
  for (const name of ['x'.repeat(41), 'x'.repeat(10_240), '😀'.repeat(41)]) expect(refused(name)).toThrow('A name has at most 40 characters.')
  expect(renamed(BOOK, C!, '😀'.repeat(40)).size).toBe(3)
  for (const name of ['12', '#12', '0x3C44…93BC', 'QmYwAP']) expect(refused(name)).toThrow('is how a job, an account or a file is called')
  expect(renamed(BOOK, C!, '<script>alert(1)</script>').get(C!)).toBe('<script>alert(1)</script>') // text, wherever it stands
})

test('export, then import, gives the same', () => {
  const book = renamed(BOOK, C!, '<b>"Gdańsk" \\ \'</b>')
  expect([...imported(exported(book))]).toEqual([...book])
  expect([...imported(exported(book), book)]).toEqual([...book])
})

test('a file adds to the book and replaces its names; lower-case addresses are the same accounts', () => {
  const book = imported(file({ [A!.toLowerCase()]: 'Stralsund', [C!]: 'Rostock' }), BOOK)
  expect(Object.fromEntries(book)).toEqual({ [A!]: 'Stralsund', [B!]: 'Lübeck', [C!]: 'Rostock' })
})

test.for(['', 'names', '[]', 'null', '3', '"0x"', '[["0x", "a"]]', file({ names: { [A!]: 'a' } }), file({ [A!]: 3 }), file({ [A!]: null }), file({ [A!]: { name: 'a' } }), file({ Rostock: A }), '{"__proto__": "a"}', file({ [A!.replace('C44C', 'c44C')]: 'a' }), ' '.repeat(200_001)])(
  'a file of another schema is refused: %s', (text) => {
    expect(() => imported(text, BOOK)).toThrow('This is no book of names')
    expect(() => defaults(text, BOOK)).toThrow('This is no book of names')
  },
)

test('of a file with one bad name, nothing is taken', () => {
  expect(() => imported(file({ [C!]: 'Visby', [A!]: 'a\u202e' }), BOOK)).toThrow('can be seen')
  expect(() => imported(file({ [C!]: 'Visby', [A!]: 'visby' }))).toThrow('looks like “Visby”')
  expect(() => imported(file({ [C!]: 'lubeck' }), BOOK)).toThrow('looks like “Lübeck”')
})

test('a thousand names are read at once; more are refused', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`0x${String(i).padStart(40, '0')}`, `name ${i} of many`]))
  const start = performance.now()
  expect(imported(file(many(1000))).size).toBeGreaterThan(0)
  expect(performance.now() - start).toBeLessThan(5_000)
  expect(() => imported(file(many(1001)))).toThrow('at most 1000 names')
})

test('of what the dashboard brings, names that the book has, its accounts and what nobody can see are passed over', () => {
  const brought = file({ [A!]: 'trainer-1', [C!]: 'trainer-2', [`0x${'1'.repeat(40)}`]: 'rostock', [`0x${'2'.repeat(40)}`]: 'x\u202e', [`0x${'3'.repeat(40)}`]: 'TRAINER-2' })
  expect([...defaults(brought, BOOK)]).toEqual([[C, 'trainer-2']])
})

const HASH = 'ab'.repeat(32)

test.for([
  ['2', '#/job/2'], ['#12', '#/job/12'], [' 007 ', '#/job/7'], [A!, `#/account/${A}`], [A!.slice(2), `#/account/${A}`], [`0x${'1'.repeat(40)}`, `#/account/0x${'1'.repeat(40)}`],
  ['1'.repeat(40), `#/account/0x${'1'.repeat(40)}`], [`0X${HASH}`, `#/tx/0x${HASH}`], [HASH, `#/tx/0x${HASH}`],
  ['QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKB2p9', '#/verify/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKB2p9'],
  ['rostock', `#/account/${A}`], ['Lubeck', `#/account/${B}`],
])('%s leads to %s', ([text, place]) => {
  expect(placeOf(text!, BOOK)).toBe(place)
})

test.for(['', ' ', '0', '0x', '0x12', 'Visby', '-1', '1.5', '1e3', '9999999999', '../post', 'x'.repeat(10_240), '\u202e', '<script>', 'javascript:alert(1)'])('nothing is called %s', (text) => {
  expect(placeOf(text, BOOK)).toBe(null)
})
