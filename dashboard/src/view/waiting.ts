// What a job is at, and for whom it waits.

import { phaseOf, type JobHistory, type JobState, type RawTerms } from '../chain/history'
import { everybodyDue } from '../protocol/hashes'
import type { Address, Head, Waiting } from './model'

export function waitingOf(history: JobHistory, state: JobState, head: Head): Waiting {
  const phase = phaseOf(state.phase)
  const { acted, due } = parties(history, state)
  const done = new Set(acted)
  return {
    phase, deadline: state.deadline, now: head.timestamp, acted, waitingFor: due.filter((each) => !done.has(each)), note: noteOf(history.posted.terms, state),
  }
}

/** Who has acted in this phase, and who is due in it. */
function parties(history: JobHistory, state: JobState): { acted: Address[]; due: Address[] } {
  const seats = (bits: number) => state.committee.filter((_, seat) => (bits >> seat) & 1)
  switch (phaseOf(state.phase)) {
    case 'ENROL': return { acted: trainers(history), due: [] }
    case 'SUBMIT': return { acted: submitters(history, -1), due: everybodyDue(state.cycle) ? trainers(history) : submitters(history, -2) }
    case 'ATTEST': return { acted: seats(state.attested), due: seats(state.due) }
    case 'RELEASE': return { acted: seats(state.released), due: seats(state.due) }
    case 'SCORE': return { acted: seats(state.committed), due: seats(state.due) }
    case 'REVEAL': return { acted: seats(state.revealed), due: seats(state.committed) }
    case 'VOTE': return { acted: seats(state.voted), due: seats(state.revealed) }
    default: return { acted: [], due: [] }
  }
}

const trainers = (history: JobHistory): Address[] => history.enrolled.map((each) => each.trainer)
const submitters = (history: JobHistory, cycle: number): Address[] => history.cycles.at(cycle)?.updates.map((each) => each.trainer) ?? []

/** What the phase needs, in counts. */
export function noteOf({ maxTrainers, minUpdates, quorum, seats, threshold }: RawTerms, state: JobState): string {
  const count = (bits: number) => state.committee.filter((_, seat) => (bits >> seat) & 1).length
  const rounds = state.round === 2 ? '1 round' : `${state.round - 1} rounds`
  switch (phaseOf(state.phase)) {
    case 'ENROL': return `${state.enrolled} of at most ${maxTrainers} trainers are enrolled; ${minUpdates} are needed.`
    case 'OPEN': return 'Anyone may open the next cycle.'
    case 'SUBMIT': return `${state.submitted} updates are in; ${minUpdates} are needed.`
    case 'ATTEST': return `${count(state.attested)} of ${seats} members have attested; ${threshold} are needed.`
    case 'RELEASE': return `${count(state.released)} of ${seats} members have released; ${threshold} are needed.`
    case 'SCORE': return `${count(state.committed)} of ${seats} members have committed to their scores; ${quorum} are needed.`
    case 'REVEAL': return `${count(state.revealed)} of ${count(state.committed)} members have revealed their scores; ${quorum} are needed.`
    case 'VOTE': return `${count(state.voted)} of ${count(state.revealed)} members have voted; ${quorum} must agree.`
    case 'FINALIZE': return 'Anyone may finalise the round with the result that was voted.'
    case 'LAPSED': return 'The phase ran out. Anyone may end the attempt.'
    case 'COMPLETED': return `The job is completed, after ${rounds}.`
    case 'ABORTED': return `The job was aborted, after ${rounds}.`
    case 'CANCELLED': return 'The job was cancelled before its first cycle.'
    default: return ''
  }
}
