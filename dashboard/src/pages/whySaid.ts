// The groups of view/why.ts in words: the sentences of tables.json, filled as hansa/cli/wallet/reasons.py fills them.

import type { Address } from 'viem'
import { sum } from '../protocol/exact'
import { filled, WHY } from '../protocol/tables'
import { symbolOf } from '../ui/Amount'
import { brief, milli, nano, plural } from '../ui/format'
import type { Token } from '../view/model'
import type { WhyGroup } from '../view/why'

const PLACES = 2 // of an amount in a sentence

export interface Told {
  title: string
  each: string // what a round of several paid, from least to most
  reason: string
  remedy: string
}

/** Two to four sentences; none where there is no round. allEarned: by every trainer of the job. */
export function summaryOf(groups: readonly WhyGroup[], allEarned: bigint, token: Token): string[] {
  const lines = groups.flatMap((group) => group.lines)
  if (!lines.length) return []
  const gains = lines.map(({ update }) => update?.gain ?? 0n)
  const [lowered, raised] = [gains.filter((gain) => gain > 0n).length, gains.filter((gain) => gain < 0n).length]
  const earned = sum(groups.map(({ amount }) => amount))
  const { used, moved, part, weak } = WHY.summary
  return [
    filled(used, { used: lines.filter(({ update }) => update?.included).length, rounds: plural(lines.length, 'round') }),
    lowered || raised ? filled(moved, { lowered: rounds(lowered), raised: rounds(raised) }) : '',
    earned ? filled(part, { earned: `${plain(token)(earned)} ${symbolOf(token)}`, part: tenths((1000n * earned) / allEarned) }) : '',
    lines.some(({ pay, update }) => pay && update && (update.gain ?? 0n) <= 0n) ? weak : '',
  ].filter(Boolean)
}

/** name: what an account is called. */
export function told(group: WhyGroup, token: Token, name: (of: Address) => string): Told {
  const row = WHY.groups.find(({ kind }) => kind === group.kind)
  if (!row) throw new RangeError(`no words for ${group.kind}`)
  const values = valuesOf(group, token, name)
  const each = group.amount && group.lines.length > 1 ? filled(WHY.each, values) : ''
  return { title: filled(row.title, values), each, reason: filled(row.reason, values), remedy: filled(row.remedy, values) }
}

/** Ranges go over the group's rounds. */
function valuesOf({ lines }: WhyGroup, token: Token, name: (of: Address) => string) {
  const updates = lines.flatMap(({ update }) => update ?? [])
  const repeats = updates.flatMap((update) => update.repeats ?? [])
  const shares = lines.flatMap(({ share }) => (share?.gain ? [(1000n * share.counted) / share.gain] : []))
  return {
    pay: `${span(lines.map(({ pay }) => pay), plain(token))} ${symbolOf(token)}`,
    counted: span(shares, tenths),
    harm: span(updates.map(({ gain }) => -(gain ?? 0n)), harm),
    whom: repeats[0] && name(repeats[0].trainer),
    cosine: span(repeats.map(({ cosine }) => cosine), (cosine) => nano(cosine, 6)),
  }
}

/** "1.5 to 2", or "2" where they read alike. */
function span(values: readonly bigint[], text: (value: bigint) => string): string {
  if (!values.length) return ''
  const [low, high] = [values.reduce((a, b) => (b < a ? b : a)), values.reduce((a, b) => (b > a ? b : a))].map(text)
  return low === high ? low! : `${low} to ${high}`
}

const plain = (token: Token) => (amount: bigint) => brief(amount, token.decimals, 'plain', PLACES)

const tenths = (value: bigint) => `${value / 10n}.${value % 10n}`

/** In thousandths; never 0 for something that isn't. */
const harm = (value: bigint) => (value > 0n && value < 500n ? '<0.001' : milli(value))

const rounds = (count: number) => (count ? plural(count, 'round') : 'none')
