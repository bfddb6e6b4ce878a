// What goes wrong with a job: what failed, for want of whom, who is late; and who has answered, attempt by attempt.

import type { Address } from 'viem'
import { sum } from '../protocol/exact'
import { isOver, PHASES } from '../protocol/phases'
import type { CycleView, JobView } from './model'
import { burnOf, fullRound } from './sums'

type Facts = Pick<
  JobView, 'phase' | 'finalized' | 'failures' | 'stopping' | 'books' | 'terms' | 'cycles' | 'lapses' | 'waiting' | 'trainers' | 'seen'
>

/** missing: without whom the last attempt failed; late: who was waited for through half of the phase. */
export interface Trouble {
  round: number
  failures: number // in a row; 0: somebody is late, no more
  left: number // more of them that end the job, at the least
  surely: boolean // whether as many do, and not only those that burn
  stopped: boolean // whether the sponsor asked for the end
  why: string // the last one, in a clause
  missing: Address[]
  trainers: boolean // whether those are trainers
  lacks: string // what they did not send
  late: Address[]
  validators: Address[] // of the missing and late ones
  burnt: bigint // since the round began
  over: boolean
}

/** null: nothing is wrong. now: seconds. */
export function troubleOf(view: Facts, now: number): Trouble | null {
  const { failures, finalized, phase } = view
  const late = lateIn(view, now)
  const over = isOver(phase)
  if (failures ? phase === 'COMPLETED' : !late.length) return null
  const common = { round: finalized + 1, failures, ...leftOf(view), stopped: view.stopping, late, validators: phase === 'SUBMIT' ? [] : late, over }
  const failed = attemptsAt(view).filter(({ outcome }) => outcome.kind === 'failed')
  const last = failed.at(-1)
  const burnt = sum(failed.map(({ outcome }) => (outcome.kind === 'failed' ? outcome.burnt : 0n)))
  const lapse = view.lapses.at(-1)
  if (last?.outcome.kind !== 'failed' || (lapse && lapse.afterCycle >= last.number)) {
    return { ...common, burnt, why: 'nobody started the next attempt in time', missing: [], trainers: false, lacks: '' }
  }
  const { phase: ran, why, silent } = last.outcome
  const trainers = ran === 'SUBMIT'
  const validators = trainers ? common.validators : [...new Set([...silent, ...common.validators])]
  return { ...common, burnt, why, trainers, missing: trainers ? absent(view, last) : silent, validators, lacks: `no ${PHASES[ran].counts ?? ''}` }
}

/** How many more failures the terms allow, or the escrow, which after each has to hold a full round. */
function leftOf({ failures, stopping, books, terms }: Facts): Pick<Trouble, 'left' | 'surely'> {
  const allowed = Math.min(stopping ? 1 : Infinity, Math.max(0, terms.maxFailures - failures))
  const [round, burn] = [fullRound(terms), burnOf(terms)]
  const paid = burn && books.left >= round ? Number((books.left - round) / burn) + 1 : allowed
  return { left: Math.min(allowed, paid), surely: paid >= allowed }
}

const attemptsAt = ({ cycles, finalized }: Facts): CycleView[] => cycles.filter(({ round }) => round === finalized + 1)

const absent = ({ trainers }: Facts, { updates }: CycleView): Address[] =>
  trainers.map(({ address }) => address).filter((each) => !updates.some(({ trainer }) => trainer === each))

/** Who is still waited for when half of the phase is over. */
function lateIn({ phase, terms, waiting }: Facts, now: number): Address[] {
  const { term } = PHASES[phase]
  return term && waiting.deadline - now < terms[term] / 2 ? waiting.waitingFor : []
}

const TIMES = ['', 'once', 'twice', 'three times', 'four times', 'five times']
const COUNTS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six']
const MOST_NAMED = 4

/** In one or two sentences; name: of an address. */
export function headline({ round, failures, left, surely, stopped, missing, late, over }: Trouble, name: (of: Address) => string): string {
  if (!failures) return `Round ${round} waits for ${listed(late.map(name))}.`
  const whom = missing.length ? `, for want of ${listed(missing.map(name))}` : ''
  const failed = `Round ${round} has failed ${TIMES[failures] ?? `${failures} times`}${over && failures > 1 ? ' in a row' : ''}${whom}.`
  if (over) return `${failed} ${left && stopped ? 'The sponsor ended the job.' : left ? 'The escrow was left with less than a round.' : 'That ended the job.'}`
  return `${failed} ${COUNTS[left] ?? left} more ${left === 1 ? 'failure' : 'failures in a row'} ${surely ? (left === 1 ? 'ends' : 'end') : 'can end'} the job.`
}

/** "A, B and C"; of many, the first few and how many more. */
export function listed(names: readonly string[], word = 'and'): string {
  const shown = names.length > MOST_NAMED ? [...names.slice(0, MOST_NAMED - 1), `${names.length - MOST_NAMED + 1} more`] : names
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} ${word} ${shown.at(-1)}` : (shown[0] ?? '')
}

/** tone: whether it came, did not, or was not asked for. */
export interface Answer {
  tone: 'good' | 'bad' | 'open' | 'quiet'
  word: string
}

export interface Answers {
  attempts: string[]
  rows: { who: Address; role: 'trainer' | 'validator'; cells: Answer[]; seen: number | null }[]
}

const LATEST = 3 // attempts

/** Of the latest attempts at the round that is not settled, oldest first. */
export function answersOf(view: Facts): Answers {
  const all = attemptsAt(view)
  const shown = all.slice(-LATEST)
  const row = (who: Address, role: 'trainer' | 'validator') => ({
    who, role, cells: shown.map((cycle) => (role === 'trainer' ? fromTrainer : fromMember)(view, cycle, who)), seen: view.seen.get(who) ?? null,
  })
  const members = [...new Set(shown.flatMap(({ seats }) => seats.map(({ validator }) => validator)))]
  return {
    attempts: shown.map((cycle) => (cycle.outcome.kind === 'open' && !isOver(view.phase) ? 'Now' : `Attempt ${all.indexOf(cycle) + 1}`)),
    rows: [...view.trainers.map(({ address }) => row(address, 'trainer')), ...members.map((member) => row(member, 'validator'))],
  }
}

function fromTrainer(view: Facts, cycle: CycleView, who: Address): Answer {
  if (cycle.updates.some(({ trainer }) => trainer === who)) return { tone: 'good', word: 'update in' }
  return unanswered(view, cycle, who) ?? { tone: cycle.outcome.kind === 'failed' && cycle.outcome.phase === 'SUBMIT' ? 'bad' : 'quiet', word: 'no update' }
}

function fromMember(view: Facts, cycle: CycleView, who: Address): Answer {
  const seat = cycle.seats.find(({ validator }) => validator === who)
  if (!seat) return { tone: 'quiet', word: 'no seat' }
  const waited = unanswered(view, cycle, who)
  if (waited) return waited
  if (cycle.outcome.kind === 'failed' && cycle.outcome.silent.includes(who)) return { tone: 'bad', word: `no ${PHASES[cycle.outcome.phase].counts}` }
  if (seat.voted) return { tone: 'good', word: 'voted' }
  if (seat.revealed) return { tone: 'good', word: 'revealed' }
  return seat.committed ? { tone: 'good', word: 'measured' } : { tone: 'quiet', word: 'not asked' }
}

/** In the attempt under way. */
function unanswered({ phase, waiting }: Facts, { outcome }: CycleView, who: Address): Answer | null {
  return outcome.kind === 'open' && !isOver(phase) && waiting.waitingFor.includes(who) ? { tone: 'open', word: 'awaited' } : null
}
