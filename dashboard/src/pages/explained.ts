// Sentences, as the command line has them: a round's pay that a pocket calculator can check, updates that were used, the rest.

import { isOver, burnsUnusable } from '../protocol/phases'
import { whoSees, type JobSpec } from '../protocol/spec'
import { filled, REST, USED, VERDICTS } from '../protocol/tables'
import { escapeUntrusted } from '../protocol/text'
import { symbolOf } from '../ui/Amount'
import { brief, capitalised, duration, milli, nano, plural } from '../ui/format'
import type { CycleView, JobGlance, JobView, LedgerCell, RoundView, Token } from '../view/model'
import { burnOf } from '../view/sums'
import { listed } from '../view/trouble'

export function explained(cell: LedgerCell, { token, terms }: Pick<JobView, 'token' | 'terms'>): string {
  const { share, pay } = cell
  if (!share) return unpaid(cell)
  if (!share.gain) return 'No pay: so far, its updates have taken nothing off the error.'
  const limited = share.counted < share.gain ? `, of which ${milli(share.counted)} counts, for too little of it was news (${milli(share.news)})` : ''
  const soFar = `So far, its updates have taken ${milli(share.gain)} off the error${limited}`
  if (!share.counted) return `${soFar}: no pay.`
  return `${soFar}; all together ${milli(share.allCounted)} counts: ${part(share.part)} of ${finer(terms.rewardPerRound, token)} is ${finer(pay, token)}.`
}

const part = (of: number) => `${nano(BigInt(Math.round(1e11 * of)), 2)} %`

/** "3 of 4 updates used"; "4 updates" where all were, or nobody can say. */
export function usedOf({ updates }: Pick<CycleView, 'updates'>): string {
  const [all, used] = [plural(updates.length, 'update'), updates.filter((update) => update.included).length]
  const known = updates.every((update) => update.verdict !== null)
  return known && used < updates.length ? filled(USED, { used, updates: all }) : all
}

/** Of the escrow of a job that is over: what the sponsor has yet to take back, and what went back to it. */
export function restOf({ books, token }: Pick<JobGlance, 'books' | 'token'>): string[] {
  const said = [[books.left, REST.waits], [books.refunded, REST.back]] as const
  return said.flatMap(([amount, text]) => (amount > 0n ? [filled(text, { amount: tokens(amount, token) })] : []))
}

interface Named {
  spec?: JobSpec | null | undefined
}

/** What a job is called; texts of the sponsor, made harmless. '' of a job whose spec has no name that can be read. */
export const named = (spec: JobSpec | null | undefined): string => escapeUntrusted(spec?.title.trim() || (spec?.task.trim() ?? ''), 80)

export const titleOf = ({ job, spec }: Named & { job: number }): string => named(spec) || `Job ${job}`

/** What a job's metric measures; texts of the sponsor, made harmless. */
export const metricName = ({ spec }: Named): string => (spec?.metric ? capitalised(escapeUntrusted(spec.metric, 40)) : 'Metric')

/** Who was paid by a round, most first, and what became of the rest. */
export function paidIn({ cells }: Pick<RoundView, 'cells'>, token: Token, told: (account: string) => string): { paid: { trainer: LedgerCell['trainer']; text: string }[]; others: string } {
  const paid = cells.filter(({ pay }) => pay > 0n).sort((a, b) => (a.pay < b.pay ? 1 : -1))
  const named = (some: LedgerCell[], word: string) => (some.length ? [`${listed(some.map(({ trainer }) => told(trainer)))} ${word}`] : [])
  const rest = cells.filter(({ pay }) => !pay)
  const used = rest.filter(({ update }) => update?.included)
  const out = rest.filter(({ update }) => update && !update.included)
  const many = paid.length > MOST_PAID ? [`${paid.length - MOST_PAID} more paid`] : []
  return {
    paid: paid.slice(0, MOST_PAID).map(({ trainer, pay }) => ({ trainer, text: `${told(trainer)} ${brief(pay, token.decimals, 'table')}` })),
    others: [...many, ...named(used, 'used, unpaid'), ...named(out, 'left out'), ...named(rest.filter(({ update }) => !update), 'absent')].join(' · '),
  }
}

const MOST_PAID = 5

/** What a job asks and gives, in six sentences. */
export function termsInWords({ terms, token, phase, enrolled, spec }: Pick<JobGlance, 'terms' | 'token' | 'phase' | 'enrolled' | 'spec'>): string[] {
  const of = (amount: bigint) => tokens(amount, token)
  const bonded = phase === 'ENROL' ? `at most ${terms.maxTrainers} may join, each with a bond of ${of(terms.minBond)}` : `each has bonded ${of(terms.minBond)} or more`
  return [
    `Up to ${plural(terms.maxRounds, 'round')}; each pays ${of(terms.rewardPerRound)} to trainers and ${of(terms.feePerSeat)} to each validator whose vote matched.`,
    `${plural(enrolled, 'trainer')}, of whom ${terms.minUpdates} updates make a round; ${bonded}.`,
    `${terms.quorum} of ${plural(terms.seats, 'validator')} must agree on every result.${spec ? ` ${whoSees(spec, terms.seats)}` : ''}`,
    `An update that is none costs ${of(terms.strikePenalty)} of the bond. One that only does not help costs nothing.`,
    `An attempt that fails although enough updates came burns ${of(burnOf(terms))}${burnsUnusable(terms) ? '' : ', but not where no update could be used'}; ${plural(terms.maxFailures, 'failure')} in a row end${terms.maxFailures === 1 ? 's' : ''} the job.`,
    `Pay can be claimed until ${duration(terms.claimTime)} after the ${isOver(phase) ? 'job’s ' : ''}end, bonds from ${duration(terms.slashTime)} after it.`,
  ]
}

export const tokens = (amount: bigint, token: Token) => `${brief(amount, token.decimals)} ${symbolOf(token)}`

/** With four digits, so that a pocket calculator can check. */
const finer = (amount: bigint, token: Token) => `${brief(amount, token.decimals, 'text', 4)} ${symbolOf(token)}`

function unpaid({ update }: LedgerCell): string {
  if (!update) return 'No pay: no update came.'
  if (update.verdict !== 'ok') return `No pay: ${VERDICTS.find(({ verdict }) => verdict === update.verdict)?.sentence ?? 'no verdict.'}`
  return update.included ? 'No pay: validators of the round are not paid for updates.' : 'No pay: the update made the error larger, and was left out.'
}
