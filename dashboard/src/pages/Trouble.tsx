/** A banner where a job goes wrong: what failed, who was missing, what each role does now; below it who has answered. */
import { isOver } from '../protocol/phases'
import { Amount } from '../ui/Amount'
import { useBook } from '../ui/book'
import { plural } from '../ui/format'
import { Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { STATES } from '../ui/states'
import { Table } from '../ui/Table'
import type { JobView } from '../view/model'
import { answersOf, headline, listed, type Answer, type Trouble } from '../view/trouble'

const MOST_NAMED = 24

export function TroubleBanner({ view, trouble }: { view: JobView; trouble: Trouble }) {
  const { told } = useBook()
  const { failures, missing, late, trainers, lacks, burnt, over, why } = trouble
  const who = [...new Set([...missing, ...late])]
  const more = who.length - MOST_NAMED
  return (
    <div class={`banner ${failures ? 'bad' : 'warn'} trouble`} role="alert">
      <div>
        <h2>{headline(trouble, told)}</h2>
        {failures > 0 && (
          <p>
            In the last attempt {missing.length ? `${plural(missing.length, trainers ? 'trainer' : 'validator')} sent ${lacks} in time` : why}.{' '}
            {burnt > 0n && <><Amount value={burnt} token={view.token} /> were burnt.</>}
          </p>
        )}
        {who.length > 0 && <p class="names">{who.slice(0, MOST_NAMED).map((address) => <Name key={address} of={address} kind="address" />)}{more > 0 && <span>and {more} more</span>}</p>}
        {!over && <Commands job={view.job} trouble={trouble} />}
      </div>
    </div>
  )
}

function Commands({ job, trouble: { validators, failures } }: { job: number; trouble: Trouble }) {
  const { told } = useBook()
  return (
    <>
      <p><b>You run a trainer?</b> It goes on by itself while it runs: <code>hansa trainer run --job {job}</code></p>
      <p>
        <b>You run {validators.length ? listed(validators.map(told), 'or') : 'a validator'}?</b> <code>hansa doctor</code>, then{' '}
        <code>hansa aggregator run --job {job}</code>
      </p>
      {failures > 0 && <p><b>You are the sponsor?</b> <code>hansa job stop {job}</code> ends it before more is burnt.</p>}
    </>
  )
}

export function Answered({ view }: { view: JobView }) {
  const { attempts, rows } = answersOf(view)
  if (!attempts.length) return null
  return (
    <Section title="Who has answered" aside={<span class="muted">{isOver(view.phase) ? 'the last attempts' : 'the last attempts, newest on the right'}</span>}>
      <Table
        caption="Who has answered"
        columns={[{ head: 'Party' }, ...attempts.map((head) => ({ head })), { head: 'Last seen' }]}
        rows={rows.map(({ who, role, cells, seen }) => ({
          key: `${role} ${who}`,
          cells: [<><Name of={who} kind="address" /> <span class="muted">{role}</span></>, ...cells.map((cell) => <Said of={cell} />), seen === null ? 'in no block of this job' : `block ${seen}`],
        }))}
      />
    </Section>
  )
}

const SHAPES = { good: STATES.completed, bad: STATES.trouble, open: STATES.open, quiet: null }

function Said({ of: { tone, word } }: { of: Answer }) {
  const shape = SHAPES[tone]?.shape
  return <span class={`tag ${tone}`}>{shape && <svg viewBox="0 0 12 12" aria-hidden="true"><path d={shape} /></svg>}{word}</span>
}
