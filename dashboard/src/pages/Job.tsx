/** One job: where it stands, how its model gets better, who takes part, what was agreed. */
import type { Address } from 'viem'
import { Curve } from '../charts/Curve'
import { date } from '../dates'
import { isOver, PHASES } from '../protocol/phases'
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { duration, plural } from '../ui/format'
import { useNow } from '../ui/load'
import { Name } from '../ui/Name'
import { Facts, Section } from '../ui/parts'
import { claimsOpen } from '../view/claims'
import type { JobGlance } from '../view/model'
import { restOf } from './explained'
import { JobFrame } from './JobFrame'
import { ModelChain, SpecFacts, TermsFacts } from './JobParts'
import { Timeline } from './Timeline'
import { Trainers } from './Trainers'

export function Job({ job }: { job: number }) {
  return (
    <JobFrame job={job} here="job" early={(glance) => <Sight view={glance} />}>
      {(view) => (
        <>
          <Now view={view} />
          <Metric view={view} />
          <Section title="Timeline">
            <Timeline view={view} />
          </Section>
          <Trainers view={view} rounds={roundsToCome(view)} />
          <ModelChain view={view} />
          <Agreed view={view} />
        </>
      )}
    </JobFrame>
  )
}

/** What needs no event but the rounds' metrics. */
function Sight({ view }: { view: JobGlance }) {
  return (
    <>
      <Now view={view} />
      <Metric view={view} />
      <Agreed view={view} />
    </>
  )
}

function Agreed({ view }: { view: JobGlance }) {
  return (
    <>
      <Section title="Books">
        <BooksFacts view={view} />
      </Section>
      <SpecFacts view={view} />
      <TermsFacts view={view} />
    </>
  )
}

function Now({ view }: { view: JobGlance }) {
  const now = useNow()
  const { waiting, terms } = view
  const left = waiting.deadline - now
  return (
    <Section title={isOver(view.phase) ? 'How it ended' : 'Now'}>
      <p class="lead">
        {isOver(view.phase) ? waiting.note : PHASES[view.phase].says}{' '}
        {!isOver(view.phase) && waiting.deadline > 0 && (
          <strong>{left > 0 ? `${duration(left)} left` : 'time is up'}</strong>
        )}
      </p>
      {view.stopping && <p>The sponsor asked for the end: the job ends with the attempt under way.</p>}
      {!isOver(view.phase) && waiting.note && <p>{waiting.note}</p>}
      {isOver(view.phase) && restOf(view).map((sentence) => <p key={sentence}>{sentence}</p>)}
      {view.books.claimUntil > 0 && <Until view={view} />}
      <Facts
        of={[
          ['Rounds', `${view.finalized} of ${terms.maxRounds}`],
          ['Reward a round', <Amount value={terms.rewardPerRound} token={view.token} />],
          ['Fee a validator', <Amount value={terms.feePerSeat} token={view.token} />],
          ['Trainers', view.enrolled],
          ['Quorum', `${terms.quorum} of ${plural(terms.seats, 'validator')}`],
          ['Sponsor', <Name of={view.sponsor} kind="address" />],
        ]}
      />
      {waiting.acted.length > 0 && <Names title="Has acted" of={waiting.acted} />}
      {waiting.waitingFor.length > 0 && <Names title="Waiting for" of={waiting.waitingFor} />}
    </Section>
  )
}

/** How long pay and fees can be claimed, and what becomes of the rest. */
function Until({ view: { books, token, head } }: { view: JobGlance }) {
  const open = books.booked - books.paid
  if (claimsOpen(books, head.timestamp)) return <p>Pay and fees can be claimed until {date(books.claimUntil)}.</p>
  return (
    <p>
      The time to claim ended at {date(books.claimUntil)}. {open > 0n ? (
        <><Amount value={open} token={token} /> that nobody claimed can only be burnt now: a call of the vault, expire, by anybody.</>
      ) : 'What nobody claimed is burnt.'} Bonds and the sponsor’s rest don’t expire.
    </p>
  )
}

function Names({ title, of }: { title: string; of: Address[] }) {
  return (
    <p class="names">
      <span class="label">{title}: </span>
      {of.map((address) => (
        <Name key={address} of={address} kind="address" />
      ))}
    </p>
  )
}

function Metric({ view }: { view: JobGlance }) {
  const points = view.metrics
  if (!points.length) return null
  const drawn = view.baselines.map((line) => line.name)
  const unmeasured = (view.spec?.baselines ?? [])
    .filter((text) => !drawn.some((name) => text.startsWith(name)))
    .map((text) => escapeUntrusted(text, 80))
  return (
    <Section title="Metric by round">
      <Curve name="Metric by round" points={points} baselines={view.baselines} rounds={roundsToCome(view)} />
      {unmeasured.length > 0 && <p class="note">The spec also names, without a number: {unmeasured.join('; ')}.</p>}
    </Section>
  )
}

/** Rounds in all; of a job that is over, those that it had. */
const roundsToCome = (view: JobGlance) => (isOver(view.phase) ? view.finalized : view.terms.maxRounds)

function BooksFacts({ view }: { view: JobGlance }) {
  const { books, token } = view
  const lines: [string, bigint][] = [
    ['Escrowed', books.escrowed],
    ['Not yet taken', books.left],
    ['Taken by rounds', books.booked],
    ['Paid', books.paid],
    ['Burnt', books.burnt],
    ['Refunded', books.refunded],
    ['Bonds held', books.bonded],
    ['Penalties', books.forfeited],
  ]
  return <Facts of={lines.map(([name, value]) => [name, <Amount value={value} token={token} form="tile" />])} />
}
