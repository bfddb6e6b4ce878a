/** A job in the list: title and state, how far, how good, for how much, and one thing to do. */
import { Spark } from '../charts/Spark'
import { sum } from '../protocol/exact'
import { isOver } from '../protocol/phases'
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { useApp } from '../ui/app'
import { useBook } from '../ui/book'
import { ClaimButton } from '../ui/ClaimButton'
import { duration, nano, plotted, plural } from '../ui/format'
import { useLoad } from '../ui/load'
import { stateOf } from '../ui/states'
import { StateTag } from '../ui/StateTag'
import type { JobRow } from '../view/board'
import { actionOf, gainOf, progressOf } from '../view/rows'
import { metricName, titleOf, tokens } from './explained'

export function JobLine({ row }: { row: JobRow }) {
  const { job, state, spec } = row
  const { told } = useBook()
  const { part, says, left } = progressOf(row, useApp().time)
  return (
    <li>
      <div>
        <h3><a href={`#/job/${job}`}>{titleOf(row)}</a> <StateTag of={state.phase} failures={state.failures} /></h3>
        <p>Job {job}{spec?.title && ` · ${escapeUntrusted(spec.task, 40)}`} · {told(state.sponsor)}</p>
      </div>
      <div>
        <svg class={`progress ${stateOf(state.phase, state.failures)}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width={100 * Math.min(1, part)} height="6" /></svg>
        <p>{says}{left !== null && `, ${duration(left)}`}</p>
      </div>
      <Metric row={row} />
      <Money row={row} />
      <div class="end"><Action row={row} /></div>
    </li>
  )
}

function Metric({ row }: { row: JobRow }) {
  const { best, metrics, state, terms } = row
  if (best === null) {
    return <div class="metric"><p>{isOver(state.phase) ? 'no round was settled' : state.phase === 'ENROL' ? `starts when ${terms.maxTrainers} have joined, or in time with ${terms.minUpdates} or more` : 'no round is settled yet'}</p></div>
  }
  const gain = gainOf(row)
  return (
    <div class="metric">
      {metrics.length > 1 && <Spark values={metrics.map(({ metric }) => plotted(metric))} says={`${metricName(row)} by round, best ${nano(best)}`} />}
      <div>
        <b>{nano(best)}</b> <span class="muted">{metricName(row).toLowerCase()}</span>
        {gain && <p class={gain.gain > 0n ? 'better' : ''}>{gain.gain > 0n ? '+' : ''}{nano(gain.gain)} {escapeUntrusted(gain.over, 40)}</p>}
      </div>
    </div>
  )
}

const MOST_DOTS = 6

function Money({ row: { state, terms, books, token } }: { row: JobRow }) {
  const { phase, enrolled } = state
  const free = phase === 'ENROL' ? Math.min(MOST_DOTS, terms.maxTrainers) - Math.min(MOST_DOTS, enrolled) : 0
  const aborted = phase === 'ABORTED' || phase === 'CANCELLED'
  return (
    <div>
      {isOver(phase)
        ? <><b><Amount value={aborted ? books.left + books.refunded : books.booked} token={token} /></b> <span class="muted">{aborted ? (books.left ? 'to take back' : 'back') : 'booked'}</span></>
        : <><b><Amount value={terms.rewardPerRound} token={token} /></b> <span class="muted">a round</span></>}
      <p>
        {aborted && books.burnt > 0n ? `${tokens(books.burnt, token)} burnt` : (
          <>
            <span class="dots" aria-hidden="true">
              {Array.from({ length: Math.min(MOST_DOTS, enrolled) }, (_, i) => <i key={i} class={`t${i + 1}`} />)}
              {Array.from({ length: free }, (_, i) => <i key={-1 - i} class="free" />)}
            </span>
            {phase === 'ENROL' ? `${terms.maxTrainers - enrolled} free` : plural(enrolled, 'trainer')}
          </>
        )}
      </p>
    </div>
  )
}

function Action({ row }: { row: JobRow }) {
  const { wallet } = useApp()
  const { label, href, primary } = actionOf(row)
  const link = <a class={`button ${primary ? 'primary' : ''}`} href={href}>{label}<span class="visually-hidden"> job {row.job}</span></a>
  return wallet.account ? <Due row={row} account={wallet.account}>{link}</Due> : link
}

/** The claim of what the connected account is due here, before anything else. */
function Due({ row, account, children }: { row: JobRow; account: `0x${string}`; children: preact.ComponentChildren }) {
  const { reader, head } = useApp()
  const { value } = useLoad(`account ${account}`, () => reader.account(account), head)
  const due = sum((value?.jobs.find(({ job }) => job === row.job)?.trainer?.claimable ?? []).map(({ amount }) => amount))
  return (
    <>
      <ClaimButton of={[{ job: row.job, kind: 'rounds' }]} label={`Claim ${tokens(due, row.token)}`} token={row.token} primary open={due > 0n} />
      {!due && children}
    </>
  )
}
