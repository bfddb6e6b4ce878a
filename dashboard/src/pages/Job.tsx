/** One job: where it stands, how its model gets better, who contributes, what was agreed. */
import { Curve } from '../charts/Curve'
import { isOver } from '../protocol/phases'
import { escapeUntrusted } from '../protocol/text'
import { useBook } from '../ui/book'
import { Amount, Measure } from '../ui/Amount'
import { nano } from '../ui/format'
import { Section } from '../ui/parts'
import { Time } from '../ui/Time'
import { coloursOf } from '../view/colours'
import type { JobGlance, JobView, RoundView } from '../view/model'
import { bestOf, earnedBy, lately, spent, updatesUsed } from '../view/sums'
import { troubleOf } from '../view/trouble'
import { metricName, paidIn, termsInWords, tokens } from './explained'
import { JobFrame } from './JobFrame'
import { Later } from './Later'
import { ModelBox } from './ModelBox'
import { Now } from './Now'
import { Trainers } from './Trainers'
import { Answered, TroubleBanner } from './Trouble'

export function Job({ job }: { job: number }) {
  return (
    <JobFrame job={job} here="job" early={(glance) => <Sight view={glance} />}>
      {(view) => <Whole view={view} />}
    </JobFrame>
  )
}

function Whole({ view }: { view: JobView }) {
  const trouble = troubleOf(view, view.head.timestamp)
  return (
    <>
      {trouble && <TroubleBanner view={view} trouble={trouble} />}
      <Now view={view} cycles={view.cycles} />
      {trouble && <Answered view={view} />}
      <Tiles view={view} whole={view} />
      <Better view={view}><ModelBox view={view} /></Better>
      <Trainers view={view} rounds={roundsToCome(view)} />
      <Latest view={view} />
      <InWords view={view} />
      <Later>{({ WhoDecides }) => <WhoDecides view={view} />}</Later>
    </>
  )
}

/** What needs no event but the rounds' metrics. */
function Sight({ view }: { view: JobGlance }) {
  return (
    <>
      <Now view={view} />
      <Tiles view={view} />
      <Better view={view}><section class="card" aria-hidden="true" /></Better>
      <InWords view={view} />
    </>
  )
}

function Tiles({ view, whole }: { view: JobGlance; whole?: JobView }) {
  const { token, metrics, baselines } = view
  const [best, last, gained] = [bestOf(metrics), metrics.at(-1), lately(view)]
  const earned = whole?.rounds.length ? earnedBy(whole) : null
  const updates = whole?.rounds.length ? updatesUsed(whole) : null
  const against = baselines[0] ? `; ${escapeUntrusted(baselines[0].name, 40)} ${nano(baselines[0].metric)}` : ''
  return (
    <dl class="tiles">
      <div>
        <dt>{metricName(view)}</dt>
        <dd><b><Measure value={last?.metric ?? null} /></b><small>{!last ? 'no round is settled yet' : best === last ? 'best so far' : `best ${nano(best?.metric ?? null)}, round ${best?.round}`}{against}</small></dd>
      </div>
      <div>
        <dt>Spent so far</dt>
        <dd><b><Amount value={spent(view)} token={token} form="tile" unit={false} /></b> of <Amount value={view.books.escrowed} token={token} form="tile" />
          {earned && <small>{tokens(earned.trainers, token)} to trainers, {tokens(earned.validators, token)} to validators</small>}</dd>
      </div>
      <div>
        <dt>{!gained ? 'A round' : gained.rounds < metrics.length - 1 ? `The last ${gained.rounds} rounds` : `Since round ${metrics[0]?.round}`}</dt>
        <dd>{gained ? <><b>{gained.gain > 0n ? '+' : ''}{nano(gained.gain)}</b><small>for {tokens(gained.cost, token)}</small></>
          : <><b><Amount value={view.terms.rewardPerRound} token={token} form="tile" unit={false} /></b> <small>to trainers</small></>}</dd>
      </div>
      <div>
        <dt>{updates ? 'Updates used' : 'Trainers'}</dt>
        <dd>{updates ? <><b>{updates.used}</b> of {updates.all}<small>{updates.all - updates.used ? `${updates.all - updates.used} left out` : 'none was left out'}</small></>
          : <><b>{view.enrolled}</b> of at most {view.terms.maxTrainers}</>}</dd>
      </div>
    </dl>
  )
}

function Better({ view, children }: { view: JobGlance; children: preact.ComponentChildren }) {
  const points = view.metrics
  const drawn = view.baselines.map((line) => line.name)
  const unmeasured = (view.spec?.baselines ?? []).filter((text) => !drawn.some((name) => text.startsWith(name))).map((text) => escapeUntrusted(text, 80))
  return (
    <div class="beside">
      <Section title="Is the model getting better?" aside={<span class="muted">{metricName(view).toLowerCase()} by round</span>} card>
        {points.length ? <Curve name="Metric by round" points={points} baselines={view.baselines} rounds={roundsToCome(view)} /> : <p class="empty">No round is settled yet.</p>}
        {unmeasured.length > 0 && <p class="note">The spec also names, without a number: {unmeasured.join('; ')}.</p>}
      </Section>
      {children}
    </div>
  )
}

/** Rounds in all; of a job that is over, those that it had. */
const roundsToCome = (view: JobGlance) => (isOver(view.phase) ? view.finalized : view.terms.maxRounds)

const NEWEST = 5 // rounds

function Latest({ view }: { view: JobView }) {
  const rounds = view.rounds.slice(-NEWEST).reverse()
  if (!rounds.length) return null
  return (
    <Section title="Latest rounds" aside={<a href={`#/job/${view.job}/rounds`}>All {view.rounds.length}, pay and CSV</a>} card>
      <ol class="latest">{rounds.map((round) => <OneRound key={round.round} view={view} round={round} />)}</ol>
    </Section>
  )
}

function OneRound({ view, round }: { view: JobView; round: RoundView }) {
  const colours = coloursOf(view.trainers)
  const { told } = useBook()
  const { paid, others } = paidIn(round, view.token, told)
  return (
    <li>
      <a href={`#/job/${view.job}/round/${round.round}`}>Round {round.round}</a> <b>{nano(round.metric)}</b>
      <span>
        {paid.map(({ trainer, text }) => <span key={trainer} class="who"><span class={`swatch ${colours.get(trainer)}`} />{text}</span>)}
        {others && <span class="muted">{others}</span>}
      </span>
      {round.cycle.outcome.kind === 'finalized' && <span class="muted"><Time at={round.cycle.outcome.time} /></span>}
    </li>
  )
}

function InWords({ view }: { view: JobGlance }) {
  return (
    <Section title="The terms in words" aside={<a href={`#/job/${view.job}/terms`}>All terms and the spec</a>} card>
      <ul class="words">{termsInWords(view).map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
    </Section>
  )
}
