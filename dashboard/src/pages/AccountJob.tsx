/** What an account did in a job, and what came of it: as trainer and why, as validator, as sponsor. */
import type { Address } from 'viem'
import { Strip, StripKey } from '../charts/Strip'
import { date } from '../dates'
import { PHASES } from '../protocol/phases'
import { Amount, Measure } from '../ui/Amount'
import { plural, standing } from '../ui/format'
import { Name } from '../ui/Name'
import { ClaimedIn, Facts, More, VerdictTag } from '../ui/parts'
import { StateTag } from '../ui/StateTag'
import { Table } from '../ui/Table'
import { claimsOpen } from '../view/claims'
import { coloursOf } from '../view/colours'
import { bondFree } from '../view/dues'
import type { AccountView, JobView, TrainerView, ValidatorView } from '../view/model'
import { bestOf, spent } from '../view/sums'
import { OF_TRAINERS, OF_VALIDATORS, trainerStrip, validatorStrip } from './marks'
import { metricName, titleOf } from './explained'
import { Why } from './Why'

type Part = AccountView['jobs'][number]

export function AccountJob({ part: { job, view, roles, trainer, validator }, address }: { part: Part; address: Address }) {
  const { phase, deadline } = { phase: view.phase, ...view.waiting }
  return (
    <section class="card">
      <div class="heading">
        <h2><a href={`#/job/${job}`}>{titleOf(view)}</a> <StateTag of={phase} failures={view.failures} /></h2>
        <span class="muted">{view.spec && `Job ${job} · `}{roles.join(', ')}</span>
      </div>
      {view.waiting.waitingFor.includes(address) && <p><strong>Due now: {PHASES[phase].title.toLowerCase()}</strong>, until {date(deadline)}.</p>}
      {trainer && <AsTrainer trainer={trainer} view={view} />}
      {validator && <AsValidator member={validator} view={view} />}
      {roles.includes('sponsor') && <AsSponsor view={view} />}
    </section>
  )
}

function AsTrainer({ trainer, view }: { trainer: TrainerView; view: JobView }) {
  const known = view.spec !== null
  const cells = view.rounds.flatMap((round) => round.cells.filter((cell) => cell.trainer === trainer.address))
  const { slashUntil } = view.books
  return (
    <>
      <p>
        {known ? <><strong><Amount value={trainer.earned} token={view.token} /></strong> earned</> : 'What it earned is not known without the spec'}
        ; <Amount value={trainer.claimed} token={view.token} /> claimed.
      </p>
      <TooLate amount={trainer.earned - trainer.claimed} view={view} />
      <Strip cells={trainerStrip(cells)} colour={coloursOf(view.trainers).get(trainer.address)} />
      {cells.length > 0 && <StripKey of={OF_TRAINERS} />}
      <Why view={view} trainer={trainer.address} />
      <p class="note">
        Bond: <Amount value={trainer.bondLeft} token={view.token} />
        {trainer.bondLeft > 0n && !bondFree(view) && (slashUntil ? `, free from ${date(slashUntil)}` : ', free some time after the job’s end')}.
        {known && <> Reputation {standing(trainer.reputation)}. {trainer.strikes > 0 && <span class="bad-text">{plural(trainer.strikes, 'strike')}.</span>}</>}
      </p>
      {cells.length > 0 && (
        <More summary={`Every round, one by one: ${plural(cells.length, 'round')}`}>{() => <History view={view} address={trainer.address} />}</More>
      )}
    </>
  )
}

function TooLate({ amount, view }: { amount: bigint; view: JobView }) {
  if (amount <= 0n || claimsOpen(view.books, view.head.timestamp)) return null
  return (
    <p class="note">
      <Amount value={amount} token={view.token} /> was not claimed until {date(view.books.claimUntil)}, the end of the time to claim: it is lost.
    </p>
  )
}

function History({ view, address }: { view: JobView; address: Address }) {
  const rows = [...view.rounds].reverse().flatMap((round) => {
    const cell = round.cells.find((one) => one.trainer === address)
    if (!cell) return []
    return [{
      key: round.round,
      cells: [
        <a href={`#/job/${view.job}/round/${round.round}`}>{round.round}</a>,
        <>
          {cell.update ? <VerdictTag of={cell.update.verdict} update={cell.update} /> : <span class="tag quiet">absent</span>}
          {cell.strike && <span class="tag bad">strike</span>}
          {!round.agrees && <span class="tag bad">differs</span>}
        </>,
        <Amount value={cell.pay} token={view.token} form="table" />,
        <ClaimedIn cell={cell} view={view} />,
        standing(cell.reputation),
      ],
    }]
  })
  return (
    <Table
      caption={`History in job ${view.job}`}
      empty="No round is finalised yet."
      columns={[{ head: 'Round' }, { head: 'Verdict' }, { head: 'Pay', number: true }, { head: 'Claimed in' }, { head: 'Reputation', number: true }]}
      rows={rows}
    />
  )
}

function AsValidator({ member, view }: { member: ValidatorView; view: JobView }) {
  return (
    <>
      <Facts
        of={[
          ['Fees earned', <Amount value={member.fees} token={view.token} />],
          ['Matched', member.matched],
          ['Wrong', member.wrong ? <span class="bad-text">{member.wrong}</span> : 0],
          ['Missed', member.missed],
        ]}
      />
      <TooLate amount={member.fees - member.feesPaid} view={view} />
      <Strip cells={validatorStrip(member, view.finalized)} />
      {view.finalized > 0 && <StripKey of={OF_VALIDATORS} />}
    </>
  )
}

function AsSponsor({ view }: { view: JobView }) {
  const { books, token, metrics, rounds } = view
  const model = rounds.at(-1)?.model
  return (
    <Facts
      of={[
        ['Spent', <><Amount value={spent(view)} token={token} /> of <Amount value={books.escrowed} token={token} /></>],
        [`Best ${metricName(view).toLowerCase()}`, <Measure value={bestOf(metrics)?.metric ?? null} />],
        ['Model', model ? <Name of={model} kind="cid" /> : '–'],
        ['Left', <Amount value={books.left} token={token} />],
        ['Taken back', <Amount value={books.refunded} token={token} />],
      ]}
    />
  )
}
