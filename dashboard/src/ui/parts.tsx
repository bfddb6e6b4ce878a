/** Small pieces that several pages share. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { VERDICTS, type Verdict } from '../protocol/tables'
import { claimsOpen } from '../view/claims'
import type { JobView, LedgerCell, UpdateView } from '../view/model'
import { nano } from './format'
import { Name } from './Name'
import type { JobPage } from './router'

export function Loading({ what }: { what: string }) {
  return (
    <p class="loading" role="status">
      Reading {what} from the chain…
    </p>
  )
}

export function VerdictTag({ of, update }: { of: Verdict | null; update?: UpdateView }) {
  if (of === null) return <span class="tag quiet">no verdict yet</span>
  const left = update && of === 'ok' && !update.included
  return (
    <>
      <span class={`tag ${of === 'ok' ? (left ? 'quiet' : 'good') : 'bad'}`} title={VERDICTS.find(({ verdict }) => verdict === of)?.sentence}>
        {left ? 'left out' : of === 'ok' ? 'used' : of}
      </span>
      {update?.repeats && (
        <span class="each">
          of <Name of={update.repeats.trainer} kind="address" />, cosine {nano(update.repeats.cosine, 4)}
        </span>
      )}
    </>
  )
}

export function Facts({ of }: { of: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Section({ title, aside, card = false, children }: { title: string; aside?: ComponentChildren; card?: boolean; children: ComponentChildren }) {
  return (
    <section class={card ? 'card' : ''}>
      <div class="heading">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

/** What is made when it is asked for. */
export function More({ summary, children }: { summary: string; children: () => ComponentChildren }) {
  const [open, set] = useState(false)
  return (
    <details onToggle={(event) => set(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {open && children()}
    </details>
  )
}

/** The transaction that claimed a round's pay, or what keeps it. */
export function ClaimedIn({ cell, view }: { cell: LedgerCell; view: JobView }) {
  if (cell.claimed) return <Name of={cell.claimed.tx} kind="transaction" />
  if (!cell.pay) return null
  return <>{claimsOpen(view.books, view.head.timestamp) ? 'not yet' : 'too late'}</>
}

export function JobTabs({ job, here, open }: { job: number; here: JobPage | 'round'; open: boolean }) {
  const tabs = [
    ['job', `#/job/${job}`, 'Overview'],
    ...(open || here === 'join' ? [['join', `#/job/${job}/join`, 'Join'] as const] : []),
    ['rounds', `#/job/${job}/rounds`, 'Rounds and pay'],
    ['validators', `#/job/${job}/validators`, 'Validators'],
    ['money', `#/job/${job}/money`, 'Money'],
    ['terms', `#/job/${job}/terms`, 'Terms'],
  ] as const
  return (
    <nav class="tabs" aria-label={`Job ${job}`}>
      {tabs.map(([name, href, label]) => (
        <a key={name} href={href} aria-current={here === name ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  )
}
