/** An account: what it earned, what it can claim, what it has, how it did in each job and why, and every payment. */
import { useMemo } from 'preact/hooks'
import type { Address } from 'viem'
import { Steps } from '../charts/Steps'
import { sum } from '../protocol/exact'
import { Amount, symbolOf } from '../ui/Amount'
import { useApp } from '../ui/app'
import { Banner, PageProblem } from '../ui/Banner'
import { useBook } from '../ui/book'
import { brief, plural, short } from '../ui/format'
import { useLoad } from '../ui/load'
import { Name } from '../ui/Name'
import { Facts, Loading } from '../ui/parts'
import { Rename } from '../ui/Rename'
import { WatchButton } from '../ui/WalletBox'
import { summed } from '../view/earnings'
import type { AccountView, Token } from '../view/model'
import { asAddress, wrongAddress } from '../wallet/requests'
import { AccountJob } from './AccountJob'
import { Claims } from './Claims'
import { titleOf } from './explained'
import { Later } from './Later'
import { Movements } from './Movements'

const ETHER = { symbol: 'ETH', decimals: 18 }

export function Account({ address }: { address: string }) {
  const known = asAddress(address)
  if (known) return <Inside key={known} address={known} />
  return <Banner tone="bad" title="This is not an address">{wrongAddress(address)}</Banner>
}

function Inside({ address }: { address: Address }) {
  const { reader, head, wallet } = useApp()
  const { mine, told } = useBook()
  const { value, error, loading, reload } = useLoad(`account ${address}`, () => reader.account(address), head)
  return (
    <>
      <header class="title">
        <p><a href="#/accounts">Accounts</a> / {short(address)}</p>
        <h1>
          <span class="wrap">{told(address)}</span> <Rename of={address} /> {wallet.me === address && <span class="tag live">yours</span>}{' '}
          <WatchButton account={address} />
        </h1>
        <p class="whole"><Name of={address} kind="address" whole /></p>
        <p>{[value && rolesOf(value), mine.has(address) && 'the name is yours, kept in this browser alone'].filter(Boolean).join(' · ')}</p>
      </header>
      {error && <PageProblem error={error} retry={reload} />}
      {!value && loading && !error && <Loading what="the account" />}
      {value && (
        <>
          {value.tokens.map((held) => (
            <div key={held.token.address} class="pair">
              <Earned account={value} token={held.token} />
              <div>
                <Claims account={value} token={held.token} />
                <Held account={value} {...held} />
              </div>
            </div>
          ))}
          {!value.jobs.length && <p class="empty">This account takes part in no job yet. <a href="#/">Which are open?</a></p>}
          {[...value.jobs].reverse().map((part) => <AccountJob key={part.job} part={part} address={address} />)}
          <Movements account={value} />
          <Later>{({ Identity }) => <Identity account={value} />}</Later>
        </>
      )}
    </>
  )
}

/** "trainer in 2 jobs, validator in 1 job" */
function rolesOf({ jobs }: AccountView): string {
  const counts = (['sponsor', 'trainer', 'validator'] as const).map((role) => [role, jobs.filter(({ roles }) => roles.includes(role)).length] as const)
  return counts.flatMap(([role, count]) => (count ? `${role} in ${plural(count, 'job')}` : [])).join(', ')
}

function Held({ account, token, balance }: { account: AccountView; token: Token; balance: bigint | null }) {
  const bonds = sum(account.jobs.map((part) => (part.token.address === token.address ? (part.trainer?.bondLeft ?? 0n) : 0n)))
  return (
    <div class="card">
      <Facts
        of={[
          ['In the wallet', balance === null ? 'the token does not say' : <Amount value={balance} token={token} />],
          ['For fees', <Amount value={account.native} token={ETHER} />],
          ['Bond held, back after the job', <Amount value={bonds} token={token} />],
        ]}
      />
    </div>
  )
}

/** By time, over all jobs that pay in a token. */
function Earned({ account, token }: { account: AccountView; token: Token }) {
  const drawn = useMemo(() => {
    const mine = summed(account.jobs.filter((job) => job.token.address === token.address).flatMap(({ earnings }) => earnings))
    const titles = new Map(account.jobs.map(({ job, view }) => [job, titleOf(view)]))
    const seen = new Set<number>()
    return {
      points: mine.map(({ job, round, time, sum }) => ({
        time, sum: Number(sum) / 10 ** token.decimals, said: `${brief(sum, token.decimals)} ${symbolOf(token)}`, from: `job ${job}, round ${round}`,
      })),
      marks: mine.flatMap(({ job, time }) => (seen.has(job) ? [] : [seen.add(job) && { time, name: titles.get(job)! }])),
      sum: mine.at(-1)?.sum ?? 0n,
    }
  }, [account])
  if (!drawn.points.length) return null
  return (
    <div class="card">
      <h2>Earned in all</h2>
      <p class="figure"><Amount value={drawn.sum} token={token} /></p>
      <Steps name={`Earned by time, in ${symbolOf(token)}`} points={drawn.points} marks={drawn.marks} />
    </div>
  )
}

