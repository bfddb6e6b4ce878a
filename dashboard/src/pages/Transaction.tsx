/** A transaction and a block: what they did to the federation first, then what the node says of them. */
import { useRef, useState } from 'preact/hooks'
import type { Hex } from 'viem'
import type { Block } from '../chain/client'
import { date } from '../dates'
import { escapeUntrusted } from '../protocol/text'
import { Amount } from '../ui/Amount'
import { useApp } from '../ui/app'
import { PageProblem } from '../ui/Banner'
import { brief, exact, plural, ranges, short } from '../ui/format'
import { useLoad } from '../ui/load'
import { BlockLink, Copy, Name } from '../ui/Name'
import { Facts, Loading, More } from '../ui/parts'
import type { Deed, Told } from '../view/told'

const LONGEST = 20_000 // characters of raw fields

type Fact = [string, preact.ComponentChildren]

const timeOf = ({ number, timestamp }: Block, head: number): Fact[] => [['Time', date(timestamp)], ['Depth', plural(Math.max(0, head - number), 'block')]]

/** Reads again with each block, until it is found. */
function useFound<T>(key: string, load: (head: number) => Promise<T>, found: (value: T) => boolean) {
  const { head } = useApp()
  const [since, settle] = useState<number | null>(null)
  const now = useRef(head)
  now.current = head
  const read = async () => {
    const value = await load(head)
    if (found(value)) settle(now.current)
    return value
  }
  return useLoad(key, read, since ?? head)
}

export function Transaction({ hash }: { hash: Hex }) {
  const { reader, head, deployment } = useApp()
  const { value, error, loading, reload } = useFound('transaction', (at) => reader.deeds.transaction(hash, at), (view) => !!view?.block)
  return (
    <>
      <header class="title">
        <h1>Transaction <span class="mono" title={hash}>{short(hash)}</span><Copy text={hash} what="hash" /></h1>
      </header>
      {error && <PageProblem error={error} retry={reload} />}
      {!value && !error && (loading ? <Loading what="the transaction" /> : <p class="lead">This chain has no such transaction.</p>)}
      {value && (
        <>
          <Said deed={value} reverted={value.reverted} waits={!value.block} />
          <Facts
            of={[
              ...(value.block
                ? ([
                    ['Block', <BlockLink of={value.block.number} />], ...timeOf(value.block, head),
                    ['Fee', <><span class="amount" title={`${exact(value.fee, 18)} ETH`}>{brief(value.fee, 18, 'plain', 4)} <span class="unit">ETH</span></span>, {value.gas.toLocaleString('en')} gas</>],
                  ] as Fact[])
                : []),
              ['From', <Name of={value.from} kind="address" />],
              ['To', value.to ? <Name of={value.to} kind="address" /> : 'a new contract'],
            ]}
          />
          {value.call && <p>Call: <code class="mono wrap">{escapeUntrusted(value.call, 400)}</code></p>}
          {deployment.explorer && <p><a href={`${deployment.explorer}/tx/${hash}`} rel="noreferrer">Open in the explorer</a></p>}
          <More summary="All fields">{() => <pre tabIndex={0}>{value.raw.slice(0, LONGEST).split('\n').map((line) => escapeUntrusted(line, LONGEST)).join('\n')}</pre>}</More>
        </>
      )}
    </>
  )
}

export function BlockPage({ at }: { at: number }) {
  const { reader, head } = useApp()
  const { value, error, loading, reload } = useFound('block', (head) => reader.deeds.block(at, head), (found) => found !== null)
  const ours = value?.deeds.filter(isOurs) ?? []
  const others = value?.deeds.filter((deed) => !isOurs(deed)) ?? []
  return (
    <>
      <header class="title">
        <h1>Block {at}</h1>
      </header>
      {error && <PageProblem error={error} retry={reload} />}
      {!value && !error && (loading ? <Loading what="the block" /> : <p class="lead">This chain has no block {at}: its newest is <BlockLink of={head} />.</p>)}
      {value && (
        <>
          <p class="lead">{plural(value.deeds.length, 'transaction')}, {ours.length || 'none'} of this federation</p>
          {ours.map((deed) => <section key={deed.hash}><Said deed={deed} /><Name of={deed.hash} kind="transaction" /></section>)}
          <Facts
            of={[
              ...timeOf(value.block, head), ['Hash', <Name of={value.block.hash} kind="hash" />],
              ...(at ? [['Before it', <BlockLink of={at - 1} />] as Fact] : []), ['After it', <BlockLink of={at + 1} />],
            ]}
          />
          {others.length > 0 && <More summary={`Not of this federation: ${others.length}`}>{() => <p class="names">{others.map(({ hash }) => <Name key={hash} of={hash} kind="transaction" />)}</p>}</More>}
        </>
      )}
    </>
  )
}

const isOurs = ({ told, call }: Deed) => told.length > 0 || call !== null

function Said({ deed, reverted = false, waits = false }: { deed: Deed; reverted?: boolean; waits?: boolean }) {
  const { told, call, from } = deed
  if (!isOurs(deed)) return <p class="lead">This transaction is not of this federation.</p>
  return (
    <>
      {told.map((one, i) => <p key={i} class="lead"><Sentence of={one} /></p>)}
      {!told.length && <p class="lead"><Name of={from} kind="address" /> {waits ? 'sent' : reverted ? 'failed with' : 'made'} a call of {call?.split(/\W/)[0]}{waits ? ' that is in no block yet' : reverted && ': it was reverted, and moved nothing but its fee'}.</p>}
    </>
  )
}

function Sentence({ of: { says, who, job, rounds, amount, token } }: { of: Told }) {
  const { reader } = useApp()
  const title = job === null ? '' : escapeUntrusted(reader.titleOf(job), 80)
  const put: Record<string, preact.ComponentChildren> = {
    who: who && <Name of={who} kind="address" />,
    amount: amount !== null && token ? <Amount value={amount} token={token} /> : 'tokens',
    job: <a href={`#/job/${job}`}>{title && `${title}, `}job {job}</a>,
    rounds: `round${rounds.length === 1 ? '' : 's'} ${ranges(rounds)}`,
  }
  return <>{says.split(/[{}]/).map((part, i) => (i % 2 ? <span key={i}>{put[part]}</span> : part))}</>
}
