/** What is shown as files for a spreadsheet; amounts in the token's smallest unit. */

import type { AccountView, JobView } from '../view/model'

const HEAD = [
  'round', 'trainer', 'verdict', 'included', 'cid', 'gain_1e9', 'news_1e9', 'gain_so_far', 'news_so_far', 'all_gain',
  'all_news', 'p', 'pay', 'strike', 'reputation', 'root_agrees', 'submit_tx', 'claimed', 'claim_tx', 'opinions',
]

/** One line a trainer and round. */
export function ledgerCsv(view: JobView): string {
  const lines = view.rounds.flatMap((round) =>
    round.cells.map(({ trainer, update, share, record, pay, strike, reputation, claimed }) => [
      round.round, trainer, update?.verdict ?? 'absent', update?.included ?? '', update?.cid, update?.gain, update?.news,
      record?.gain, record?.news, share?.allGain, share?.allNews, share?.p, pay, strike, reputation, round.agrees, update?.tx, claimed?.amount, claimed?.tx,
      update?.opinions.map((o) => `${o.validator}:${o.verdict}:${o.gain}:${o.news}`).join(' '),
    ]),
  )
  return csv([HEAD, ...lines])
}

/** One line a movement, oldest first; moved: to the account, from it negative. */
export function movementsCsv({ movements, jobs }: AccountView): string {
  const tokens = new Map(jobs.map(({ job, token }) => [job, token]))
  return csv([
    ['time', 'block', 'job', 'event', 'round', 'amount', 'moved', 'token', 'decimals', 'transaction'],
    ...movements.map(({ time, block, job, kind, round, amount, moved, tx }) => [
      time && new Date(1000 * time).toISOString(), block, job, kind, round, amount, moved, tokens.get(job)?.address, tokens.get(job)?.decimals, tx,
    ]),
  ])
}

const csv = (lines: readonly (readonly unknown[])[]): string => lines.map((line) => line.map(field).join(',')).join('\r\n') + '\r\n'

/** Quoted where needed; a text that a spreadsheet would run as a formula is kept a text. */
function field(value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'string' && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function download(name: string, data: BlobPart, type = 'text/csv;charset=utf-8'): void {
  const url = URL.createObjectURL(new Blob([data], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
