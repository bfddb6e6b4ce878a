// Which updates a rule leaves out, as hansa/protocol/aggregation.py says.

import type { Judgement } from './ledger'
import { Code } from './sheet'

const FROM_TO_DROP = 3
const DROPS: Record<string, boolean> = { validated_mean: true, mean: false, median: false, trimmed_mean: false, nnm_trimmed_mean: false }

/** Indices of the ok updates that are left out. never: those of members of a fully coupled committee. */
export function drop(rule: string, judgements: readonly Judgement[], never: ReadonlySet<number>): Set<number> {
  if (!Object.hasOwn(DROPS, rule)) throw new RangeError(`no rule ${JSON.stringify(rule)}`)
  const ok = judgements.map((judgement, i) => ({ ...judgement, i })).filter(({ code }) => code === Code.OK)
  if (!DROPS[rule] || ok.length < FROM_TO_DROP) return new Set()
  const harmful = ok.filter(({ gain, i }) => gain < 0n && !never.has(i))
  harmful.sort((x, y) => (x.gain < y.gain ? -1 : x.gain > y.gain ? 1 : x.i - y.i))
  return new Set(harmful.slice(0, Math.max(1, Math.floor((3 * ok.length) / 10))).map(({ i }) => i))
}
