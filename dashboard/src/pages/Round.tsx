/** One round in full: its attempts, every opinion on every update, and how each payment came about. */
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { Banner } from '../ui/Banner'
import { milli, moment, nano, percent, times } from '../ui/format'
import { Name } from '../ui/Name'
import { ClaimedIn, Facts, Section, VerdictTag } from '../ui/parts'
import { Table } from '../ui/Table'
import type { CycleView, JobView, LedgerCell, RoundView } from '../view/model'
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
      <Section title={done ? 'Updates' : 'Updates so far (provisional)'}>
        <Updates cycle={last} />
      </Section>
      {done && (
        <Section title="Payments">
          <Payments round={done} view={view} />
        </Section>
      )}
      <Section title="Committee">
        <Seats cycle={last} />
      </Section>
      {attempts.some((cycle) => cycle.outcome.kind === 'failed') && (
        <Section title="Failed attempts">
          <ul>
            {attempts.map((cycle) =>
              cycle.outcome.kind === 'failed' ? (
                <li key={cycle.number}>
                  Cycle {cycle.number}: {escapeUntrusted(cycle.outcome.why, 200)}. Burnt: <Amount value={cycle.outcome.burnt} token={view.token} />
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
        ['Metric', nano(round.metric)],
        ['Model', <Name of={round.model} kind="cid" />],
        ['Previous model', <Name of={round.parent} kind="cid" />],
        ['Rewards', round.agrees ? <span class="tag good">equal to the vote</span> : <span class="tag bad">differs from the vote</span>],
        ['Worked out here', <Name of={round.root} kind="hash" />],
        ['Voted', <Name of={round.votedRoot} kind="hash" />],
        ['Transaction', <Name of={outcome.tx} kind="transaction" />],
        ['Finalised', moment(outcome.time)],
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
          { head: 'Gain', number: true, title: 'Validation loss taken off by the update alone, thousandths' },
          { head: 'News', number: true, title: 'What the update adds to the others, thousandths' },
          { head: 'Update' },
          { head: 'Transaction' },
        ]}
        rows={rows}
      />
      <p class="note">Gain and news: validation loss taken off, in thousandths.</p>
    </>
  )
}

function Payments({ round, view }: { round: RoundView; view: JobView }) {
  const total = round.cells.reduce((sum, cell) => sum + (cell.share?.p ?? 0n), 0n)
  const row = (cell: LedgerCell) => ({
    key: cell.trainer,
    cells: [
      <Name of={cell.trainer} kind="address" />,
      <Amount value={cell.pay} token={view.token} />,
      cell.share ? percent(cell.share.part) + (cell.share.capped ? ', capped' : '') : '–',
      cell.share ? times(cell.share.averageGain) : '–',
      cell.share ? times(cell.share.averageNews) : '–',
      cell.share ? times(cell.share.averageFresh) : '–',
      cell.share ? times(cell.share.differs) : '–',
      cell.share ? String(cell.share.weight) : '–',
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
          { head: 'Average gain', number: true, title: '1 is a round’s mean' },
          { head: 'Average news', number: true, title: '1 is a round’s mean' },
          { head: 'Fresh', number: true, title: '1 is a round’s mean; a quarter of it stays every round' },
          { head: 'Differs', number: true, title: 'this round’s update from the model’s course; 1 is the middle one’s, less than ¼ is paid less' },
          { head: 'Weight', number: true },
          { head: 'Strike' },
          { head: 'Claimed in' },
        ]}
        rows={round.cells.map(row)}
      />
      <details>
        <summary>The numbers behind the shares</summary>
        <p>
          s = a · min(e·K·F, 2·k·E·F, 2·f·E·K), p = max(0, 4·A·s − a·Σs) · min(D, 4·d) ÷ D, capped, pay = reward · p ÷ Σp, rounded down; Σp = <span class="mono">{String(total)}</span>
        </p>
        <Table
          caption="The numbers behind the shares"
          columns={[{ head: 'Trainer' }, ...['e', 'k', 'f', 's', 'd', 'D', 'p before the cap', 'cap', 'p'].map((head) => ({ head, number: true }))]}
          rows={round.cells.flatMap(({ share, trainer }) =>
            share
              ? [{ key: trainer, cells: [<Name of={trainer} kind="address" />, ...[share.e, share.k, share.f, share.s, share.d, share.middle, share.beforeCap, share.cap, share.p].map(String)] }]
              : [],
          )}
        />
      </details>
    </>
  )
}

const tick = (done: boolean) => (done ? 'yes' : '–')

function Seats({ cycle }: { cycle: CycleView }) {
  return (
    <Table
      caption="Committee of the round"
      columns={[{ head: 'Seat' }, { head: 'Validator' }, { head: 'Committed' }, { head: 'Revealed' }, { head: 'Voted' }, { head: 'Metric', number: true }, { head: 'Vote' }]}
      rows={cycle.seats.map((seat) => ({
        key: seat.seat,
        cells: [
          seat.seat,
          <Name of={seat.validator} kind="address" />,
          tick(seat.committed),
          tick(seat.revealed),
          tick(seat.voted),
          nano(seat.metric),
          seat.matched === null ? '' : seat.matched ? <span class="tag good">matched</span> : seat.voted ? <span class="tag bad">other result</span> : <span class="tag quiet">missed</span>,
        ],
      }))}
    />
  )
}
