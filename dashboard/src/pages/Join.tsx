/** How to join an open job: what it takes, and the very commands. */
import { useState } from 'preact/hooks'
import { deploymentFile, isTestChain, type Deployment } from '../chain/deployment'
import { quoted, taskWords } from '../protocol/shell'
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { useApp } from '../ui/app'
import { Command } from '../ui/Command'
import { duration, exact, plural } from '../ui/format'
import { useNow } from '../ui/load'
import { Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { ChainWords } from '../ui/WalletBox'
import type { JobGlance } from '../view/model'
import { JobFrame } from './JobFrame'

const HOUR = 3600 // seconds to claim, which the daemon asks for by itself

export function Join({ job }: { job: number }) {
  const show = (view: JobGlance) => (view.phase === 'ENROL' ? <Open view={view} /> : <Closed view={view} />)
  return <JobFrame job={job} here="join" early={show}>{show}</JobFrame>
}

function Closed({ view: { terms, enrolled } }: { view: JobGlance }) {
  return (
    <Section title="Nobody can join any more">
      <p>{enrolled} of {plural(terms.maxTrainers, 'place')} were taken before the first round. <a href="#/">Find another job</a></p>
    </Section>
  )
}

function Open({ view }: { view: JobGlance }) {
  const { deployment } = useApp()
  const [account, call] = useState('me')
  const [rows, take] = useState<string | null>(null)
  const { job, terms, token, spec, enrolled } = view
  const parties = Number(spec?.settings.parties) || terms.maxTrainers
  const own = spec?.task.includes(':') ?? false // not one that comes with Hansa
  const source = rows ?? (own ? 'MY_ROWS.csv' : String(enrolled % parties))
  const strangers = (['token', 'committee', 'admission'] as const).filter((kind) => terms[kind] !== deployment[kind])
  const foreign = terms.token !== deployment.token
  const words = [
    'hansa trainer run --job', job, '--account', quoted(account || 'me'), '--source', quoted(source || '0'), ...taskWords(spec?.task ?? ''),
    ...strangers.flatMap((kind) => ['--allow', terms[kind]]), ...(terms.claimTime < HOUR ? ['--min-claim', `${terms.claimTime}s`] : []),
  ]
  return (
    <Section title="Join this job">
      <Needs view={view} />
      <div class="fields">
        <label>
          <span>Your account’s name</span>
          <input value={account} onInput={(event) => call(event.currentTarget.value)} spellcheck={false} autocomplete="off" />
        </label>
        <label>
          <span>{own ? 'Your rows: a file' : `Your rows: a party, 0 to ${parties - 1}`}</span>
          <input value={source} onInput={(event) => take(event.currentTarget.value)} spellcheck={false} autocomplete="off" />
        </label>
      </div>
      <ol class="howto">
        <Where deployment={deployment} />
        <li>Make an account, once: <Command text={`hansa wallet new ${quoted(account || 'me')}`} />
          {isTestChain(deployment) ? (
            <>Give it test money: <Command text={`hansa wallet fund ${quoted(account || 'me')}${foreign ? '' : most(terms.minBond, token.decimals)}`} />{foreign && <>, and send it <Amount value={terms.minBond} token={token} />.</>}</>
          ) : (
            <>Send it <Amount value={terms.minBond} token={token} /> and some of the chain’s coin.</>
          )}
        </li>
        {own && <li>Get the task’s code, <code>{escapeUntrusted(spec!.task, 80)}</code>, from the sponsor and read it: it runs on your machine, and only if it is the very code that the job names.</li>}
        <li>Join: <Command text={words.join(' ')} />
          <p class="note">
            It looks at job, model and rows before it pays the bond; then it trains once a round, and claims what it earned. Ctrl-C stops it, the same command goes on.
            {strangers.length > 0 && <> By <code>--allow</code> you say that you trust the job’s {strangers.map((kind) => <span key={kind}>{kind} <Name of={terms[kind]} kind="address" />, </span>)}which the deployment does not name.</>}
            {terms.claimTime < HOUR && <> By <code>--min-claim</code> you accept that what is not claimed {duration(terms.claimTime)} after the end is lost.</>}
          </p>
        </li>
      </ol>
      {isTestChain(deployment) && <ChainWords />}
    </Section>
  )
}

function Needs({ view }: { view: JobGlance }) {
  const now = useNow()
  const { terms, token, spec, waiting, enrolled } = view
  const free = terms.maxTrainers - enrolled
  return (
    <p>
      You need rows for <strong>{spec ? escapeUntrusted(spec.title || spec.task, 80) : 'its task'}</strong>
      {spec?.about && <> ({escapeUntrusted(spec.about.replace(/\s+/g, ' '), 280)})</>}, <Amount value={terms.minBond} token={token} /> for the bond
      (back after the job, less <Amount value={terms.strikePenalty} token={token} /> for each malformed update), a little of the chain’s coin for fees, and a
      machine that runs for up to {plural(terms.maxRounds, 'round')}. {plural(free, 'place is', 'places are')} free, for {duration(waiting.deadline - now)} more.
    </p>
  )
}

function Where({ deployment }: { deployment: Deployment }) {
  const href = `data:application/json,${encodeURIComponent(deploymentFile(deployment))}`
  const save = <a href={href} download="deployment.json">save deployment.json</a>
  return (
    <li>
      {isTestChain(deployment) ? <>Open a terminal in the folder where <code>hansa up</code> ran: chain and files are there. In another folder: </> : 'In a folder of your own, '}
      {save} into its <code>.hansa/</code>; it asks a Kubo node of yours for the job’s files (<code>ipfs daemon</code>).
    </li>
  )
}

/** What `hansa wallet fund` has to be told where its usual gift is too small. */
function most(bond: bigint, decimals: number): string {
  return bond > 1000n * 10n ** BigInt(decimals) ? ` --tokens ${exact(bond, decimals).replaceAll(',', '')}` : ''
}
