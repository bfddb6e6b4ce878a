// Names that a reader gives to accounts, and those that `hansa dashboard` brings: checked before anything shows them.

import type { Address } from 'viem'
import { getAddress, isAddress } from 'viem/utils'
import { escapeUntrusted } from '../protocol/text'

export type Book = ReadonlyMap<Address, string>

const LONGEST = 40 // characters of a name
const MOST = 1000 // names
const LARGEST = 200_000 // characters of a file
const HEAPED = /\p{M}{4}/u // marks upon marks, which run into the lines above
const OTHERS = /^(#?\d+|(0x|qm).*)$/i // what a job, an account, a transaction or a file is called
/** Letters of Greek and Cyrillic, and other signs, and what they look like. */
const [THESE, THOSE] = ['АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορτυχκıɑ0|1‐‑‒–—−', 'ABESIJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXaivoptuxkiaOll------']
const LOOKS = new Map<string, string>() // of texts that were looked at

/** The same for two texts that one reader may take for each other. */
export function looks(text: string): string {
  const known = LOOKS.get(text)
  if (known !== undefined) return known
  const plain = text.normalize('NFKD').replace(/[\u0300-\u036f\s]/g, '')
  const latin = Array.from(plain, (each) => THOSE[THESE.indexOf(each)] ?? each).join('')
  const found = latin.toLowerCase().replace(/[ij]/g, 'l').replace(/rn/g, 'm').replace(/vv/g, 'w')
  LOOKS.set(text, found)
  return found
}

/** A book with an account's name changed; none: '' takes it out. Throws RangeError: what is wrong with the name, as a sentence. */
export function renamed(book: Book, account: Address, name: string): Book {
  const text = name.trim().normalize()
  const next = new Map(book)
  next.delete(account)
  if (!text) return next
  if (text.length > 4 * LONGEST || Array.from(text).length > LONGEST) throw new RangeError(`A name has at most ${LONGEST} characters.`)
  if (escapeUntrusted(text) !== text || HEAPED.test(text)) throw new RangeError('A name has only characters that can be seen.')
  if (OTHERS.test(text)) throw new RangeError(`“${text}” is how a job, an account or a file is called, not a name.`)
  if (next.size >= MOST) throw new RangeError(`A book has at most ${MOST} names.`)
  const seen = looks(text)
  for (const [other, taken] of next) if (looks(taken) === seen) throw new RangeError(`“${text}” looks like “${taken}”, the name of ${other}: two accounts can’t share one.`)
  return next.set(account, text)
}

/** Of a file {address: name}, into a book: its names replace the book's. Throws RangeError, and takes nothing, where one of them is wrong. */
export function imported(text: string, book: Book = new Map()): Book {
  const entries = entriesOf(text)
  const kept = new Map([...book].filter(([account]) => !entries.some(([other]) => other === account)))
  return entries.reduce<Book>((all, [account, name]) => renamed(all, account, name), kept)
}

/** What is in a file that a book does not name, without what can't stand beside it. */
export function defaults(text: string, book: Book): Book {
  let all = book
  for (const [account, name] of entriesOf(text)) {
    if (book.has(account)) continue
    try {
      all = renamed(all, account, name)
    } catch {
      continue // such an account is shown by its address
    }
  }
  return new Map([...all].filter(([account]) => !book.has(account)))
}

function entriesOf(text: string): [Address, string][] {
  const wrong = new RangeError('This is no book of names: a JSON object of addresses and their names, {"0x…": "Rostock"}.')
  if (text.length > LARGEST) throw wrong
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    throw wrong
  }
  const entries = Object.entries(Object(found) as object)
  if (!found || typeof found !== 'object' || Array.isArray(found) || !entries.every(([account, name]) => isAddress(account) && typeof name === 'string')) throw wrong
  return entries.map(([account, name]) => [getAddress(account), name as string])
}

/** The file that `imported` reads. */
export const exported = (book: Book): string => `${JSON.stringify(Object.fromEntries(book), null, 2)}\n`
