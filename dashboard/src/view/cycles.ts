// A cycle as the pages show it.

import type { Cycle, Failed, RawTerms } from '../chain/history'
import { toCid } from '../protocol/cid'
import { hexToBytes } from 'viem/utils'
import { Code, type Entry } from '../protocol/sheet'
import type { CycleView, Hex, Opinion, Outcome, SeatView, UpdateView, Verdict } from './model'
import { provisional, sheetsOf, type Replayed } from './replay'

const VERDICTS: Record<Code, Verdict> = {
  [Code.OK]: 'ok', [Code.UNREACHABLE]: 'unreachable', [Code.MALFORMED]: 'malformed', [Code.ZERO]: 'zero', [Code.DUPLICATE]: 'duplicate',
}

export const cidText = (digest: Hex): string => toCid(hexToBytes(digest))

const MADE = new WeakMap<Cycle, { replayed: Replayed | undefined; view: CycleView }>()

/** replayed: the round that this cycle finalised, where it did. The same object for the same cycle and round. */
export function cycleView(cycle: Cycle, terms: RawTerms, replayed: Replayed | undefined): CycleView {
  const made = MADE.get(cycle)
  if (made && made.replayed === replayed) return made.view
  const view = viewOf(cycle, terms, replayed)
  MADE.set(cycle, { replayed, view })
  return view
}

function viewOf(cycle: Cycle, terms: RawTerms, replayed: Replayed | undefined): CycleView {
  return {
    cycle: cycle.cycle, number: cycle.number, round: cycle.round, openedBlock: cycle.openedBlock, openedAt: cycle.openedAt,
    seed: cycle.seed, updates: updates(cycle, terms, replayed), seats: seats(cycle), outcome: outcome(cycle, terms),
  }
}

function updates(cycle: Cycle, terms: RawTerms, replayed: Replayed | undefined): UpdateView[] {
  const opinions = opinionsOf(cycle)
  const judged: readonly Entry[] = replayed?.ledger.judgements ?? (cycle.outcome || !cycle.sheets.length ? [] : provisional(cycle, terms.seats))
  const included = new Set(replayed?.ledger.included)
  return cycle.updates.map(({ trainer, digest, tx, block }, place) => {
    const found = judged[place]
    const measured = found?.code === Code.OK ? found : null
    return {
      place, trainer, cid: cidText(digest), tx, block, opinions: opinions[place] ?? [],
      verdict: replayed && found ? VERDICTS[found.code] : null,
      gain: measured?.gain ?? null, news: measured?.news ?? null, included: included.has(place),
    }
  })
}

/** By update, then by sheet. */
function opinionsOf(cycle: Cycle): Opinion[][] {
  const sheets = sheetsOf(cycle)
  return cycle.updates.map((_, place) =>
    cycle.sheets.flatMap(({ seat }, i) => {
      const entry = sheets[i]?.[place]
      const validator = cycle.committee[seat]
      return entry && validator ? [{ seat, validator, verdict: VERDICTS[entry.code], gain: entry.gain, news: entry.news }] : []
    }).sort((a, b) => a.seat - b.seat),
  )
}

function seats(cycle: Cycle): SeatView[] {
  const revealed = new Set(cycle.sheets.map((sheet) => sheet.seat))
  const matched = cycle.outcome?.kind === 'finalized' ? cycle.outcome.matched : null
  return cycle.committee.map((validator, seat) => ({
    seat, validator, committed: cycle.committed.has(seat), revealed: revealed.has(seat), voted: cycle.votes.has(seat),
    matched: matched === null ? null : ((matched >> seat) & 1) === 1, metric: cycle.votes.get(seat)?.metric ?? null,
  }))
}

function outcome(cycle: Cycle, terms: RawTerms): Outcome {
  const found = cycle.outcome
  if (!found) return { kind: 'open' }
  if (found.kind === 'failed') {
    const { phase, burnt, failures, block } = found
    return { kind: 'failed', phase, burnt, failures, block, why: why(cycle, found, terms) }
  }
  const { rewards, metric, block, tx, resultHash } = found
  return { kind: 'finalized', model: cidText(found.model), rewards, metric, block, tx, resultHash }
}

/** One clause from the phase and its counts. */
function why(cycle: Cycle, { phase }: Failed, { minUpdates, quorum, threshold }: RawTerms): string {
  const short = (count: number, what: string, least: number) => `${phase} ran out with ${count} of at least ${least} ${what}`
  switch (phase) {
    case 'SUBMIT': return short(cycle.updates.length, 'updates', minUpdates)
    case 'ATTEST': return short(cycle.attested.size, 'attestations', threshold)
    case 'RELEASE': return short(cycle.released.size, 'releases', threshold)
    case 'SCORE': return short(cycle.committed.size, 'commitments', quorum)
    case 'REVEAL': return short(cycle.sheets.length, 'sheets', quorum)
    case 'VOTE':
      return cycle.votes.size < quorum ? short(cycle.votes.size, 'votes', quorum) : 'no update could be used: the committee voted that there is no model'
    case 'FINALIZE': return `FINALIZE ran out: ${cycle.votes.size} votes, and no result that ${quorum} of them agree on`
    default: return `${phase} ran out`
  }
}
