/** What a job is at: in a sentence, for whom it waits, how far the round is. */
import type { Address } from 'viem'
import { date } from '../dates'
import { isOver, PHASES, TIMED } from '../protocol/phases'
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { duration, nano, plural } from '../ui/format'
import { useNow } from '../ui/load'
import { Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { claimsOpen } from '../view/claims'
import type { JobGlance, JobView } from '../view/model'
import { metricName, restOf } from './explained'

export function Now({ view, cycles = [] }: { view: JobGlance; cycles?: JobView['cycles'] }) {
  const over = isOver(view.phase)
  return (
    <Section title={over ? 'How it ended' : heading(view, cycles)} card>
      <div class="now">
        <div>{over ? <Ended view={view} /> : <Waits view={view} cycles={cycles} />}</div>
        {!over && view.phase !== 'ENROL' && <Stepper view={view} />}
      </div>
    </Section>
  )
}

const ORDINALS = ['', 'first', 'second', 'third', 'fourth', 'fifth']

function heading({ phase, finalized, terms }: JobGlance, cycles: JobView['cycles']): string {
  if (phase === 'ENROL') return 'Open to join'
  const attempts = cycles.filter(({ round }) => round === finalized + 1).length
  const attempt = attempts > 1 ? `, ${ORDINALS[attempts] ?? `${attempts}th`} attempt` : ''
  return `Round ${finalized + 1} of ${terms.maxRounds}${attempt}: ${PHASES[phase].title.toLowerCase()}`
}

function Waits({ view, cycles }: { view: JobGlance; cycles: JobView['cycles'] }) {
  const left = view.waiting.deadline - useNow()
  const { waiting, phase } = view
  return (
    <>
      <p class="lead">{PHASES[phase].says}</p>
      {phase !== 'OPEN' && <p>{waiting.note}</p>}
      {waiting.waitingFor.length > 0 && <Names title="Waiting for" of={waiting.waitingFor} />}
      {view.stopping && <p>The sponsor asked for the end: the job ends with the attempt under way.</p>}
      {waiting.deadline > 0 && <p class="note">{left > 0 ? `At most ${duration(left)} more` : 'Time is up'}{usual(cycles)}.</p>}
    </>
  )
}

/** How long the latest rounds took. */
function usual(cycles: JobView['cycles']): string {
  const ends = cycles.flatMap(({ outcome }) => (outcome.kind === 'open' ? [] : [outcome.time])).slice(-6)
  const took = ends.slice(1).map((end, i) => end - ends[i]!)
  if (took.length < 2) return ''
  const [least, most] = [duration(Math.min(...took)), duration(Math.max(...took))]
  return `; the last ${took.length} attempts took ${least === most ? least : `${least} to ${most}`} each`
}

function Names({ title, of }: { title: string; of: Address[] }) {
  return (
    <p class="names">
      <span class="label">{title} </span>
      {of.map((address) => <Name key={address} of={address} kind="address" />)}
    </p>
  )
}

function Stepper({ view: { phase, terms, waiting } }: { view: JobGlance }) {
  const steps = TIMED.filter(({ name, term }) => name !== 'ENROL' && name !== 'OPEN' && terms[term] > 0)
  const here = steps.findIndex(({ name }) => name === phase)
  const [done, due] = [waiting.acted.length, waiting.acted.length + waiting.waitingFor.length]
  return (
    <ol class="steps">
      {steps.map(({ name, title }, i) => (
        <li key={name} class={i < here ? 'done' : ''} aria-current={i === here ? 'step' : undefined}>
          {title}
          {i === here && due > 0 && <span>{done} of {due}</span>}
        </li>
      ))}
    </ol>
  )
}

function Ended({ view }: { view: JobGlance }) {
  const last = view.metrics.at(-1)
  const [line] = view.baselines
  return (
    <>
      <p class="lead">{view.waiting.note}</p>
      {last && (
        <p>
          {metricName(view)} is {nano(last.metric)}{line && `, ${nano(last.metric - line.metric)} over ${escapeUntrusted(line.name, 40)}`}; <Amount value={view.books.booked} token={view.token} /> were
          booked to {plural(view.enrolled, 'trainer')} and the validators.
        </p>
      )}
      {restOf(view).map((sentence) => <p key={sentence}>{sentence}</p>)}
      <Until view={view} />
    </>
  )
}

/** How long pay and fees can be claimed, and what becomes of the rest. */
export function Until({ view: { books, token, head } }: { view: JobGlance }) {
  const open = books.booked - books.paid
  if (!books.claimUntil) return null
  if (claimsOpen(books, head.timestamp)) return <p>Pay and fees can be claimed until {date(books.claimUntil)}.</p>
  return (
    <p>
      The time to claim ended at {date(books.claimUntil)}. {open > 0n ? (
        <><Amount value={open} token={token} /> that nobody claimed can only be burnt now: a call of the vault, expire, by anybody.</>
      ) : 'What nobody claimed is burnt.'} Bonds and the sponsor’s rest don’t expire.
    </p>
  )
}
