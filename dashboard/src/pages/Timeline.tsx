/** Every attempt at every round, newest first: what happened, who acted, what failed and why. */
import { isOver, PHASES } from '../protocol/phases'
import { Amount } from '../ui/Amount'
import { nano, plural } from '../ui/format'
import { BlockLink, Name } from '../ui/Name'
import { More } from '../ui/parts'
import { Time } from '../ui/Time'
import type { CycleView, JobView } from '../view/model'
import { usedOf } from './explained'

const FIRST = 8

export function Timeline({ view }: { view: JobView }) {
  const cycles = [...view.cycles].reverse()
  if (!cycles.length && !view.lapses.length) return <p class="empty">No attempt has begun yet.</p>
  const lapsesAfter = (number: number) => view.lapses.filter((lapse) => lapse.afterCycle === number)
  const item = (cycle: CycleView) => (
    <>
      {lapsesAfter(cycle.number).map((lapse) => (
        <Lapse key={`lapse ${lapse.block}`} lapse={lapse} view={view} />
      ))}
      <Cycle key={cycle.number} cycle={cycle} view={view} />
    </>
  )
  return (
    <>
      <ol class="timeline">{cycles.slice(0, FIRST).map(item)}</ol>
      {cycles.length > FIRST && (
        <More summary={plural(cycles.length - FIRST, 'earlier attempt')}>{() => <ol class="timeline">{cycles.slice(FIRST).map(item)}</ol>}</More>
      )}
      <ol class="timeline">
        {lapsesAfter(0).map((lapse) => (
          <Lapse key={lapse.block} lapse={lapse} view={view} />
        ))}
      </ol>
    </>
  )
}

function Lapse({ lapse, view }: { lapse: JobView['lapses'][number]; view: JobView }) {
  return (
    <li class="bad">
      <strong>Nobody started the next attempt in time</strong>
      <p>
        {plural(lapse.failures, 'failure')} in a row; burnt: <Amount value={lapse.burnt} token={view.token} />; <BlockLink of={lapse.block} />
      </p>
    </li>
  )
}

function Cycle({ cycle, view }: { cycle: CycleView; view: JobView }) {
  const { outcome } = cycle
  const running = outcome.kind === 'open' && !isOver(view.phase)
  return (
    <li class={outcome.kind === 'failed' ? 'bad' : running ? 'live' : 'good'}>
      <strong>
        <a href={`#/job/${view.job}/round/${cycle.round}`}>Round {cycle.round}</a>{attempt(cycle, view)}
      </strong>{' '}
      <span class="muted">{outcome.kind === 'open' ? <>begun <Time at={view.openedAt} /></> : <Time at={outcome.time} />}</span>
      <p>
        {outcome.kind === 'finalized' && (
          <>
            Done, with metric <b>{nano(outcome.metric)}</b>: {usedOf(cycle)}, model{' '}
            <Name of={outcome.model} kind="cid" />
          </>
        )}
        {outcome.kind === 'failed' && (
          <>
            Failed: {outcome.why}. Burnt: <Amount value={outcome.burnt} token={view.token} />
          </>
        )}
        {running && <>{PHASES[view.phase].title}: {view.waiting.note || PHASES[view.phase].says}</>}
        {outcome.kind === 'open' && !running && 'The job ended with this attempt.'}
      </p>
      <Acts cycle={cycle} />
    </li>
  )
}

/** ', attempt 2', where it is not the only one at its round. */
function attempt({ round, number }: CycleView, { cycles }: JobView): string {
  const all = cycles.filter((each) => each.round === round)
  return all.length > 1 ? `, attempt ${all.findIndex((each) => each.number === number) + 1}` : ''
}

const STEPS = [['committed', 'measured'], ['revealed', 'revealed'], ['voted', 'voted']] as const

function Acts({ cycle }: { cycle: CycleView }) {
  return (
    <p class="acts">
      <span>{plural(cycle.updates.length, 'update')} in</span>
      {STEPS.map(([step, word]) => (
        <span key={step}>
          {word} {cycle.seats.filter((seat) => seat[step]).length}/{cycle.seats.length}
        </span>
      ))}
      {cycle.outcome.kind === 'finalized' && (
        <span>
          agreed {cycle.seats.filter((seat) => seat.matched).length}/{cycle.seats.length}
        </span>
      )}
    </p>
  )
}
