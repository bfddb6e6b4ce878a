// What a row of the front page says, and which rows stand there.

import { isOver, PHASES } from '../protocol/phases'
import type { JobRow } from './board'

export type Group = 'open' | 'running' | 'over'

export const groupOf = ({ state: { phase } }: JobRow): Group => (isOver(phase) ? 'over' : phase === 'ENROL' ? 'open' : 'running')

const ORDER: Group[] = ['running', 'open', 'over']

/** Running ones first, then open ones, then those that are over; in each the newest first. */
export const inOrder = (rows: readonly JobRow[]): JobRow[] => [...rows].sort((a, b) => ORDER.indexOf(groupOf(a)) - ORDER.indexOf(groupOf(b)) || b.job - a.job)

/** part: of 1; left: seconds until nobody can join, null where it is not open. */
export function progressOf({ state, terms, finalized }: JobRow, now: number): { part: number; says: string; left: number | null } {
  const rounds = `${finalized} ${finalized === 1 ? 'round' : 'rounds'}`
  const part = finalized / terms.maxRounds
  const group = groupOf({ state } as JobRow)
  if (group === 'open') return { part: state.enrolled / terms.maxTrainers, says: `${state.enrolled} of ${terms.maxTrainers} places`, left: Math.max(0, state.deadline - now) }
  if (group === 'running') return { part, says: `Round ${finalized + 1} of ${terms.maxRounds}: ${PHASES[state.phase].title.toLowerCase()}`, left: null }
  if (state.phase === 'ABORTED' && state.failures) return { part: 1, says: `Round ${finalized + 1} failed ${state.failures === 1 ? 'once' : `${state.failures} times`}`, left: null }
  return { part: 1, says: state.phase === 'CANCELLED' ? 'before its first round' : rounds, left: null }
}

/** How much better the best model is than what it is compared with, or than after round 1; null where nothing can be said. */
export function gainOf({ best, baselines, metrics }: JobRow): { gain: bigint; over: string } | null {
  const [line] = baselines
  if (best === null) return null
  if (line) return { gain: best - line.metric, over: `over ${line.name}` }
  const first = metrics[0]
  return first?.round === 1 && metrics.length > 1 ? { gain: best - first.metric, over: 'since round 1' } : null
}

/** The one thing to do, and where. */
export function actionOf({ job, state, finalized }: JobRow): { label: string; href: string; primary: boolean } {
  const href = `#/job/${job}`
  if (state.phase === 'ENROL' && !state.stopping) return { label: 'Join', href: `${href}/join`, primary: true }
  if (state.phase === 'COMPLETED' && finalized) return { label: 'Get the model', href, primary: false }
  const trouble = state.failures > 0 || isOver(state.phase) || state.phase === 'LAPSED'
  return { label: trouble ? 'See why' : 'Watch', href, primary: false }
}
