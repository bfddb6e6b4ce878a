/** Reads deployment.json and follows the chain's head; then shows the page that the address names. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { loadDeployment, type Deployment } from './chain/deployment'
import { Account } from './pages/Account'
import { Accounts } from './pages/Accounts'
import { How } from './pages/How'
import { Job } from './pages/Job'
import { Jobs } from './pages/Jobs'
import { Join } from './pages/Join'
import { Ledger } from './pages/Ledger'
import { Money } from './pages/Money'
import { Post } from './pages/Post'
import { Round } from './pages/Round'
import { Terms } from './pages/Terms'
import { BlockPage, Transaction } from './pages/Transaction'
import { Validators } from './pages/Validators'
import { Verify } from './pages/Verify'
import { escapeUntrusted } from './protocol/text'
import { AppContext, useApp } from './ui/app'
import { Banner } from './ui/Banner'
import { readNames, useBook } from './ui/book'
import { Layout } from './ui/Layout'
import { useHead, useLoad } from './ui/load'
import { Loading } from './ui/parts'
import { useRoute, type Route } from './ui/router'
import { titleOf, type JobFacts } from './ui/titles'
import { Reader } from './view/reader'
import { asAddress } from './wallet/requests'
import { useWallet } from './wallet/session'

export function Root() {
  const { value, error, reload } = useLoad('deployment', () => loadDeployment())
  if (error) {
    return (
      <main id="content">
        <Banner tone="bad" title="deployment.json can’t be used" action={{ label: 'Try again', run: reload }}>
          <p>{escapeUntrusted(error.message, 300)}</p>
          <p class="next">It names chain and contracts, and stands beside the page; hansa dashboard serves both.</p>
        </Banner>
      </main>
    )
  }
  return value ? <Opened deployment={value} /> : <p class="loading" role="status">Reading deployment.json…</p>
}

function Opened({ deployment }: { deployment: Deployment }) {
  const reader = useMemo(() => new Reader(deployment), [deployment])
  const wallet = useWallet(deployment)
  const route = useRoute()
  const { head, problem, refresh } = useHead(reader)
  const [job, tell] = useState<JobFacts>()
  const { called } = useBook()
  const account = route.page === 'account' ? called(asAddress(route.address) ?? '') : undefined
  const title = titleOf(route, { network: escapeUntrusted(deployment.name, 40), job, account })
  useEffect(() => {
    document.title = title
  }, [title])
  useEffect(() => void (deployment.names && readNames(deployment.names)), [deployment])
  const app = { reader, client: reader.client, deployment, wallet, head: head?.number ?? 0, time: head?.timestamp ?? 0, problem, refresh, tell }
  return (
    <AppContext.Provider value={app}>
      <Layout route={route} head={head} problem={problem} retry={refresh}>
        <Shown route={route} />
      </Layout>
    </AppContext.Provider>
  )
}

function Shown({ route }: { route: Route }) {
  const { head } = useApp()
  switch (route.page) {
    case 'jobs':
      return <Jobs key={route.filter} filter={route.filter} />
    case 'job':
      return <Job job={route.job} />
    case 'join':
      return <Join job={route.job} />
    case 'round':
      return <Round job={route.job} round={route.round} />
    case 'rounds':
      return <Ledger job={route.job} />
    case 'money':
      return <Money job={route.job} />
    case 'terms':
      return <Terms job={route.job} />
    case 'how':
      return <How />
    case 'validators':
      return <Validators job={route.job} />
    case 'account':
      return route.address ? <Account address={route.address} /> : <Accounts />
    case 'tx':
      return head > 0 ? <Transaction key={route.hash} hash={route.hash} /> : <Loading what="the newest block" />
    case 'block':
      return head > 0 ? <BlockPage key={route.number} at={route.number} /> : <Loading what="the newest block" />
    case 'accounts':
      return <Accounts />
    case 'verify':
      return <Verify key={route.cid} cid={route.cid} />
    case 'post':
      return <Post />
    case 'unknown':
      return (
        <Banner tone="note" title="There is no such page">
          <a href="#/">All jobs</a>
        </Banner>
      )
  }
}
