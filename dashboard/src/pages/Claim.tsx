/** What Hansa claims to be: at the first visit in full, with three sums and three doors; later a line. */
import { useEffect, useState } from 'preact/hooks'
import type { Address } from 'viem'
import { keep, recalled } from '../kept'
import { Amount, symbolOf } from '../ui/Amount'
import { plural } from '../ui/format'
import { totalsOf, type BoardView } from '../view/board'

const KEY = 'hansa.visited'
const TEXT = 'Parties who don’t trust each other improve one model on data that never leaves them, and share a sponsor’s reward by how much each one’s update helped. No server in between: every figure here is read from the chain, and every payment worked out again, by this page.'
const DOORS = [
  ['#/open', 'I have data', 'Join an open job with one command'],
  ['#/post', 'I want a model', 'Post a job: what it costs, who checks the work'],
  ['#/account', 'I took part', 'Look up what an account earned, and why'],
] as const

/** most: jobs whose books are read. */
export function Claim({ view, token, most }: { view: BoardView | null; token: Address; most: number }) {
  const [open, set] = useState(() => recalled(KEY) === null)
  useEffect(() => keep(KEY, '1'), [])
  if (!open) {
    return (
      <div class="folded">
        <h1 class="visually-hidden">Jobs</h1>
        <p class="muted">Train one model together. Be paid for what you add.</p>
        <button type="button" class="plain" aria-expanded="false" onClick={() => set(true)}>What is this?</button>
      </div>
    )
  }
  return (
    <>
      <div class="claim">
        <div>
          <h1>Train one model together. <br />Be paid for what you add.</h1>
          <p>{TEXT}</p>
        </div>
        {view && view.count > 0 && <Totals view={view} token={token} most={most} />}
      </div>
      <nav class="doors" aria-label="Where to begin">
        {DOORS.map(([href, title, text]) => <a key={href} href={href}><b>{title}</b>{text}</a>)}
      </nav>
    </>
  )
}

function Totals({ view, token, most }: { view: BoardView; token: Address; most: number }) {
  const { earned, escrow, rounds, jobs } = totalsOf(view.rows, token)
  const unit = view.rows.find((row) => row.token.address === token)?.token
  if (!view.complete || !unit) return <dl class="totals" />
  const of = view.count > most ? `of the newest ${most} jobs` : `in ${plural(jobs, 'job')}`
  return (
    <dl class="totals">
      <div><dt>{symbolOf(unit)} booked to those who trained and checked</dt><dd><Amount value={earned} token={unit} form="tile" unit={false} /></dd></div>
      <div><dt>{symbolOf(unit)} in escrow now</dt><dd><Amount value={escrow} token={unit} form="tile" unit={false} /></dd></div>
      <div><dt>{rounds === 1 ? 'round' : 'rounds'} settled {of}</dt><dd>{rounds}</dd></div>
    </dl>
  )
}
