/** Reads deployment.json and follows the chain's head; then shows the page that the address names. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { loadDeployment, type Deployment } from './chain/deployment'
import { Account } from './pages/Account'
import { Job } from './pages/Job'
import { Jobs } from './pages/Jobs'
import { Join } from './pages/Join'
import { Ledger } from './pages/Ledger'
import { Post } from './pages/Post'
import { Round } from './pages/Round'
import { BlockPage, Transaction } from './pages/Transaction'
import { Validators } from './pages/Validators'
import { Verify } from './pages/Verify'
import { escapeUntrusted } from './protocol/text'
import { AppContext, useApp } from './ui/app'
import { Banner } from './ui/Banner'
import { Layout } from './ui/Layout'
import { useHead, useLoad } from './ui/load'
import { Loading } from './ui/parts'
import { useRoute, type Route } from './ui/router'
import { titleOf, type JobFacts } from './ui/titles'
import { Reader } from './view/reader'
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
  const title = titleOf(route, { network: escapeUntrusted(deployment.name, 40), job })
  useEffect(() => {
    document.title = title
  }, [title])
  const app = { reader, client: reader.client, deployment, wallet, head: head?.number ?? 0, problem, refresh, tell }
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
      return <Jobs />
    case 'job':
      return <Job job={route.job} />
    case 'join':
      return <Join job={route.job} />
    case 'round':
      return <Round job={route.job} round={route.round} />
    case 'ledger':
      return <Ledger job={route.job} />
    case 'validators':
      return <Validators job={route.job} />
    case 'account':
      return <Account address={route.address} />
    case 'tx':
      return head > 0 ? <Transaction key={route.hash} hash={route.hash} /> : <Loading what="the newest block" />
    case 'block':
      return head > 0 ? <BlockPage key={route.number} at={route.number} /> : <Loading what="the newest block" />
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
