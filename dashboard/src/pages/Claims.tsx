/** What an account can claim over all jobs, in one token: how much, for what, until when, what it costs, and how. */
import type { Address } from 'viem'
import { date } from '../dates'
import { sum } from '../protocol/exact'
import { Amount, symbolOf } from '../ui/Amount'
import { useApp } from '../ui/app'
import { ClaimButton } from '../ui/ClaimButton'
import { Command } from '../ui/Command'
import { brief, duration, plural, ranges } from '../ui/format'
import { useLoad } from '../ui/load'
import { duesOf, unknownOf, type Due } from '../view/dues'
import type { AccountView, Token } from '../view/model'
import { feeOf } from '../wallet/claim'

export function Claims({ account, token }: { account: AccountView; token: Token }) {
  const { wallet } = useApp()
  const here = { ...account, jobs: account.jobs.filter((part) => part.token.address === token.address) }
  const [dues, unknown] = [duesOf(here), unknownOf(here)]
  const total = sum(dues.map(({ amount }) => amount))
  const command = `hansa wallet claim --account ${account.address}`
  const mine = wallet.account === account.address
  return (
    <div class="card claims">
      <h2>To claim now</h2>
      <p class="figure"><Amount value={total} token={token} /></p>
      {unknown.length > 0 && <p class="note">What rounds of job {unknown.join(', ')} pay is not known without the spec.</p>}
      {!dues.length && !unknown.length && <p class="note">Nothing now.</p>}
      {dues.map((due) => <Line key={`${due.job} ${due.kind}`} due={due} account={account} />)}
      {dues.length > 0 && <Cost dues={dues} of={account.address} />}
      <ClaimButton of={dues} label={`Claim ${brief(total, token.decimals)} ${symbolOf(token)}`} token={token} primary open={mine && dues.length > 0} />
      {dues.length > 0 && !mine && <Command text={command} />}
    </div>
  )
}

const WHAT = { rounds: 'pay of round', fees: 'fees', bond: 'the bond', rest: 'the sponsor’s rest' }

function Line({ due: { job, kind, amount, token, rounds, until }, account }: { due: Due; account: AccountView }) {
  const terms = account.jobs.find((part) => part.job === job)?.view.terms
  const end = until ? `until ${date(until)}` : `until ${duration(terms?.claimTime ?? 0)} after the job’s end`
  return (
    <p class="note">
      <Amount value={amount} token={token} />: {WHAT[kind]} {ranges(rounds)} of <a href={`#/job/${job}`}>Job {job}</a>
      {kind === 'rounds' || kind === 'fees' ? `, ${end}.` : '.'}
    </p>
  )
}

function Cost({ dues, of }: { dues: Due[]; of: Address }) {
  const app = useApp()
  const { value } = useLoad(`fee ${of} ${dues.map(({ job, kind, rounds }) => [job, kind, rounds])}`, () => feeOf(app, of, dues))
  return <p class="note">{plural(dues.length, 'transaction')}{value && `, about ${brief(value, 18, 'plain', 4)} ETH in fees`}.</p>
}
