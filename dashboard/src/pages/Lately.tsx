/** The last few events, in words. */
import type { ComponentChildren } from 'preact'
import { useBook } from '../ui/book'
import { nano } from '../ui/format'
import { PHASES, PHASE_NAMES } from '../protocol/phases'
import { Time } from '../ui/Time'
import type { BoardView, Happening, JobRow } from '../view/board'
import { metricName, titleOf, tokens } from './explained'

export function Lately({ view }: { view: BoardView }) {
  const { told } = useBook()
  if (!view.happened.length) return <p class="empty">Nothing has happened yet.</p>
  return (
    <ul class="lately">
      {view.happened.map((one, i) => {
        const row = view.rows.find(({ job }) => job === one.job)
        return row && <li key={`${one.tx} ${i}`}><span>{said(one, row, told)}</span><span class="muted">{one.values.time ? <Time at={Number(one.values.time)} /> : `block ${one.block}`}</span></li>
      })}
    </ul>
  )
}

function said({ name, values }: Happening, row: JobRow, told: (account: string) => string): ComponentChildren {
  const title = <a href={`#/job/${row.job}`}>{titleOf(row)}</a>
  const who = (address: string) => <a href={`#/account/${address}`} title={address}>{told(address)}</a>
  switch (name) {
    case 'JobPosted':
      return <>{who(values.sponsor)} posted {title}</>
    case 'TrainerEnrolled':
      return <>{who(values.trainer)} joined {title} with a bond of {tokens(values.bond, row.token)}</>
    case 'RoundFinalized':
      return <>Round {values.round} of {title} is settled: {metricName(row).toLowerCase()} {nano(values.metric)}{values.metric === row.best && ', the best so far'}</>
    case 'CycleFailed':
      return <>An attempt of {title} failed at its step “{PHASES[PHASE_NAMES[values.phase] ?? 'NONE'].title.toLowerCase()}”</>
    case 'JobEnded':
      return <>{title} has ended: {PHASES[PHASE_NAMES[values.outcome] ?? 'NONE'].title.toLowerCase()}</>
    default:
      return <>{who(values.trainer)} claimed {tokens(values.amount, row.token)} from {title}</>
  }
}
