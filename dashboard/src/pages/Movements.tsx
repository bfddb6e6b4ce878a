/** What moved between an account and the vault, newest first: a line for each transaction, job and kind, which opens to single movements. */
import { useState } from 'preact/hooks'
import { sum } from '../protocol/exact'
import { filled, MOVEMENTS } from '../protocol/tables'
import { Amount, symbolOf } from '../ui/Amount'
import { Banner } from '../ui/Banner'
import { ranges } from '../ui/format'
import { BlockLink, Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { Table } from '../ui/Table'
import { Time } from '../ui/Time'
import type { AccountView, Movement, Token } from '../view/model'
import { grouped } from '../view/movements'
import { download, movementsCsv } from './csv'

const PAGE = 50 // lines shown at once

export function Movements({ account }: { account: AccountView }) {
  const { movements, unlike, tokens } = account
  const [count, show] = useState(PAGE)
  const [opened, open] = useState<number[]>([])
  const ofJob = new Map(account.jobs.map(({ job, token }) => [job, token]))
  const groups = grouped(movements).reverse()
  const rows = groups.slice(0, count).flatMap((group, i) => {
    const place = groups.length - i
    const isOpen = opened.includes(place)
    const toggle = () => open(isOpen ? opened.filter((each) => each !== place) : [...opened, place])
    const [what, ...rest] = cells(group, ofJob.get(group[0]!.job))
    if (group.length === 1) return [{ key: `${place}`, cells: [what, ...rest] }]
    const line = { key: `${place}`, cells: [<button type="button" class="opener" aria-expanded={isOpen} onClick={toggle}>{what}</button>, ...rest] }
    const singles = [...group].reverse().map((one, j) => ({ key: `${place} ${j}`, tone: 'quiet' as const, cells: cells([one], ofJob.get(one.job)) }))
    return isOpen ? [line, ...singles] : [line]
  })
  return (
    <Section
      title="Payments"
      aside={movements.length > 0 && <button type="button" onClick={() => download(`hansa-${account.address}.csv`, movementsCsv(account))}>CSV for the books</button>}
    >
      {unlike.length > 0 && (
        <Banner tone="bad" title={`The movements don’t add up to what the vault holds: job ${unlike.join(', ')}`}>
          <p>The RPC node hides or invents events of the vault. Name another one under rpc in deployment.json.</p>
        </Banner>
      )}
      <Table
        caption="Movements between this account and the vault"
        empty="No tokens have moved between this account and the vault."
        columns={[{ head: 'What' }, { head: 'Moved', number: true }, { head: 'Job' }, { head: 'When' }, { head: 'Transaction' }]}
        rows={rows}
      />
      {groups.length > count && <button type="button" onClick={() => show(count + PAGE)}>Show {Math.min(PAGE, groups.length - count)} earlier</button>}
      {movements.length > 0 && unlike.length === 0 && (
        <p class="note">
          In all, from the vault to this account:{' '}
          {tokens.map((each) => <Total key={each.token.address} token={each.token} rows={movements.filter(({ job }) => ofJob.get(job)?.address === each.token.address)} />)}
          It adds up to what the vault says that it paid and still holds. In brackets: what moved to nobody.
        </p>
      )}
    </Section>
  )
}

function Total({ rows, token }: { rows: readonly Movement[]; token: Token }) {
  if (!rows.length) return null
  return <><Amount value={sum(rows.map(({ moved }) => moved))} token={token} signed open />. </>
}

/** Of movements of one kind, job and transaction. */
function cells(group: readonly Movement[], token: Token | undefined) {
  const { time, block, job, kind, tx } = group[0]!
  const what = MOVEMENTS[kind].what
  const moved = sum(group.map((one) => one.moved))
  const shown = token && <Amount value={moved || sum(group.map(({ amount }) => amount))} token={token} signed={moved !== 0n} unit={false} />
  return [
    filled(group.length > 1 ? what.replace('round {', 'rounds {') : what, { round: ranges(group.map(({ round }) => round ?? 0)) }),
    <>{moved ? shown : <span class="muted">({shown})</span>} <span class="unit">{token && symbolOf(token)}</span></>,
    <a href={`#/job/${job}`}>Job {job}</a>,
    time === null ? <BlockLink of={block} /> : <span title={`block ${block}`}><Time at={time} /></span>,
    <Name of={tx} kind="transaction" />,
  ]
}
