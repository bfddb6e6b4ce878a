// What Python, contracts and page say alike: hansa/protocol/tables.json, with names as contracts and page write them.

import tables from '../../../hansa/protocol/tables.json'
import type { Code } from './sheet'

export type Verdict = Lowercase<keyof typeof Code>
export type MovementKind = keyof typeof tables.movements

interface Rule {
  drops?: boolean // leaves out updates of negative median gain
  weighted?: boolean
  mixes?: boolean
  trim?: string
}

/** By event of the vault: what it is, and whether it moves tokens to the account (1), from it (−1), or neither (0). */
interface Movement {
  what: string
  to_account: number
}

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

export const PHASE_ROWS = tables.phases.map((row) => ({ ...row, term: row.term && camel(row.term), minimum: row.minimum && camel(row.minimum) }))
export const RULES: Readonly<Record<string, Rule>> = tables.rules
export const LIMITS = tables.limits
export const MOVEMENTS: Readonly<Record<MovementKind, Movement>> = tables.movements
/** By the code that a sheet has. */
export const VERDICTS = tables.verdicts.map(({ name, sentence }) => ({ verdict: name.toLowerCase() as Verdict, sentence }))

/** A text of the tables with its {names} replaced by values. */
export function filled(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[camel(name)]))
}
