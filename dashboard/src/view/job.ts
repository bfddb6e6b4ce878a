// A job as the pages show it: from its history, the ledger worked out again, and the vault's answers.

import type { Address } from 'viem'
import type { Facts } from '../chain/history/reader'
import { finalised, type Claim, type CycleRecord, type Enrolment, type JobHistory } from '../chain/history/records'
import type { JobTerms } from '../chain/structs'
import { breathe } from '../pause'
import { parseBaselines } from '../protocol/baselines'
import { sum } from '../protocol/exact'
import type { Share } from '../protocol/pay'
import { isOver } from '../protocol/phases'
import type { JobSpec } from '../protocol/spec'
import { claimsOpen } from './claims'
import { cidText, cycleView } from './cycles'
import type { CycleView, JobView, LedgerCell, RoundView, ShareView, Terms, Token, TrainerView, UpdateView, ValidatorView } from './model'
import type { Replayed } from './replay'
import { waitingOf } from './waiting'

interface JobFacts extends Facts {
  token: Token
  spec: JobSpec | null
  specProblem: string | null
  replayed: readonly Replayed[]
  fees: ReadonlyMap<Address, bigint> // booked and not claimed, by member
}

type Claims = ReadonlyMap<Address, Claim>

export async function jobView(facts: JobFacts): Promise<JobView> {
  const { history, state, at, replayed } = facts
  const { terms, sponsor, termsHash } = history.posted
  const head = { number: at.number, timestamp: at.timestamp }
  const cycles: CycleView[] = []
  for (const cycle of history.cycles) {
    cycles.push(cycleView(cycle, terms, cycle.outcome?.kind === 'finalized' ? replayed[cycle.round - 1] : undefined))
    await breathe()
  }
  const rounds = roundViews(facts, cycles)
  return {
    job: history.job, sponsor, token: facts.token, terms: termsView(terms), termsHash, spec: facts.spec, specProblem: facts.specProblem,
    phase: state.phase, waiting: waitingOf(history, state), cycles, openedAt: state.openedAt,
    lapses: history.lapses.map(({ afterCycle, failed: { failures, burnt, block } }) => ({ afterCycle, failures, burnt, block })),
    rounds, trainers: history.enrolled.map((each, place) => trainerView(facts, rounds, place, each)),
    validators: members(history).map((member) => validatorView(facts, member)), books: facts.books, burnt: history.burnt,
    baselines: parseBaselines(facts.spec?.baselines ?? []), stopping: state.stopping, failures: state.failures, seen: history.seen, enrolled: state.enrolled, finalized: state.round - 1,
    metrics: finalised(history).map(({ outcome: { round, metric } }) => ({ round, metric })), head,
  }
}

export const termsView = (terms: JobTerms): Terms => ({ ...terms, spec: cidText(terms.spec), model: cidText(terms.model) })

/** Everybody who ever had a seat, in order of appearance. */
export const members = (history: JobHistory): Address[] => [...new Set(history.cycles.flatMap((cycle) => cycle.committee))]

const MADE = new WeakMap<Replayed, { cycle: CycleView; claims: Claims | undefined; view: RoundView }>()

/** The same objects for rounds of which nothing is new. */
function roundViews({ history, replayed }: JobFacts, cycles: JobView['cycles']): RoundView[] {
  const attempts = new Map<number, CycleView[]>()
  for (const cycle of cycles) attempts.set(cycle.round, [...(attempts.get(cycle.round) ?? []), cycle])
  let parent = cidText(history.posted.terms.model)
  return replayed.flatMap((each) => {
    const view = roundView(history, each, attempts.get(each.round) ?? [], parent)
    parent = view?.model ?? parent
    return view ?? []
  })
}

function roundView(history: JobHistory, replayed: Replayed, attempts: CycleView[], parent: string): RoundView | null {
  const cycle = attempts.at(-1)
  const claims = history.claims.get(replayed.round)
  const made = MADE.get(replayed)
  if (made && made.cycle === cycle && made.claims === claims) return made.view
  if (cycle?.outcome.kind !== 'finalized') return null
  const { model, metric, rewards } = cycle.outcome
  const { round, tree, agrees } = replayed
  const view = { round, cycle, attempts, parent, model, metric, cells: cellsOf(history, replayed, cycle.updates, claims), root: tree.root, votedRoot: rewards, agrees }
  MADE.set(replayed, { cycle, claims, view })
  return view
}

export function cellsOf(history: Pick<JobHistory, 'enrolled'>, { round, ledger }: Pick<Replayed, 'round' | 'ledger'>, updates: readonly UpdateView[], claims: Claims | undefined): LedgerCell[] {
  const total = sum([...ledger.shares.values()].map((share) => share.p))
  const leaves = new Map(ledger.leaves.map((leaf) => [leaf.trainer, leaf]))
  const sent = new Map(updates.map((update) => [update.trainer, update]))
  return history.enrolled.map(({ trainer }) => {
    const leaf = leaves.get(trainer)
    return {
      round, trainer, update: sent.get(trainer) ?? null, share: shareView(ledger.shares.get(trainer), total),
      record: ledger.records.get(trainer) ?? null, pay: leaf?.pay ?? 0n, strike: leaf?.strike ?? false, reputation: leaf?.reputation ?? 0,
      claimed: claims?.get(trainer) ?? null,
    }
  })
}

/** counted: what of the gain counts; a part of all that counts for those who share the round. */
function shareView(share: Share | undefined, total: bigint): ShareView | null {
  if (!share) return null
  const scale = share.allNews || 1n
  return { ...share, counted: share.p / scale, allCounted: total / scale, part: total ? Number(share.p) / Number(total) : 0 }
}

/** place: of the trainer among the enrolled, and so of its cell in each round. */
function trainerView(facts: JobFacts, rounds: readonly RoundView[], place: number, { trainer, bond }: Enrolment): TrainerView {
  const { history, books, at } = facts
  const cells = rounds.flatMap(({ cells: all, agrees }) => (all[place] ? [{ ...all[place], agrees }] : []))
  const claims = [...history.claims.values()].map((round) => round.get(trainer)?.amount ?? 0n)
  const due = claimsOpen(books, at.timestamp) ? cells.filter((cell) => cell.agrees && !cell.claimed && cell.pay > 0n) : []
  return {
    address: trainer, bond, bondLeft: facts.bonds.get(trainer) ?? 0n, earned: sum(cells.map((cell) => cell.pay)), claimed: sum(claims),
    claimable: due.map(({ round, pay }) => ({ round, amount: pay })), strikes: cells.filter((cell) => cell.strike).length,
    reputation: cells.at(-1)?.reputation ?? 0,
  }
}

function validatorView(facts: JobFacts, member: Address): ValidatorView {
  const { history, state, books, at } = facts
  const { feePerSeat } = history.posted.terms
  const attended = finalised(history).flatMap(({ cycle }) => attendance(cycle, member))
  const count = (kind: string) => attended.filter(({ how }) => how === kind).length
  const seat = state.committee.indexOf(member)
  const booked = facts.fees.get(member) ?? 0n
  const held = (state.matched[seat] ?? 0n) * feePerSeat // with the seat, until the job's end
  const fees = BigInt(count('matched')) * feePerSeat
  const claimable = booked + (isOver(state.phase) ? held : 0n)
  return {
    address: member, attended, matched: count('matched'), wrong: count('wrong'), missed: count('missed'), fees, feesPaid: fees - booked - held,
    feesClaimable: claimsOpen(books, at.timestamp) ? claimable : 0n,
  }
}

function attendance(cycle: CycleRecord, member: Address): ValidatorView['attended'] {
  const seat = cycle.committee.indexOf(member)
  if (seat < 0 || cycle.outcome?.kind !== 'finalized') return []
  return [{ round: cycle.round, how: (cycle.outcome.matched >> seat) & 1 ? 'matched' : cycle.votes.has(seat) ? 'wrong' : 'missed' }]
}
