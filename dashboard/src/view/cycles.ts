// A cycle as the pages show it.

import type { Address, Hex } from 'viem'
import { hexToBytes } from 'viem/utils'
import type { CycleRecord, Failed } from '../chain/history/records'
import type { JobTerms } from '../chain/structs'
import { toCid } from '../protocol/cid'
import { OF_SEATS, PHASES, type PhaseName } from '../protocol/phases'
import { Code, type Entry } from '../protocol/sheet'
import { VERDICTS, type Verdict } from '../protocol/tables'
import { likeness, tally, type Judgement } from '../protocol/tally'
import type { CycleView, Opinion, Outcome, SeatView, UpdateView } from './model'
import { countedSheets, sheetsOf, type Replayed } from './replay'

export const cidText = (digest: Hex): string => toCid(hexToBytes(digest))

const MADE = new WeakMap<CycleRecord, { replayed: Replayed | undefined; view: CycleView }>()

/** replayed: the round that this cycle finalised, where it did. The same object for the same cycle and round. */
export function cycleView(cycle: CycleRecord, terms: JobTerms, replayed: Replayed | undefined): CycleView {
  const made = MADE.get(cycle)
  if (made && made.replayed === replayed) return made.view
  const view = viewOf(cycle, terms, replayed)
  MADE.set(cycle, { replayed, view })
  return view
}

function viewOf(cycle: CycleRecord, terms: JobTerms, replayed: Replayed | undefined): CycleView {
  const { number, round } = cycle
  return { number, round, updates: updates(cycle, terms, replayed), seats: seats(cycle), outcome: outcome(cycle, terms) }
}

function updates(cycle: CycleRecord, terms: JobTerms, replayed: Replayed | undefined): UpdateView[] {
  const opinions = opinionsOf(cycle)
  const judged = replayed?.ledger.judgements ?? soFar(cycle, terms)
  const included = new Set(replayed?.ledger.included)
  return cycle.updates.map(({ trainer, digest, tx }, place) => {
    const found = judged[place]
    const measured = found?.code === Code.OK ? found : null
    return {
      place, trainer, cid: cidText(digest), tx, opinions: opinions[place] ?? [],
      verdict: replayed && found ? verdictOf(found) : null,
      gain: measured?.gain ?? null, news: measured?.news ?? null, included: included.has(place),
      repeats: found?.code === Code.DUPLICATE ? repeated(cycle, place) : null,
    }
  })
}

function repeated(cycle: CycleRecord, place: number): UpdateView['repeats'] {
  const said = likeness(countedSheets(cycle).map((sheet) => sheet[place] ?? null))
  const trainer = said && cycle.updates[Number(said.place)]?.trainer
  return trainer ? { trainer, cosine: said.cosine } : null
}

/** What the sheets revealed in a cycle under way would say of each update. */
const soFar = (cycle: CycleRecord, { seats }: JobTerms): Judgement[] =>
  cycle.outcome || !cycle.sheets.length ? [] : tally(countedSheets(cycle), seats, cycle.updates.length)

function verdictOf({ code }: Entry): Verdict {
  return VERDICTS[code]?.verdict ?? 'unreachable'
}

/** By update, then by sheet. */
function opinionsOf(cycle: CycleRecord): Opinion[][] {
  const sheets = sheetsOf(cycle)
  return cycle.updates.map((_, place) =>
    cycle.sheets.flatMap(({ seat }, i) => {
      const entry = sheets[i]?.[place]
      const validator = cycle.committee[seat]
      const [gain, news] = entry?.code === Code.OK ? [entry.gain, entry.news] : [0n, 0n]
      return entry && validator ? [{ seat, validator, verdict: verdictOf(entry), gain, news }] : []
    }).sort((a, b) => a.seat - b.seat),
  )
}

function seats(cycle: CycleRecord): SeatView[] {
  const did = (phase: PhaseName, seat: number) => cycle.acted.get(phase)?.has(seat) ?? false
  const matched = cycle.outcome?.kind === 'finalized' ? cycle.outcome.matched : null
  return cycle.committee.map((validator, seat) => ({
    seat, validator, committed: did('SCORE', seat), revealed: did('REVEAL', seat), voted: did('VOTE', seat),
    matched: matched === null ? null : ((matched >> seat) & 1) === 1, metric: cycle.votes.get(seat)?.metric ?? null,
  }))
}

function outcome(cycle: CycleRecord, terms: JobTerms): Outcome {
  const found = cycle.outcome
  if (!found) return { kind: 'open' }
  if (found.kind === 'failed') return { kind: 'failed', phase: found.phase, burnt: found.burnt, time: found.time, why: why(cycle, found, terms), silent: silent(cycle, found.phase, terms) }
  const { model, rewards, metric, time, tx } = found
  return { kind: 'finalized', model: cidText(model), rewards, metric, time, tx }
}

/** Where too few members acted in the phase that ran out: those who could have, and did not. */
function silent(cycle: CycleRecord, phase: PhaseName, terms: JobTerms): Address[] {
  const { acted, due, minimum } = PHASES[phase]
  const did = cycle.acted.get(phase)
  if (!acted || !did || !minimum || did.size >= terms[minimum]) return []
  const before = OF_SEATS.find((each) => each.acted === due)
  return cycle.committee.filter((_, seat) => !did.has(seat) && (!before || cycle.acted.get(before.name)?.has(seat)))
}

/** One clause from the phase and its counts. */
function why({ updates, acted, votes }: CycleRecord, { phase }: Failed, terms: JobTerms): string {
  const { title, minimum, counts } = PHASES[phase]
  const [found, least] = [acted.get(phase)?.size ?? updates.length, minimum ? terms[minimum] : 0]
  if (found < least) return `the time to ${title.toLowerCase()} ran out, with ${found} of at least ${least} ${counts}`
  if (phase === 'VOTE') return 'no update could be used: the validators voted that there is no model'
  return `nobody closed the round in time: ${votes.size} ${votes.size === 1 ? 'vote' : 'votes'}, and no result that ${terms.quorum} of them agree on`
}
