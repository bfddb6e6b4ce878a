// A round's pay in a sentence that a pocket calculator can check, as `hansa wallet why --round` has it.

import { VERDICTS } from '../protocol/tables'
import { symbolOf } from '../ui/Amount'
import { brief, milli, nano } from '../ui/format'
import type { JobView, LedgerCell, Token } from '../view/model'

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

const tokens = (amount: bigint, token: Token) => `${brief(amount, token.decimals, 'text', 4)} ${symbolOf(token)}`

function unpaid({ update }: LedgerCell): string {
  if (!update) return 'No pay: no update came.'
  if (update.verdict !== 'ok') return `No pay: ${VERDICTS.find(({ verdict }) => verdict === update.verdict)?.sentence ?? 'no verdict.'}`
  return update.included ? 'No pay: members of the committee are not paid for updates.' : 'No pay: the update made the error larger, and was dropped.'
}
