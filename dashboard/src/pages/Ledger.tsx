/** Trainer × round: what each update was worth and what was paid for it, worked out in this page from the chain. */
import { useMemo, useState } from 'preact/hooks'
import { Amount, symbolOf } from '../ui/Amount'
import { Banner } from '../ui/Banner'
import { milli, percent, times } from '../ui/format'
import { Name } from '../ui/Name'
import { Section, VerdictTag } from '../ui/parts'
import { Table } from '../ui/Table'
import type { JobView, LedgerCell, RoundView } from '../view/model'
import { download, ledgerCsv } from './csv'
import { JobFrame } from './JobFrame'

const ROWS = 200 // that are added at once

export function Ledger({ job }: { job: number }) {
  return <JobFrame job={job} here="ledger">{(view) => <Inside view={view} />}</JobFrame>
}

function Inside({ view }: { view: JobView }) {
  const rounds = useMemo(() => [...view.rounds].reverse(), [view])
  const page = Math.max(1, Math.min(10, Math.floor(ROWS / view.trainers.length))) // rounds
  const [count, show] = useState(page)
  if (view.spec === null) return <p class="empty">No ledger without the spec.</p>
  if (!rounds.length) return <p class="empty">No round is finalised yet: nothing was earned.</p>
  return (
    <>
      <Sums view={view} />
      <Section
        title="Round by round"
        aside={
          <button type="button" onClick={() => download(`job-${view.job}-ledger.csv`, ledgerCsv(view))}>
            Download CSV
          </button>
        }
      >
        <p class="note">
          Worked out in this page from the sheets on chain. Gain and news: validation loss taken off, in thousandths, medians with each
          validator’s below. Averages: 1 is a round’s mean. Fresh: how far a trainer’s updates still
          differ from the model’s course; half is forgotten in every round. The smallest of the three averages decides the share; news
          and fresh count double, and an update that hardly differs from the course is paid less in its round. Pay in {symbolOf(view.token)}.
        </p>
        {rounds.slice(0, count).map((round) => (
          <RoundTable key={round.round} round={round} view={view} />
        ))}
        {rounds.length > count && (
          <button type="button" onClick={() => show(count + page)}>
            Show {Math.min(page, rounds.length - count)} earlier rounds
          </button>
        )}
      </Section>
    </>
  )
}

/** Whether what trainers have claimed, and the fees that members have, are what the vault says it paid. */
function Sums({ view }: { view: JobView }) {
  const earned = view.trainers.reduce((sum, trainer) => sum + trainer.earned, 0n)
  const claimed = view.trainers.reduce((sum, trainer) => sum + trainer.claimed, 0n)
  const fees = view.validators.reduce((sum, member) => sum + member.feesPaid, 0n)
  const paid = view.books.paid
  const whole = claimed + fees === paid
  const columns = ['Trainer', 'Rounds paid', 'Earned', 'Claimed', 'Still open', 'Strikes'].map((head, i) => ({ head, number: i > 0 }))
  return (
    <Section title="Sums">
      <Banner tone={whole ? 'good' : 'bad'} title={whole ? 'The ledger adds up to what was paid' : 'The ledger differs from what was paid'}>
        <p>
          Claimed by trainers <Amount value={claimed} token={view.token} whole /> + fees <Amount value={fees} token={view.token} whole />{' '}
          {whole ? '=' : '≠'} paid by the vault <Amount value={paid} token={view.token} whole />. Earned in all:{' '}
          <Amount value={earned} token={view.token} whole />.
        </p>
      </Banner>
      <Table
        caption="Sums by trainer"
        columns={columns}
        rows={view.trainers.map((trainer) => {
          const paidRounds = view.rounds.filter((r) => r.cells.some((c) => c.trainer === trainer.address && c.pay > 0n)).length
          const amount = (value: bigint) => <Amount value={value} token={view.token} unit={false} whole />
          return {
            key: trainer.address,
            cells: [
              <Name of={trainer.address} kind="address" />,
              paidRounds,
              amount(trainer.earned),
              amount(trainer.claimed),
              amount(trainer.earned - trainer.claimed),
              trainer.strikes ? <span class="bad-text">{trainer.strikes}</span> : 0,
            ],
          }
        })}
      />
    </Section>
  )
}

/** Drawn again only where something of the round is new. */
function RoundTable({ round, view }: { round: RoundView; view: JobView }) {
  return useMemo(() => <OneRound round={round} view={view} />, [round])
}

function OneRound({ round, view }: { round: RoundView; view: JobView }) {
  return (
    <section class={`round ${round.agrees ? '' : 'differs'}`}>
      <h3>
        <a href={`#/job/${view.job}/round/${round.round}`}>Round {round.round}</a>{' '}
        {round.agrees ? <span class="tag good">equal to the vote</span> : <span class="tag bad">differs from the vote</span>}
      </h3>
      {!round.agrees && (
        <p class="bad-text">
          The sheets give root <Name of={round.root} kind="hash" />, the quorum voted <Name of={round.votedRoot} kind="hash" />.
        </p>
      )}
      <Table
        caption={`Ledger of round ${round.round}`}
        columns={[
          { head: 'Trainer' },
          { head: 'Verdict' },
          { head: 'Gain', number: true },
          { head: 'News', number: true },
          { head: 'Avg gain', number: true },
          { head: 'Avg news', number: true },
          { head: 'Avg fresh', number: true },
          { head: 'Share', number: true },
          { head: 'Pay', number: true },
          { head: 'Update' },
          { head: 'Submitted in' },
          { head: 'Claimed in' },
        ]}
        rows={round.cells.map((cell) => ({ key: cell.trainer, cells: cells(cell, view) }))}
      />
    </section>
  )
}

function cells(cell: LedgerCell, view: JobView) {
  const { update, share, record } = cell
  return [
    <Name of={cell.trainer} kind="address" />,
    <>
      {update ? <VerdictTag of={update.verdict} update={update} /> : <span class="tag quiet">absent</span>}
      {cell.strike && <span class="tag bad">strike</span>}
      {update && <Each values={update.opinions.map((o) => o.verdict)} unlike={update.verdict} />}
    </>,
    <>
      {milli(update?.gain ?? null)}
      {update && <Each values={update.opinions.map((o) => milli(o.gain))} />}
    </>,
    <>
      {milli(update?.news ?? null)}
      {update && <Each values={update.opinions.map((o) => milli(o.news))} />}
    </>,
    share ? times(share.averageGain) : average(record?.cg, record?.dg),
    share ? times(share.averageNews) : average(record?.cn, record?.dn),
    share ? times(share.averageFresh) : average(record?.cf, record?.df),
    share ? percent(share.part) + (share.capped ? ' (cap)' : '') : '–',
    <Amount value={cell.pay} token={view.token} unit={false} />,
    update ? <Name of={update.cid} kind="cid" /> : '',
    update ? <Name of={update.tx} kind="transaction" /> : '',
    cell.claimed ? <Name of={cell.claimed.tx} kind="transaction" /> : cell.pay ? <span class="muted">not yet</span> : '',
  ]
}

const average = (sum?: bigint, weight?: bigint) => (sum === undefined || !weight ? '–' : times(Number((sum * 1000n) / weight) / 1000))

/** What the validators said, by seat; left out where all said the same as the median. */
function Each({ values, unlike }: { values: string[]; unlike?: string | null }) {
  if (unlike !== undefined && values.every((value) => value === unlike)) return null
  return <span class="each">{values.join(' · ')}</span>
}

