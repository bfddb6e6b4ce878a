// Sentences, as the command line has them: a round's pay that a pocket calculator can check, updates that were used, the rest.

import { filled, REST, USED, VERDICTS } from '../protocol/tables'
import { symbolOf } from '../ui/Amount'
import { brief, milli, nano, plural } from '../ui/format'
import type { CycleView, JobGlance, JobView, LedgerCell, Token } from '../view/model'

export function explained(cell: LedgerCell, { token, terms }: Pick<JobView, 'token' | 'terms'>): string {
  const { share, pay } = cell
  if (!share) return unpaid(cell)
  if (!share.gain) return 'No pay: so far, its updates have taken nothing off the error.'
  const limited = share.counted < share.gain ? `, of which ${milli(share.counted)} counts, for too little of it was news (${milli(share.news)})` : ''
  const soFar = `So far, its updates have taken ${milli(share.gain)} off the error${limited}`
  if (!share.counted) return `${soFar}: no pay.`
  return `${soFar}; all together ${milli(share.allCounted)} counts: ${part(share.part)} of ${tokens(terms.rewardPerRound, token)} is ${tokens(pay, token)}.`
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
  return said.flatMap(([amount, text]) => (amount > 0n ? [filled(text, { amount: `${brief(amount, token.decimals)} ${symbolOf(token)}` })] : []))
}

const tokens = (amount: bigint, token: Token) => `${brief(amount, token.decimals, 'text', 4)} ${symbolOf(token)}`

function unpaid({ update }: LedgerCell): string {
  if (!update) return 'No pay: no update came.'
  if (update.verdict !== 'ok') return `No pay: ${VERDICTS.find(({ verdict }) => verdict === update.verdict)?.sentence ?? 'no verdict.'}`
  return update.included ? 'No pay: validators of the round are not paid for updates.' : 'No pay: the update made the error larger, and was left out.'
}
