/** One round in full: its attempts, every opinion on every update, and how each payment came about. */
import { Amount, Measure } from '../ui/Amount'
import { Banner } from '../ui/Banner'
import { milli, percent } from '../ui/format'
import { Name } from '../ui/Name'
import { ClaimedIn, Facts, Section, VerdictTag } from '../ui/parts'
import { Table } from '../ui/Table'
import { Time } from '../ui/Time'
import type { CycleView, JobView, LedgerCell, RoundView } from '../view/model'
import { explained, usedOf } from './explained'
import { JobFrame } from './JobFrame'

export function Round({ job, round }: { job: number; round: number }) {
  return <JobFrame job={job} here="round">{(view) => <Inside view={view} number={round} />}</JobFrame>
}

function Inside({ view, number }: { view: JobView; number: number }) {
  const done = view.rounds.find((round) => round.round === number)
  const attempts = done?.attempts ?? view.cycles.filter((cycle) => cycle.round === number)
  const last = done?.cycle ?? attempts.at(-1)
  if (!last) return <Banner tone="note" title={`Round ${number} has not begun`} />
  return (
    <>
      <div class="heading">
        <h2>Round {number}</h2>
        <span class="pager">
          {number > 1 && <a href={`#/job/${view.job}/round/${number - 1}`}>← Round {number - 1}</a>}
          {view.cycles.some((cycle) => cycle.round > number) && <a href={`#/job/${view.job}/round/${number + 1}`}>Round {number + 1} →</a>}
        </span>
      </div>
      {done && <Result round={done} />}
      <Section title={done ? 'Updates' : 'Updates so far (provisional)'} aside={done && <span>{usedOf(last)}</span>}>
        <Updates cycle={last} />
      </Section>
      {done && (
        <Section title="Payments">
          <Payments round={done} view={view} />
        </Section>
      )}
      <Section title="Validators">
        <Seats cycle={last} />
      </Section>
      {attempts.some((cycle) => cycle.outcome.kind === 'failed') && (
        <Section title="Failed attempts">
          <ul>
            {attempts.map((cycle) =>
              cycle.outcome.kind === 'failed' ? (
                <li key={cycle.number}>
                  Attempt {attempts.indexOf(cycle) + 1}: {cycle.outcome.why}. Burnt: <Amount value={cycle.outcome.burnt} token={view.token} />
                </li>
              ) : null,
            )}
          </ul>
        </Section>
      )}
    </>
  )
}

function Result({ round }: { round: RoundView }) {
  const { outcome } = round.cycle
  if (outcome.kind !== 'finalized') return null
  return (
    <Facts
      of={[
        ['Metric', <Measure value={round.metric} />],
        ['Model', <Name of={round.model} kind="cid" />],
        ['Previous model', <Name of={round.parent} kind="cid" />],
        ['Rewards', round.agrees ? <span class="tag good">equal to the vote</span> : <span class="tag bad">differs from the vote</span>],
        ['Worked out here', <Name of={round.root} kind="hash" />],
        ['Voted', <Name of={round.votedRoot} kind="hash" />],
        ['Transaction', <Name of={outcome.tx} kind="transaction" />],
        ['Ended', <Time at={outcome.time} />],
      ]}
    />
  )
}

function Updates({ cycle }: { cycle: CycleView }) {
  const rows = cycle.updates.flatMap((update) => [
    {
      key: `${update.place}`,
      cells: [
        <Name of={update.trainer} kind="address" />,
        <b>median</b>,
        <VerdictTag of={update.verdict} update={update} />,
        <b>{milli(update.gain)}</b>,
        <b>{milli(update.news)}</b>,
        <Name of={update.cid} kind="cid" />,
        <Name of={update.tx} kind="transaction" />,
      ],
    },
    ...update.opinions.map((opinion) => ({
      key: `${update.place} ${opinion.seat}`,
      tone: 'quiet' as const,
      cells: ['', <Name of={opinion.validator} kind="address" />, opinion.verdict, ...[opinion.gain, opinion.news].map((value) => milli(opinion.verdict === 'ok' ? value : null)), '', ''],
    })),
  ])
  return (
    <>
      <Table
        caption="Updates and what each validator said of them"
        empty="No update has come in."
        columns={[
          { head: 'Trainer' },
          { head: 'By' },
          { head: 'Verdict' },
          { head: 'Gain', number: true },
          { head: 'News', number: true },
          { head: 'Update' },
          { head: 'Transaction' },
        ]}
        rows={rows}
      />
      <p class="note">Gain: validation loss taken off by the update alone; news: what it adds to the others; both in thousandths.</p>
    </>
  )
}

function Payments({ round, view }: { round: RoundView; view: JobView }) {
  const row = (cell: LedgerCell) => ({
    key: cell.trainer,
    cells: [
      <Name of={cell.trainer} kind="address" />,
      <Amount value={cell.pay} token={view.token} form="table" />,
      cell.share ? percent(cell.share.part) : '–',
      milli(cell.record?.gain ?? null),
      milli(cell.record?.news ?? null),
      milli(cell.share?.counted ?? null),
      cell.strike ? <span class="tag bad">strike</span> : '',
      <ClaimedIn cell={cell} view={view} />,
    ],
  })
  return (
    <>
      <Table
        caption="Payments of the round"
        columns={[
          { head: 'Trainer' },
          { head: 'Pay', number: true },
          { head: 'Share', number: true },
          { head: 'Gain so far', number: true, title: 'What its updates took off the error, thousandths; of what was, five sixths stay each round' },
          { head: 'News so far', number: true, title: 'What of it was news' },
          { head: 'Counts', number: true, title: 'What of the gain counts: all of it where enough was news' },
          { head: 'Strike' },
          { head: 'Claimed in' },
        ]}
        rows={round.cells.map(row)}
      />
      <Table
        caption="Why, in a sentence"
        columns={[{ head: 'Trainer' }, { head: 'Why', prose: true }]}
        rows={round.cells.map((cell) => ({ key: cell.trainer, cells: [<Name of={cell.trainer} kind="address" />, explained(cell, view)] }))}
      />
      <Numbers round={round} />
    </>
  )
}

function Numbers({ round }: { round: RoundView }) {
  const total = round.cells.reduce((sum, cell) => sum + (cell.share?.p ?? 0n), 0n)
  return (
    <details>
      <summary>The numbers behind the shares</summary>
      <p>
        p = min(s·U, 2·u·S), or s where U = 0; pay = reward · p ÷ Σp, rounded down; Σp = <span class="mono">{String(total)}</span>. s and u: gain and news
        so far; S and U: the same of all before the round.
      </p>
      <Table
        caption="The numbers behind the shares"
        columns={[{ head: 'Trainer' }, ...['s', 'u', 'S', 'U', 'p'].map((head) => ({ head, number: true }))]}
        rows={round.cells.flatMap(({ share, trainer }) =>
          share
            ? [{ key: trainer, cells: [<Name of={trainer} kind="address" />, ...[share.gain, share.news, share.allGain, share.allNews, share.p].map(String)] }]
            : [],
        )}
      />
    </details>
  )
}

const tick = (done: boolean) => (done ? 'yes' : '–')

function Seats({ cycle }: { cycle: CycleView }) {
  return (
    <Table
      caption="Validators of the round"
      columns={[{ head: 'No.', title: 'Its seat' }, { head: 'Validator' }, { head: 'Measured' }, { head: 'Revealed' }, { head: 'Voted' }, { head: 'Metric', number: true }, { head: 'Vote' }]}
      rows={cycle.seats.map((seat) => ({
        key: seat.seat,
        cells: [
          seat.seat,
          <Name of={seat.validator} kind="address" />,
          tick(seat.committed),
          tick(seat.revealed),
          tick(seat.voted),
          <Measure value={seat.metric} />,
          seat.matched === null ? '' : seat.matched ? <span class="tag good">agreed</span> : seat.voted ? <span class="tag bad">other result</span> : <span class="tag quiet">missed</span>,
        ],
      }))}
    />
  )
}
