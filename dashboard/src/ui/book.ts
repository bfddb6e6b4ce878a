/** The book of names: the reader's own, kept in this browser alone, and what `hansa dashboard` calls its accounts. */
import { useEffect, useState } from 'preact/hooks'
import type { Address } from 'viem'
import { defaults, exported, imported, type Book } from '../view/book'
import { short } from './format'

const KEY = 'hansa.names'

interface Names {
  mine: Book
  given: Book // without what can't stand beside mine
  problem: string // of names.json
}

let text = '{}' // of names.json
let names: Names = gather()
const watching = new Set<(now: Names) => void>()

function gather(): Names {
  let mine: Book = new Map()
  try {
    mine = imported(localStorage.getItem(KEY) ?? '{}')
  } catch {
    /* a browser that keeps nothing, or what no page of this version kept */
  }
  try {
    return { mine, given: defaults(text, mine), problem: '' }
  } catch (wrong) {
    return { mine, given: new Map(), problem: `names.json: ${(wrong as Error).message}` }
  }
}

function changed(): void {
  names = gather()
  for (const each of watching) each(names)
}

globalThis.addEventListener?.('storage', changed) // in another tab

/** Reads the names that stand beside the page; without them accounts are shown by their addresses. */
export async function readNames(url: string): Promise<void> {
  const answer = await fetch(url, { cache: 'no-store', credentials: 'omit' }).catch(() => null)
  if (!answer?.ok) return
  text = await answer.text()
  changed()
}

/** Throws RangeError where the browser keeps nothing. */
export function keep(mine: Book): void {
  try {
    localStorage.setItem(KEY, exported(mine))
  } catch {
    throw new RangeError('This browser keeps nothing for the page: no name can be kept.')
  }
  changed()
}

export function useBook(): Names & { called: (account: string) => string | undefined; told: (account: string) => string } {
  const [now, set] = useState(names)
  useEffect(() => {
    watching.add(set)
    set(names)
    return () => void watching.delete(set)
  }, [])
  const called = (account: string) => now.mine.get(account as Address) ?? now.given.get(account as Address)
  return { ...now, called, told: (account) => called(account) ?? short(account) }
}
