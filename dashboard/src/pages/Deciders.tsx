/** Who decides in a job and who may train, in sentences; the pool that validators are drawn from, and what each of them has done. */
import type { ComponentChildren } from 'preact'
import type { Address } from 'viem'
import { admissions, committees } from 'virtual:deciders'
import { Amount, symbolOf } from '../ui/Amount'
import { useApp } from '../ui/app'
import { PageProblem } from '../ui/Banner'
import { duration, percent, plural, standing } from '../ui/format'
import { useLoad } from '../ui/load'
import { Name } from '../ui/Name'
import { Facts, Loading, Section } from '../ui/parts'
import { Table } from '../ui/Table'
import { Time } from '../ui/Time'
import { admissionOf, committeeOf, poolOf, recordsOf, type Admission, type Committee, type Pool, type Stake } from '../view/decided'
import { PARTICIPANT } from '../view/identity'
import type { JobView } from '../view/model'

const MINUTE = 60 // seconds of the chain, in which a pool is read once

/** On a job's overview. */
export function WhoDecides({ view }: { view: JobView }) {
  const { reader } = useApp()
  const { value, error, reload } = useLoad(`decides ${view.job}`, () =>
    Promise.all([committeeOf(reader, view, view.head), admissionOf(reader, view.terms.admission, view.head)]))
  if (error) return <PageProblem error={error} retry={reload} />
  return (
    <Section title="Who decides, and who may train" aside={<a href={`#/job/${view.job}/validators`}>Each validator</a>} card>
      {value ? (
        <ul class="words">
          <li><CommitteeWords view={view} of={value[0]} /></li>
          <li><AdmissionWords view={view} of={value[1]} /></li>
        </ul>
      ) : <Loading what="committee and admission" />}
    </Section>
  )
}

/** On the page of its validators. */
export function Deciders({ view }: { view: JobView }) {
  const { reader, time } = useApp()
  const { value, error, reload } = useLoad(`deciders ${view.job}`, async () => {
    const committee = await committeeOf(reader, view, view.head)
    return { committee, pool: committee.pool ? await poolOf(reader, view.terms.committee, view.job, view.head) : null }
  }, `${view.cycles.length} ${Math.floor(time / MINUTE)}`)
  if (error) return <PageProblem error={error} retry={reload} />
  return (
    <Section title="Who decides">
      {!value && <Loading what="the committee" />}
      {value && <p><CommitteeWords view={view} of={value.committee} /> {view.terms.quorum} of {view.terms.seats} must agree.</p>}
      {value?.pool && <PoolFacts pool={value.pool} />}
      {value && <Members view={view} {...value} />}
    </Section>
  )
}

function CommitteeWords({ view: { terms }, of }: { view: JobView; of: Committee }) {
  const text = committees[of.kind as keyof typeof committees]
  if (!text) return <Unknown at={terms.committee} does="fills the committee" />
  const { seats } = terms
  return <>{woven(text, { validators: plural(seats, 'validator'), appointed: of.named.length, drawn: seats - of.named.length })}</>
}

function AdmissionWords({ view: { terms }, of }: { view: JobView; of: Admission }) {
  const text = admissions[of.kind as keyof typeof admissions]
  if (!text) return <Unknown at={terms.admission} does="says who may train" />
  const parts = {
    schema: of.schema && <Schema of={of.schema} />, issuers: enumerated((of.issuers ?? []).map((issuer) => <Name of={issuer} kind="address" />)),
    minimum: standing(Number(of.minimum ?? 0)), jobs: enumerated((of.jobs ?? []).map((job) => <a href={`#/job/${job}`}>job {job}</a>)),
  }
  return (
    <>
      {woven(text, parts)} {of.kind !== 'OpenAdmission' && admissions[terms.recheckAdmission ? 'again' : 'once']}
      {of.elsewhere && <> It goes by another {of.kind === 'ReputationAdmission' ? 'federation' : 'register of credentials'}, <Name of={of.elsewhere} kind="address" />.</>}
    </>
  )
}

const Unknown = ({ at, does }: { at: Address; does: string }) => <>A contract this page doesn’t know {does}: <Name of={at} kind="address" /></>

export const Schema = ({ of }: { of: string }) => (of === PARTICIPANT ? <>“participant”</> : <Name of={of} kind="hash" />)

/** A text of the tables with its {names} replaced by what is shown. */
const woven = (text: string, parts: Record<string, ComponentChildren>) => text.replaceAll("'", '’').split(/\{(\w+)\}/).map((piece, i) => (i % 2 ? parts[piece] : piece))

const enumerated = (nodes: ComponentChildren[]) => nodes.flatMap((node, i) => [i ? (i + 1 < nodes.length ? ', ' : ' or ') : '', node])

function PoolFacts({ pool: { address, token, minimum, epochTime, stakers } }: { pool: Pool }) {
  return (
    <>
      <Facts
        of={[
          ['Pool', <Name of={address} kind="address" />],
          ['Stakers', stakers],
          ['Least stake', <Amount value={minimum} token={token} />],
          ['A change counts', epochTime === 1 ? 'from the next second on' : `within ${duration(epochTime)}`],
        ]}
      />
      <p class="note">
        Who is silent when drawn, hides what it measured, or votes against its quorum can lose 1 % of its stake, each time that somebody reports it. What is leaving can still be lost.
      </p>
    </>
  )
}

interface Row {
  account: Address
  named: boolean
  stake?: Stake
}

function Members({ view, committee, pool }: { view: JobView; committee: Committee; pool: Pool | null }) {
  const records = recordsOf(view)
  const stakes = pool?.stakes ?? []
  const rows: Row[] = committee.named.map((account) => ({ account, named: true }))
  for (const stake of stakes) if (!committee.named.includes(stake.account)) rows.push({ account: stake.account, named: false, stake })
  for (const account of records.keys()) if (!rows.some((row) => row.account === account)) rows.push({ account, named: false })
  const lost = (account: Address) => pool?.slashed.get(account)
  return (
    <>
      <Table
        caption={pool ? 'Pool and members' : 'Members'}
        empty="Nobody has been drawn yet."
        columns={[
          { head: 'Account' },
          ...(pool ? [{ head: 'Staked', number: true }, { head: 'Leaving', number: true }, { head: 'Share of the draw', number: true, title: 'Its weight out of all: the chance that one draw falls on it' }] : []),
          { head: 'Seats taken', number: true, title: 'Attempts in which it sat on the committee' },
          { head: 'Answered', number: true, title: 'Attempts in which its measurements came, of those that came as far' },
          ...(pool ? [{ head: 'Slashed', number: true, title: 'In this job' }] : []),
        ]}
        rows={rows.map(({ account, named, stake }) => {
          const { taken, asked, answered } = records.get(account) ?? { taken: 0, asked: 0, answered: 0 }
          return {
            key: account,
            cells: [
              <Name of={account} kind="address" />,
              ...(pool ? staked(pool, named, stake) : []),
              taken,
              asked ? <span class={answered < asked ? 'bad-text' : ''}>{answered} of {asked}</span> : '–',
              ...(pool ? [lost(account) ? <span class="bad-text"><Amount value={lost(account)!.amount} token={pool.token} unit={false} />{lost(account)!.times > 1 && ` in ${lost(account)!.times} reports`}</span> : 'never'] : []),
            ],
          }
        })}
      />
      {pool && pool.unread > 0 && <p class="note">{plural(pool.unread, 'account')} with smaller stakes, or none any more, {pool.unread === 1 ? 'is' : 'are'} not shown.</p>}
      {pool && <p class="note">Stakes in {symbolOf(pool.token)}.</p>}
    </>
  )
}

function staked(pool: Pool, named: boolean, stake?: Stake): ComponentChildren[] {
  if (!stake) return [named ? 'named' : 'nothing', '–', '–']
  const { leaving, leavesAt } = stake
  return [
    <Amount value={stake.staked} token={pool.token} unit={false} />,
    leaving ? <><Amount value={leaving} token={pool.token} unit={false} /><span class="each">free from <Time at={leavesAt} /></span></> : '–',
    stake.weight ? percent(stake.share) : '–',
  ]
}
