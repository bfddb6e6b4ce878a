/** What the reader's own account can claim, at the top of every page: a line and a button for each job. */
import { useState } from 'preact/hooks'
import type { Address } from 'viem'
import { duesOf, unknownOf, type Due } from '../view/dues'
import { Amount } from './Amount'
import { useApp } from './app'
import { ClaimButton } from './ClaimButton'
import { ranges } from './format'
import { useLoad } from './load'

export function ClaimBar() {
  const { wallet } = useApp()
  return wallet.me ? <Lines key={wallet.me} account={wallet.me} /> : null
}

function Lines({ account }: { account: Address }) {
  const { reader, head } = useApp()
  const [seen, remember] = useState<Due[]>([])
  const { value } = useLoad(`claimable ${account}`, async () => {
    const view = await reader.account(account)
    const dues = duesOf(view)
    const lines = dues.filter(({ kind }) => kind === 'rounds')
    return { lines, more: dues.length > lines.length || unknownOf(view).length > 0 }
  }, head)
  const fresh = (value?.lines ?? []).filter((line) => !seen.some((old) => old.job === line.job))
  if (fresh.length) remember([...seen, ...fresh]) // a line stays when it is claimed: its receipt stands there
  if (!value) return <p class="claimbar muted">Reading what this account can claim…</p>
  if (!seen.length) {
    return <p class="claimbar muted">Nothing to claim for this account now{value.more && <> but <a href={`#/account/${account}`}>what its page says</a></>}.</p>
  }
  return (
    <div class="claimbar" role="region" aria-label="Claimable rewards">
      {seen.map((line) => {
        const open = value.lines.find((other) => other.job === line.job)
        return (
          <div key={line.job} class="line">
            <span>
              {open ? (
                <>
                  Claimable: <Amount value={open.amount} token={open.token} />{' '}
                  <span class="muted">
                    job {open.job}, round {ranges(open.rounds)}
                  </span>
                </>
              ) : (
                <span class="muted">Job {line.job}: nothing left to claim</span>
              )}
            </span>
            <ClaimButton of={[line]} label="Claim" token={line.token} primary open={!!open} />
          </div>
        )
      })}
    </div>
  )
}
