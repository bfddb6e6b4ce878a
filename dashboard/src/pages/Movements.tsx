/** Every movement of tokens between an account and the vault, newest first. */
import { useState } from 'preact/hooks'
import { filled, MOVEMENTS } from '../protocol/tables'
import { Amount, symbolOf } from '../ui/Amount'
import { Banner } from '../ui/Banner'
import { BlockLink, Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { Table } from '../ui/Table'
import { Time } from '../ui/Time'
import type { AccountView, Movement, Token } from '../view/model'

const PAGE = 50 // rows shown at once

export function Movements({ account }: { account: AccountView }) {
  const { movements, unlike, tokens } = account
  const [count, show] = useState(PAGE)
  const ofJob = new Map(account.jobs.map(({ job, token }) => [job, token]))
  const rows = [...movements].reverse()
  return (
    <Section title="Movements">
      {unlike.length > 0 && (
        <Banner tone="bad" title={`The movements don’t add up to what the vault holds: job ${unlike.join(', ')}`}>
          <p>The RPC node hides or invents events of the vault. Name another one under rpc in deployment.json.</p>
        </Banner>
      )}
      <Table
        caption="Movements between this account and the vault"
        empty="No tokens have moved between this account and the vault."
        columns={[{ head: 'What' }, { head: 'Moved', number: true }, { head: 'Job' }, { head: 'When' }, { head: 'Transaction' }]}
        rows={rows.slice(0, count).map((row, place) => ({ key: rows.length - place, cells: cells(row, ofJob.get(row.job)) }))}
      />
      {rows.length > count && (
        <button type="button" onClick={() => show(count + PAGE)}>
          Show {Math.min(PAGE, rows.length - count)} earlier movements
        </button>
      )}
      {rows.length > 0 && unlike.length === 0 && (
        <p class="note">
          In all, from the vault to this account:{' '}
          {tokens.map((each) => <Total key={each.token.address} token={each.token} rows={rows.filter(({ job }) => ofJob.get(job)?.address === each.token.address)} />)}
          It adds up to what the vault says that it paid and still holds. In brackets: what moved to nobody.
        </p>
      )}
    </Section>
  )
}

function Total({ rows, token }: { rows: readonly Movement[]; token: Token }) {
  if (!rows.length) return null
  return <><Amount value={rows.reduce((sum, { moved }) => sum + moved, 0n)} token={token} signed open />. </>
}

function cells({ time, block, job, kind, round, amount, moved, tx }: Movement, token: Token | undefined) {
  const shown = token && <Amount value={moved || amount} token={token} signed={moved !== 0n} unit={false} />
  return [
    filled(MOVEMENTS[kind].what, { round }),
    <>{moved ? shown : <span class="muted">({shown})</span>} <span class="unit">{token && symbolOf(token)}</span></>,
    <a href={`#/job/${job}`}>Job {job}</a>,
    time === null ? <BlockLink of={block} /> : <span title={`block ${block}`}><Time at={time} /></span>,
    <Name of={tx} kind="transaction" />,
  ]
}
