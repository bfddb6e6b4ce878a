/** An account's identity: what it has staked, its DID, whoever acts for it, its keys, and what others vouch for. */
import type { ComponentChildren } from 'preact'
import type { Address, Hex } from 'viem'
import { standing as words } from 'virtual:deciders'
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { useApp } from '../ui/app'
import { PageProblem } from '../ui/Banner'
import { Command } from '../ui/Command'
import { percent, plural, short } from '../ui/format'
import { useLoad } from '../ui/load'
import { Copy, Name } from '../ui/Name'
import { Facts, Loading, Section } from '../ui/parts'
import { Table } from '../ui/Table'
import { Time } from '../ui/Time'
import { identityOf, type CredentialView, type Identity as Found } from '../view/identity'
import type { AccountView } from '../view/model'
import { Schema } from './Deciders'

const MINUTE = 60 // seconds of the chain, in which all of it is read once
const [FEW, KEY] = [8, 66] // keys and delegates that are named; characters of a key

export function Identity({ account }: { account: AccountView }) {
  const { reader, deployment, head, time } = useApp()
  const { address, jobs } = account
  const likely = [...jobs.map(({ view }) => view.terms.committee), ...(deployment.committee ? [deployment.committee] : [])]
  const { value, error, reload } = useLoad(`identity ${address}`, () => identityOf(reader, address, { number: head, timestamp: time }, likely), Math.floor(time / MINUTE))
  if (error) return <PageProblem error={error} retry={reload} />
  if (!value) return <Loading what="the account’s identity" />
  return (
    <>
      <Staked of={value} />
      <Did of={value} account={address} />
      <Credentials of={value} />
    </>
  )
}

function Staked({ of: { pools } }: { of: Found }) {
  if (!pools.length) return null
  return (
    <Section title="Staked" card>
      {pools.map(({ address, token, stakers, stakes: [stake] }) => stake && (
        <p key={address}>
          <Amount value={stake.staked} token={token} /> staked, weight {stake.weight} among {plural(stakers, 'staker')} ({percent(stake.share)} of the draw), in the pool <Name of={address} kind="address" />
          {stake.leaving > 0n && <>; <Amount value={stake.leaving} token={token} /> leaving, free from <Time at={stake.leavesAt} /></>}.
        </p>
      ))}
    </Section>
  )
}

function Did({ of: { did, announced, registered }, account }: { of: Found; account: Address }) {
  const { deployment } = useApp()
  const { owner, delegates = [], keys = [], others = 0, agree = true } = registered ?? {}
  return (
    <Section title="Identity" card>
      <p class="whole"><span class="mono" translate={false}>{did}</span> <Copy text={did} what="DID" /></p>
      {owner === null && <p class="bad-text">Its owner has given this identity up: no key of it counts any more.</p>}
      <Facts
        of={[
          ...some(registered && owner, 'Owner', owner === account ? 'the account itself' : owner && <Name of={owner} kind="address" />),
          ...some(delegates.length, 'Signs for it too', <Few of={delegates.map(({ account: other, until }) => <><Name of={other} kind="address" /> until <Until at={Number(until)} /></>)} />),
          ['Key announced on chain', announced ? <Key of={announced} /> : 'none announced'],
          ...some(registered, 'Key in the DID', keys.length ? <Few of={keys.map((key) => <Key of={key} />)} /> : 'none'),
        ]}
      />
      {keys.length > 0 && agree && <p><span class="tag good">The two keys are the same</span></p>}
      {!agree && <div><span class="tag bad">The two differ</span> <Command text={`hansa id key --account ${account}`} /></div>}
      {others > 0 && <p class="note">It names {plural(others, 'more key or service', 'more keys and services')}, which Hansa does not use.</p>}
      {!registered && <p class="note">The deployment {escapeUntrusted(deployment.name, 40)} names no registry: nothing else is known of it.</p>}
    </Section>
  )
}

const some = (is: unknown, name: string, value: ComponentChildren): [string, ComponentChildren][] => (is ? [[name, value]] : [])

const Few = ({ of }: { of: ComponentChildren[] }) => <>{of.slice(0, FEW).map((each, i) => <div key={i}>{each}</div>)}{of.length > FEW && `and ${of.length - FEW} more`}</>

/** Whoever owns an identity may call anything its key. */
function Key({ of }: { of: Hex }) {
  return of.length <= KEY ? <Name of={of} kind="hash" /> : <span class="mono">{short(of)}</span>
}

const FAR = 32_503_680_000 // seconds: the year 3000

const Until = ({ at }: { at: number }) => (at < FAR ? <Time at={at} /> : <>further notice</>)

function Credentials({ of: { credentials } }: { of: Found }) {
  if (!credentials) return null
  return (
    <Section title="Credentials">
      <Table
        caption="Credentials"
        empty="Nobody has issued it one."
        columns={[{ head: 'Says' }, { head: 'Issuer' }, { head: 'Until' }, { head: 'Counts', prose: true }]}
        rows={credentials.shown.map((one) => ({
          key: one.uid,
          cells: [<Schema of={one.schema} />, <Name of={one.issuer} kind="address" />, <Until at={one.expires} />, <Counts of={one} />],
        }))}
      />
      {credentials.more > 0 && <p class="note">{plural(credentials.more, 'earlier one')}: hansa credential list has all.</p>}
      {credentials.shown.length > 0 && <p class="note">Anybody may issue one: what counts is whom a job asks for.</p>}
    </Section>
  )
}

function Counts({ of: { faults } }: { of: CredentialView }) {
  if (!faults.length) return <span class="tag good">valid</span>
  return <>{faults.map((fault) => <><span class="tag bad">{fault}</span> </>)}{faults.includes('replaced') && words.replaced}</>
}
