/** What a job is bound to: terms, spec, the chain of its models. */
import { NO_TARGET } from '../chain/structs'
import { burnsUnusable, TIMED } from '../protocol/phases'
import { whoSees } from '../protocol/spec'
import { escapeUntrusted } from '../protocol/text'
import { Amount, Measure } from '../ui/Amount'
import { capitalised, duration, exact, plural } from '../ui/format'
import { Name } from '../ui/Name'
import { Facts, More, Section } from '../ui/parts'
import { Table } from '../ui/Table'
import type { JobGlance, JobView, UpdateView } from '../view/model'
import { JobFrame } from './JobFrame'

const NEWEST = 20 // models that are named at once

export function Terms({ job }: { job: number }) {
  return (
    <JobFrame job={job} here="terms" early={(glance) => <><TermsFacts view={glance} /><SpecFacts view={glance} /></>}>
      {(view) => <><TermsFacts view={view} /><SpecFacts view={view} /><ModelChain view={view} /></>}
    </JobFrame>
  )
}

function ModelChain({ view }: { view: JobView }) {
  const rows = view.rounds.map((round) => ({
    key: round.round,
    cells: [
      <a href={`#/job/${view.job}/round/${round.round}`}>Round {round.round}</a>,
      <Name of={round.model} kind="cid" />,
      <Used updates={round.cycle.updates.filter((update) => update.included)} />,
      <Name of={round.parent} kind="cid" />,
    ],
  }))
  const start = { key: 0, cells: ['Start', <Name of={view.terms.model} kind="cid" />, '', 'the sponsor’s'] }
  const all = [...rows.reverse(), start]
  const table = (caption: string, some: typeof all) => (
    <Table caption={caption} columns={[{ head: 'Round' }, { head: 'Model' }, { head: 'Included updates' }, { head: 'Previous model' }]} rows={some} />
  )
  return (
    <Section title="Model chain">
      {!view.spec && <p class="note">Without the spec the rounds are among the attempts alone.</p>}
      {table('Model chain', all.slice(0, NEWEST))}
      {all.length > NEWEST && <More summary={plural(all.length - NEWEST, 'earlier model')}>{() => table('Earlier models', all.slice(NEWEST))}</More>}
    </Section>
  )
}

const FEW = 4

function Used({ updates }: { updates: UpdateView[] }) {
  const names = () => (
    <span class="names">
      {updates.map((update) => (
        <Name key={update.place} of={update.cid} kind="cid" />
      ))}
    </span>
  )
  return updates.length <= FEW ? names() : <More summary={plural(updates.length, 'update')}>{names}</More>
}

function SpecFacts({ view }: { view: JobGlance }) {
  const { spec, terms } = view
  return (
    <Section title="Spec" aside={<Name of={terms.spec} kind="cid" />}>
      {!spec && <p class="empty">The spec could not be read.</p>}
      {spec && (
        <>
          <Facts
            of={[
              ...said('Title', spec.title),
              ...said('About', spec.about),
              ['Task', escapeUntrusted(spec.task)],
              ...said('Metric', spec.metric),
              ['Steps a round', spec.steps],
              ['Update', `${spec.bits} bits a number`],
              ['Aggregation', escapeUntrusted(spec.rule, 40)],
              ['Weights', spec.weights === 'bond' ? 'by bond' : 'equal'],
              ['Who can see an update', whoSees(spec, terms.seats)],
              ['Content keys', spec.publishKeys ? 'published at the end' : 'stay with the trainers'],
            ]}
          />
          <details>
            <summary>The spec as it is stored</summary>
            <pre tabIndex={0}>{escapeUntrusted(spec.raw, 20_000)}</pre>
          </details>
        </>
      )}
    </Section>
  )
}

/** A line about what a sponsor may leave unsaid. */
function said(name: string, text: string | null): [string, string][] {
  return text ? [[name, escapeUntrusted(text.replace(/\s+/g, ' '))]] : []
}

function TermsFacts({ view }: { view: JobGlance }) {
  const { terms, token } = view
  const phases = TIMED.filter(({ term }) => terms[term] > 0)
  const target = terms.targetMetric >= NO_TARGET ? 'none' : <Measure value={terms.targetMetric} />
  return (
    <Section title="Terms" aside={<Name of={view.termsHash} kind="hash" />}>
      <Facts
        of={[
          ['Token', <Name of={terms.token} kind="address" />],
          ['Committee contract', <Name of={terms.committee} kind="address" />],
          ['Admission contract', <Name of={terms.admission} kind="address" />],
          ['Admission asked', terms.recheckAdmission ? 'at enrolment and every submit' : 'at enrolment'],
          ['Least bond', <Amount value={terms.minBond} token={token} />],
          ['Penalty a strike', <Amount value={terms.strikePenalty} token={token} />],
          ['Rounds', `at most ${terms.maxRounds}`],
          ['Target metric', target],
          ['Patience', terms.patience ? `${terms.patience} rounds without a better metric` : 'no limit'],
          ['Trainers', `at most ${terms.maxTrainers}; ${terms.minUpdates} updates make a round`],
          ['Seats', `${terms.seats}; ${terms.quorum} must agree`],
          ['Failures in a row', `${terms.maxFailures} end the job`],
          ['A cycle that the committee fails', `burns ${exact(BigInt(terms.failureBurn), 2)} % of a round`],
          ['One without a usable update', burnsUnusable(terms) ? 'burns the same' : 'burns nothing'],
          ['Claims until', `${duration(terms.claimTime)} after the end`],
          ['Bonds free', `${duration(terms.slashTime)} after the end`],
        ]}
      />
      <p class="note">
        Longest phases: {phases.map(({ name, term }) => `${capitalised(name)} ${duration(terms[term])}`).join(' · ')}
      </p>
    </Section>
  )
}
