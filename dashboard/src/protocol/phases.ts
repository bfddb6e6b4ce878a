// The phases of a job, in the order in which contracts/interfaces/IFederation.sol numbers them; their rows are in
// hansa/protocol/tables.json. The only file of the page that spells out those which a job may do without.

import { PHASE_ROWS } from './tables'

type Timed = 'ENROL' | 'OPEN' | 'SUBMIT' | 'ATTEST' | 'RELEASE' | 'SCORE' | 'REVEAL' | 'VOTE' | 'FINALIZE'
export type PhaseName = Timed | 'NONE' | 'LAPSED' | 'COMPLETED' | 'ABORTED' | 'CANCELLED'
/** A phase's longest time among the terms, seconds. */
export type PhaseTime = `${Lowercase<Timed>}Time`
/** A bitmap of a cycle's seats in the contract's state: bit s is seat s. */
export type SeatBits = 'due' | 'attested' | 'released' | 'committed' | 'revealed' | 'voted'

export interface Phase {
  name: PhaseName
  title: string
  says: string
  note?: string // what it needs, in counts
  term?: PhaseTime
  optional?: boolean // left out where its time is 0
  event?: string // of one party's act
  acted?: SeatBits // where members act in it
  due?: SeatBits
  minimum?: 'minUpdates' | 'threshold' | 'quorum'
  counts?: string // what there has to be a minimum of
}

const ROWS = PHASE_ROWS as readonly Phase[]

export const PHASES = Object.fromEntries(ROWS.map((row) => [row.name, row])) as Readonly<Record<PhaseName, Phase>>
export const PHASE_NAMES: readonly PhaseName[] = ROWS.map(({ name }) => name)
/** Phases with a time of their own. */
export const TIMED = ROWS.filter((row): row is Phase & { term: PhaseTime } => row.term !== undefined)
/** Phases in which the committee's members act. */
export const OF_SEATS = ROWS.filter((row): row is Phase & { event: string; acted: SeatBits; due: SeatBits } => row.acted !== undefined)

/** Whether a cycle burns too in which the committee agrees that nothing could be aggregated: not where no member has seen an
 * update before the shares are released, for there one trainer can cause it. */
export const burnsUnusable = (terms: Readonly<Record<PhaseTime, number>>): boolean => terms.attestTime === 0

export const isOver = (phase: PhaseName): boolean => PHASE_NAMES.indexOf(phase) >= PHASE_NAMES.indexOf('COMPLETED')
