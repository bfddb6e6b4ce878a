// Which updates a rule leaves out, as hansa/protocol/aggregation.py says.

import { Code } from './sheet'
import { RULES } from './tables'
import type { Judgement } from './tally'

const FROM_TO_DROP = 3

/** How many of n updates a rule withstands: three tenths, rounded down. */
const tolerated = (n: number): number => Math.floor((3 * n) / 10)

/** Indices of the ok updates that are left out. never: those of members of a fully coupled committee. */
export function drop(rule: string, judgements: readonly Judgement[], never: ReadonlySet<number>): Set<number> {
  if (!Object.hasOwn(RULES, rule)) throw new RangeError(`no rule ${JSON.stringify(rule)}`)
  const ok = judgements.map((judgement, i) => ({ ...judgement, i })).filter(({ code }) => code === Code.OK)
  if (!RULES[rule]?.drops || ok.length < FROM_TO_DROP) return new Set()
  const harmful = ok.filter(({ gain, i }) => gain < 0n && !never.has(i))
  harmful.sort((x, y) => (x.gain < y.gain ? -1 : x.gain > y.gain ? 1 : x.i - y.i))
  return new Set(harmful.slice(0, Math.max(1, tolerated(ok.length))).map(({ i }) => i))
}
