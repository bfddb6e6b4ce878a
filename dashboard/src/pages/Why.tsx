/** Why a trainer earned what it did in a job: a few sentences, and groups of rounds with amount, reason and remedy. */
import { Fragment } from 'preact'
import type { Address } from 'viem'
import { sum } from '../protocol/exact'
import { Amount } from '../ui/Amount'
import { useBook } from '../ui/book'
import { ranges } from '../ui/format'
import type { JobView } from '../view/model'
import { groupsOf, linesOf, type WhyGroup } from '../view/why'
import { summaryOf, told } from './whySaid'

export function Why({ view, trainer }: { view: JobView; trainer: Address }) {
  const groups = groupsOf(linesOf(view, trainer))
  if (!groups.length) return null
  const all = sum(view.trainers.map(({ earned }) => earned))
  return (
    <div class="why">
      <h3>Why this much?</h3>
      <p>{summaryOf(groups, all, view.token).join(' ')}</p>
      <ul class="timeline">
        {groups.map((group) => (
          <Group key={`${group.kind} ${group.lines[0]?.round}`} group={group} view={view} />
        ))}
      </ul>
    </div>
  )
}

const BAD = ['strike', 'misvoted']

function Group({ group, view }: { group: WhyGroup; view: JobView }) {
  const { title, each, reason, remedy } = told(group, view.token, useBook().told)
  return (
    <li class={BAD.includes(group.kind) ? 'bad' : group.amount ? 'good' : ''}>
      <strong>{title}</strong> in {group.lines.length === 1 ? 'round' : 'rounds'} <Rounds of={group.lines.map(({ round }) => round)} job={view.job} />:{' '}
      <Amount value={group.amount} token={view.token} />
      {each && <span class="muted"> ({each})</span>}
      <p class="note">{[reason, remedy].filter(Boolean).join(' ')}</p>
    </li>
  )
}

/** "1–3, 5", each end a link. */
function Rounds({ of, job }: { of: number[]; job: number }) {
  return (
    <>
      {ranges(of).split(/(, |–)/).map((part, i) =>
        i % 2 ? <Fragment key={i}>{part}</Fragment> : <a key={i} href={`#/job/${job}/round/${part}`}>{part}</a>,
      )}
    </>
  )
}
