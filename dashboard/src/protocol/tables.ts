// What Python, contracts and page say alike: hansa/protocol/tables.json, with names as contracts and page write them.

import { limits, movements, phases, privacy, rest, rules, used, verdicts, why } from '../../../hansa/protocol/tables.json'
import type { Code } from './sheet'

export type Verdict = Lowercase<keyof typeof Code>
export type MovementKind = keyof typeof movements

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

export const PHASE_ROWS = phases.map((row) => ({ ...row, term: row.term && camel(row.term), minimum: row.minimum && camel(row.minimum) }))
/** By name: flags, of which pay needs `drops`, whether updates of negative median gain are left out. */
export const RULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = rules
export const LIMITS = { ...limits, secondsOfAPhase: limits.seconds_of_a_phase }
/** By event of the vault: what it is, and whether it moves tokens to the account (1), from it (−1), or neither (0). */
export const MOVEMENTS = Object.fromEntries(
  Object.entries(movements).map(([kind, { what, to_account }]) => [kind, { what, sign: BigInt(to_account) }]),
) as Readonly<Record<MovementKind, { what: string; sign: bigint }>>
/** By the code that a sheet has. */
export const VERDICTS = verdicts.map(({ name, sentence }) => ({ verdict: name.toLowerCase() as Verdict, sentence }))
/** Sentences: updates of a round that were used, of those that were sent; what became of an ended job's escrow; why somebody earned what it did;
 * and by privacy mode who can see one update. */
export const [USED, REST, WHY, PRIVACY] = [used, rest, why, privacy] as const

/** A text of the tables with its {names} replaced by values. */
export function filled(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[camel(name)]))
}
