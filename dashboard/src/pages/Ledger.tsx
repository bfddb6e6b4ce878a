/** Trainer × round: what each update was worth and what was paid for it, worked out in this page from the chain. */
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { sum } from '../protocol/exact'
import { Amount, symbolOf } from '../ui/Amount'
import { Banner } from '../ui/Banner'
import { milli, percent, standing } from '../ui/format'
import { Name } from '../ui/Name'
import { ClaimedIn, Section, VerdictTag } from '../ui/parts'
import { Table } from '../ui/Table'
import type { JobView, LedgerCell, RoundView } from '../view/model'
import { download, ledgerCsv } from './csv'
import { JobFrame } from './JobFrame'
import { Timeline } from './Timeline'

const ROWS = 200 // that are added at once

export function Ledger({ job }: { job: number }) {
  return (
    <JobFrame job={job} here="rounds">
      {(view) => (
        <>
          <Inside view={view} />
          <Section title="Every attempt">
            <Timeline view={view} />
          </Section>
        </>
      )}
    </JobFrame>
  )
}

function Inside({ view }: { view: JobView }) {
  const rounds = useMemo(() => [...view.rounds].reverse(), [view])
  const page = Math.max(1, Math.min(10, Math.floor(ROWS / view.trainers.length))) // rounds
  const [count, show] = useState(page)
  if (view.spec === null) return <p class="empty">No ledger without the spec.</p>
  if (!rounds.length) return <p class="empty">No round is settled yet: nothing was earned.</p>
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
          validator’s below. So far: in all rounds; of what was, five sixths stay each round. Pay, in {symbolOf(view.token)}, is in proportion
          to gain so far, as far as enough of it was news. Below a pay and an update: the transactions that claimed and submitted it.
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
  const earned = sum(view.trainers.map((each) => each.earned))
  const claimed = sum(view.trainers.map((each) => each.claimed))
  const fees = sum(view.validators.map((each) => each.feesPaid))
  const paid = view.books.paid
  const whole = claimed + fees === paid
  const columns = ['Trainer', 'Earned', 'Claimed', 'Not claimed', 'Rounds paid', 'Bond', 'Strikes', 'Reputation'].map((head, i) => ({ head, number: i > 0 }))
  return (
    <Section title="Sums">
      <Banner tone={whole ? 'good' : 'bad'} title={whole ? 'The ledger adds up to what was paid' : 'The ledger differs from what was paid'}>
        <p>
          Claimed by trainers <Amount value={claimed} token={view.token} open /> + fees <Amount value={fees} token={view.token} open />{' '}
          {whole ? '=' : '≠'} paid by the vault <Amount value={paid} token={view.token} open />. Earned in all:{' '}
          <Amount value={earned} token={view.token} open />.
        </p>
      </Banner>
      <Table
        caption="Sums by trainer"
        columns={columns}
        rows={view.trainers.map((trainer) => {
          const paidRounds = view.rounds.filter((r) => r.cells.some((c) => c.trainer === trainer.address && c.pay > 0n)).length
          const amount = (value: bigint) => <Amount value={value} token={view.token} unit={false} />
          return {
            key: trainer.address,
            cells: [
              <Name of={trainer.address} kind="address" />,
              amount(trainer.earned),
              amount(trainer.claimed),
              amount(trainer.earned - trainer.claimed),
              paidRounds,
              amount(trainer.bondLeft),
              trainer.strikes ? <span class="bad-text">{trainer.strikes}</span> : 0,
              standing(trainer.reputation),
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
          The sheets give <Name of={round.root} kind="hash" />, the quorum voted <Name of={round.votedRoot} kind="hash" />.
        </p>
      )}
      <Table
        caption={`Ledger of round ${round.round}`}
        columns={[
          { head: 'Trainer' },
          { head: 'Verdict' },
          { head: 'Pay', number: true, title: 'Below it: the transaction that claimed it' },
          { head: 'Share', number: true },
          { head: 'Gain', number: true },
          { head: 'News', number: true },
          { head: 'Gain so far', number: true },
          { head: 'News so far', number: true },
          { head: 'Counts', number: true },
          { head: 'Update', title: 'Below it: the transaction that submitted it' },
        ]}
        rows={round.cells.map((cell) => ({ key: cell.trainer, cells: cells(cell, view) }))}
      />
    </section>
  )
}

function cells(cell: LedgerCell, view: JobView) {
  const { update, share, record } = cell
  const opinions = update?.opinions ?? []
  const measured = (of: 'gain' | 'news') => opinions.map((each) => (each.verdict === 'ok' ? milli(each[of]) : '–'))
  return [
    <Name of={cell.trainer} kind="address" />,
    <>
      <span class="tags">
        {update ? <VerdictTag of={update.verdict} update={update} /> : <span class="tag quiet">absent</span>}
        {cell.strike && <span class="tag bad">strike</span>}
      </span>
      <Each values={opinions.map((each) => each.verdict)} unless={(said) => said === update?.verdict} />
    </>,
    <>
      <Amount value={cell.pay} token={view.token} unit={false} />
      <Below>{cell.pay > 0n && <ClaimedIn cell={cell} view={view} />}</Below>
    </>,
    share ? percent(share.part) : '–',
    <>
      {milli(update?.gain ?? null)}
      <Each values={measured('gain')} unless={(said) => said === '–'} />
    </>,
    <>
      {milli(update?.news ?? null)}
      <Each values={measured('news')} unless={(said) => said === '–'} />
    </>,
    milli(record?.gain ?? null),
    milli(record?.news ?? null),
    milli(share?.counted ?? null),
    update && (
      <>
        <Name of={update.cid} kind="cid" />
        <Below><Name of={update.tx} kind="transaction" /></Below>
      </>
    ),
  ]
}

const Below = ({ children }: { children: ComponentChildren }) => (children ? <span class="each">{children}</span> : null)

/** What the validators said, by seat; left out where `unless` holds for all. */
function Each({ values, unless }: { values: string[]; unless: (said: string) => boolean }) {
  return values.every(unless) ? null : <Below>{values.join(' · ')}</Below>
}
