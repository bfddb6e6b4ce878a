/** The wallet's corner of the header: connect, choose, who is connected or watched; and what to do without a wallet, or on another chain. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Address } from 'viem'
import { isTestChain } from '../chain/deployment'
import { CLEAR } from '../problems'
import { escapeUntrusted } from '../protocol/text'
import { asAddress, wrongAddress } from '../wallet/requests'
import { useApp } from './app'
import { Banner } from './Banner'
import { useBook } from './book'
import { RefusalBanner } from './ClaimButton'
import { Command } from './Command'

export function WalletBox() {
  const { wallet } = useApp()
  const { told } = useBook()
  const { account, me } = wallet
  return (
    <span class="wallet">
      {me && (
        <>
          <a href={`#/account/${me}`} class="mono" title={`${account ? wallet.name : 'Watched'}: ${me}`}>
            {told(me)}
          </a>
          <button type="button" class="plain" onClick={() => (account ? wallet.disconnect() : wallet.follow(null))} aria-label={account ? 'Disconnect the wallet' : 'Stop watching the account'}>
            {account ? 'Disconnect' : 'Stop watching'}
          </button>
        </>
      )}
      {!account && (
        <button type="button" class={me ? '' : 'primary'} disabled={wallet.busy} onClick={wallet.connect}>
          {wallet.busy ? 'Look into your wallet…' : 'Connect'}
        </button>
      )}
    </span>
  )
}

export function WalletNotes() {
  const { wallet, deployment } = useApp()
  return (
    <>
      {wallet.choosing && <Chooser />}
      {wallet.missing && <NoWallet />}
      {wallet.problem && <RefusalBanner problem={wallet.problem} />}
      {wallet.account && !wallet.rightChain && (
        <Banner
          tone="warn"
          title={`Your wallet is on another network than ${escapeUntrusted(deployment.name, 40)}`}
          action={{ label: 'Switch network', run: () => void wallet.switchChain() }}
        >
          <p>Reading works; for a transaction the wallet has to be on chain {deployment.chainId}. Where it does not know that chain, it is asked to add it.</p>
          <ChainWords />
        </Banner>
      )}
    </>
  )
}

/** What chain this is, and what a wallet has to be told of it. */
export function ChainWords() {
  const { deployment, wallet } = useApp()
  const { chainId, name, rpc } = deployment
  const at = <><strong>{escapeUntrusted(name, 40)}</strong> is chain {chainId} at <code class="wrap">{rpc[0]}</code></>
  if (!isTestChain(deployment)) return <p>{at}.</p>
  return (
    <>
      <p>{at}, a chain on this machine for trying things out. It has no money of yours: <code>hansa up</code> prints test accounts with test money. Never send real money to them.</p>
      {wallet.account && <p>Was the chain started anew? {CLEAR}</p>}
    </>
  )
}

function NoWallet() {
  const { wallet } = useApp()
  return (
    <section class="card" aria-labelledby="no-wallet">
      <h2 id="no-wallet">No wallet was found in this browser</h2>
      <p>You need none to look. To claim or to post, either</p>
      <ol>
        <li>use the key that is on your machine: <Command text="hansa wallet claim" /></li>
        <li>or install a browser wallet (MetaMask, Rabby, Frame), then reload the page.</li>
      </ol>
      <ChainWords />
      <WatchForm done={wallet.follow} />
      <button type="button" class="plain" onClick={wallet.cancel}>Close</button>
    </section>
  )
}

function WatchForm({ done }: { done: (account: Address) => void }) {
  const [text, type] = useState('')
  const [wrong, say] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    const account = asAddress(text.trim())
    if (account) done(account)
    else say(wrongAddress(text.trim()))
  }
  return (
    <form class="ask" onSubmit={submit}>
      <label for="watch">Only looking? An account to watch, as if it were yours</label>
      <div class="row">
        <input id="watch" class="mono" value={text} onInput={(event) => type(event.currentTarget.value)} spellcheck={false} autocomplete="off" placeholder="0x…" />
        <button type="submit">Watch</button>
      </div>
      <p class="bad-text" role="status">{wrong}</p>
    </form>
  )
}

/** Makes an account the reader's own, where no wallet has one. */
export function WatchButton({ account }: { account: Address }) {
  const { wallet } = useApp()
  if (wallet.account || wallet.me === account) return null
  return <button type="button" onClick={() => wallet.follow(account)}>Watch this account</button>
}

function Chooser() {
  const { wallet } = useApp()
  const box = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    box.current?.showModal()
    return () => box.current?.close()
  }, [])
  return (
    <dialog ref={box} aria-labelledby="choose" onCancel={wallet.cancel}>
      <h2 id="choose">Choose a wallet</h2>
      <ul class="choices">
        {wallet.found.map((detail) => (
          <li key={detail.info.uuid}>
            <button type="button" onClick={() => wallet.choose(detail)}>
              {/^data:image\//.test(detail.info.icon) && <img src={detail.info.icon} alt="" width="24" height="24" />}
              <span>{escapeUntrusted(detail.info.name, 40)}</span>
              <span class="muted">{escapeUntrusted(detail.info.rdns, 60)}</span>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="plain" onClick={wallet.cancel}>
        Cancel
      </button>
    </dialog>
  )
}
