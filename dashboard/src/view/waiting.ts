// What a job is at, and for whom it waits.

import type { Address } from 'viem'
import type { JobHistory } from '../chain/history/records'
import type { JobState, JobTerms } from '../chain/structs'
import { everybodyDue } from '../protocol/hashes'
import { PHASES, type SeatBits } from '../protocol/phases'
import { filled } from '../protocol/tables'
import type { Waiting } from './model'

export function waitingOf(history: JobHistory, state: JobState): Waiting {
  const { acted, due } = parties(history, state)
  const done = new Set(acted)
  return { deadline: state.deadline, acted, waitingFor: due.filter((each) => !done.has(each)), note: noteOf(history.posted.terms, state) }
}

/** Who has acted in this phase, and who is due in it. */
function parties(history: JobHistory, state: JobState): { acted: Address[]; due: Address[] } {
  const trainers = history.enrolled.map((each) => each.trainer)
  const submitters = (cycle: number) => history.cycles.at(cycle)?.updates.map((each) => each.trainer) ?? []
  const { acted, due } = PHASES[state.phase]
  if (acted && due) return { acted: membersIn(state, acted), due: membersIn(state, due) }
  if (state.phase === 'ENROL') return { acted: trainers, due: [] }
  if (state.phase === 'SUBMIT') return { acted: submitters(-1), due: everybodyDue(state.cycle) ? trainers : submitters(-2) }
  return { acted: [], due: [] }
}

const membersIn = (state: JobState, bits: SeatBits): Address[] => state.committee.filter((_, seat) => (state[bits] >> seat) & 1)

/** What the phase needs, in counts. */
export function noteOf(terms: JobTerms, state: JobState): string {
  const { note = '', acted, due, minimum } = PHASES[state.phase]
  const rounds = state.round === 2 ? '1 round' : `${state.round - 1} rounds`
  const count = (bits?: SeatBits) => bits && membersIn(state, bits).length
  const { enrolled, submitted } = state
  return filled(note, { ...terms, enrolled, submitted, rounds, acted: count(acted), due: count(due), minimum: minimum && terms[minimum] })
}
