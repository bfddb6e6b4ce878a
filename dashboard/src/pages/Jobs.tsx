/** The front page: what this is, the jobs and what to do with each, what happened lately. */
import { useState } from 'preact/hooks'
import { useApp } from '../ui/app'
import { Banner, PageProblem } from '../ui/Banner'
import { useLoad } from '../ui/load'
import { Loading, Section } from '../ui/parts'
import type { BoardView, JobRow } from '../view/board'
import { groupOf, inOrder, type Group } from '../view/rows'
import { Claim } from './Claim'
import { HowSteps } from './How'
import { JobLine } from './JobLine'
import { Lately } from './Lately'

const PAGE = 20 // rows
const MOST = 200 // jobs that are read, for sums and counts

type Filter = Group | 'all'
const FILTERS: [Filter, string][] = [['all', 'All'], ['open', 'Open'], ['running', 'Running'], ['over', 'Over']]

const chosen = (rows: readonly JobRow[], filter: Filter) => inOrder(rows.filter((row) => filter === 'all' || groupOf(row) === filter))

export function Jobs({ filter: first }: { filter: Filter }) {
  const { reader, head, deployment, problem } = useApp()
  const [filter, choose] = useState(first)
  const [count, more] = useState(PAGE)
  const [seen, show] = useState<BoardView | null>(null)
  const most = Math.max(MOST, count)
  const newer = (next: BoardView) => show((old) => (old && (old.head.number > next.head.number || (old.complete && !next.complete)) ? old : next))
  const shown = (rows: JobRow[]) => chosen(rows, filter).slice(0, count).map(({ job }) => job)
  const { value, error, loading, reload } = useLoad(`jobs ${filter} ${count}`, () => reader.jobs(most, shown, newer), head)
  const view = value && (!seen || value.head.number >= seen.head.number) ? value : seen
  const rows = chosen(view?.rows ?? [], filter)
  const unread = rows.slice(0, count).filter(({ spec }) => spec === null)
  const retry = () => {
    reader.board.retry()
    reload()
  }
  return (
    <>
      <Claim view={view} token={deployment.token} most={MOST} />
      {error && <PageProblem error={error} retry={reload} />}
      {!view && loading && !error && <Loading what="the jobs" />}
      {view && (
        <Section title="Jobs" aside={<Filters view={view} filter={filter} choose={(next) => { choose(next); more(PAGE) }} />}>
          {problem && <p class="note">As of block {view.head.number}.</p>}
          {view.count === 0 && <First />}
          {unread.length > 0 && (
            <Banner tone="warn" title={`${unread.length === 1 ? 'A task is' : `${unread.length} tasks are`} not readable`} action={{ label: 'Try again', run: retry }}>
              <p>The file of job {unread.map(({ job }) => job).join(', ')} is not in the store, or not a job’s.</p>
            </Banner>
          )}
          {rows.length > 0 && <ul class={`jobs ${problem ? 'old' : ''}`}>{rows.slice(0, count).map((row) => <JobLine key={row.job} row={row} />)}</ul>}
          {view.count > 0 && !rows.length && <p class="empty">{filter === 'open' ? 'No job is open to join now.' : 'None.'}</p>}
          {(rows.length > count || view.count > most) && <p><button type="button" onClick={() => more(count + PAGE)}>More jobs</button></p>}
        </Section>
      )}
      <div class="beside">
        <Section title="Lately" card>{view && <Lately view={view} />}</Section>
        <Section title="How a round goes" card><HowSteps /><a href="#/how">More of how it works</a></Section>
      </div>
    </>
  )
}

function Filters({ view, filter, choose }: { view: BoardView; filter: Filter; choose: (filter: Filter) => void }) {
  if (!view.count) return null
  const counted = (name: Filter) => (name === 'all' ? view.count : view.rows.filter((row) => groupOf(row) === name).length)
  return (
    <div class="filters">
      {FILTERS.map(([name, word]) => (
        <button key={name} type="button" aria-pressed={filter === name} onClick={() => choose(name)}>{word} {view.complete && counted(name)}{view.rows.length < view.count && name !== 'all' && view.complete && '+'}</button>
      ))}
    </div>
  )
}

function First() {
  return (
    <div class="card">
      <h3>No job is posted on this chain yet</h3>
      <p>Post the first, from the folder with deployment.json: <code>hansa job post --task heart</code>, or <a href="#/post">here</a>. It appears within a block.</p>
    </div>
  )
}

