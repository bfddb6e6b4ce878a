/** The frame of every page: name, places, wallet, what is wrong with the chain, how fresh it is. */
import type { ComponentChildren } from 'preact'
import { escapeUntrusted } from '../protocol/text'
import type { Head } from '../view/model'
import { asAddress } from '../wallet/requests'
import { useApp } from './app'
import { Banner, ProblemBanner } from './Banner'
import { ClaimBar } from './ClaimBar'
import { Find } from './Find'
import { duration } from './format'
import { useNow } from './load'
import { BlockLink, Name } from './Name'
import type { Route } from './router'
import { ThemeButton } from './theme'
import { WalletBox, WalletNotes } from './WalletBox'

const STALE = 30 // seconds without a block that are worth a banner

interface Props {
  route: Route
  head: Head | null
  problem: Error | null
  retry: () => void
  children: ComponentChildren
}

export function Layout({ route, head, problem, retry, children }: Props) {
  const { deployment, wallet } = useApp()
  const places = [
    ['jobs', '#/', 'Jobs'],
    ['post', '#/post', 'Post a job'],
    ['verify', '#/verify', 'Verify a file'],
    ['how', '#/how', 'How it works'],
  ] as const
  const here = 'job' in route ? 'jobs' : route.page
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header class="bar">
        <a class="brand" href="#/">
          <span class="mark" aria-hidden="true" />
          Hansa
        </a>
        <nav aria-label="Pages">
          {places.map(([page, href, label]) => (
            <a key={page} href={href} aria-current={here === page ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <Find />
        <ThemeButton />
        <WalletBox />
      </header>
      <main id="content" tabIndex={-1}>
        <WalletNotes />
        {!(route.page === 'account' && asAddress(route.address) === wallet.me) && <ClaimBar />}
        {problem && <ProblemBanner error={problem} retry={retry} />}
        {head && <Stale head={head} />}
        {children}
      </main>
      <footer>
        <span>
          {escapeUntrusted(deployment.name, 40)} · chain {deployment.chainId}
        </span>
        <span>
          Federation <Name of={deployment.federation} kind="address" />
        </span>
        {head && <Freshness head={head} />}
        <a href="#/accounts">Names of accounts</a>
        <span>Times are UTC</span>
      </footer>
    </>
  )
}

function Freshness({ head }: { head: Head }) {
  const age = useNow() - head.timestamp
  return (
    <span class={age > STALE ? 'bad-text' : ''}>
      <BlockLink of={head.number} />, {duration(age)} ago
    </span>
  )
}

function Stale({ head }: { head: Head }) {
  const age = useNow() - head.timestamp
  if (age <= STALE) return null
  return (
    <Banner tone="warn" title={`Last block ${duration(age)} ago`}>
      <p>The chain stands still, or the RPC node is behind. What you see is from <BlockLink of={head.number} />.</p>
    </Banner>
  )
}
