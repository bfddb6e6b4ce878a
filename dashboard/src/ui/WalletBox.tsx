/** The wallet's corner of the header: connect, choose, who is connected, disconnect. */
import { useEffect, useRef } from 'preact/hooks'
import { escapeUntrusted } from '../protocol/text'
import { useApp } from './app'
import { Banner } from './Banner'
import { useBook } from './book'
import { RefusalBanner } from './ClaimButton'

export function WalletBox() {
  const { wallet } = useApp()
  const { told } = useBook()
  if (!wallet.account) {
    return (
      <button type="button" class="primary" disabled={wallet.busy} onClick={wallet.connect}>
        {wallet.busy ? 'Look into your wallet…' : 'Connect'}
      </button>
    )
  }
  return (
    <span class="wallet">
      <a href={`#/account/${wallet.account}`} class="mono" title={`${wallet.name}: ${wallet.account}`}>
        {told(wallet.account)}
      </a>
      <button type="button" class="plain" onClick={wallet.disconnect} aria-label="Disconnect the wallet">
        Disconnect
      </button>
    </span>
  )
}

export function WalletNotes() {
  const { wallet, deployment } = useApp()
  return (
    <>
      {wallet.choosing && <Chooser />}
      {wallet.problem && <RefusalBanner problem={wallet.problem} />}
      {wallet.account && !wallet.rightChain && (
        <Banner
          tone="warn"
          title={`Your wallet is on another network than ${escapeUntrusted(deployment.name, 40)}`}
          action={{ label: 'Switch network', run: () => void wallet.switchChain() }}
        >
          <p>Reading works; for a transaction the wallet has to be on chain {deployment.chainId}.</p>
        </Banner>
      )}
    </>
  )
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
