// What a committee says of each update, as hansa/protocol/tally.py: the revealed sheets of a cycle, counted.

import { measurementMedian } from './exact'
import { Code, CODES, type Entry } from './sheet'

/** What a duplicate repeats: the place of an update on chain, and the cosine, 1e-9. */
export interface Likeness {
  place: bigint
  cosine: bigint
}

/** A committee's verdict on one update, and where it is ok the median gain and news, 1e-9. */
export type Judgement = Entry

/** A verdict is what more than half of the seats, not of the sheets, say; else unreachable. null: a member's own
 * update, on which it has no say. */
export function tally(sheets: readonly (Entry | null)[][], seats: number, n: number): Judgement[] {
  return Array.from({ length: n }, (_, i) => judge(sheets.map((sheet) => at(sheet, i)).filter((entry) => entry !== null), seats))
}

function judge(entries: readonly Entry[], seats: number): Judgement {
  for (const code of CODES) {
    const agreeing = entries.filter((entry) => entry.code === code)
    if (2 * agreeing.length <= seats) continue
    if (code !== Code.OK) return { code, gain: 0n, news: 0n }
    const gain = measurementMedian(agreeing.map((entry) => entry.gain))
    return { code, gain, news: measurementMedian(agreeing.map((entry) => entry.news)) }
  }
  return { code: Code.UNREACHABLE, gain: 0n, news: 0n }
}

/** Of which update, and how alike (1e-9), as more than half of those sheets have it that call one a duplicate. It explains
 * a verdict, and enters nothing that pays. */
export function likeness(entries: readonly (Entry | null)[]): Likeness | null {
  const said = entries.filter((entry) => entry?.code === Code.DUPLICATE).map((entry) => ({ place: entry!.gain, cosine: entry!.news }))
  const same = (a: Likeness) => said.filter((b) => a.place === b.place && a.cosine === b.cosine).length
  return said.find((each) => 2 * same(each) > said.length) ?? null
}

function at(sheet: readonly (Entry | null)[], i: number): Entry | null {
  const entry = sheet[i]
  if (entry === undefined) throw new RangeError(`a sheet has no entry ${i}`)
  return entry
}
