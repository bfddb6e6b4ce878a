/** The reader's own wallet, by EIP-6963, or an account that is only watched. The page works without one; it never holds a key. */
import { createStore, type EIP6963ProviderDetail } from 'mipd'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Address, Hex } from 'viem'
import type { Deployment } from '../chain/deployment'
import { keep, recalled } from '../kept'
import { Refusal } from '../problems'
import { escapeUntrusted } from '../protocol/text'
import type { Token } from '../view/model'
import { addChain, asAddress, asChainId, refusal, request, type Provider } from './requests'

export interface Wallet {
  found: readonly EIP6963ProviderDetail[]
  choosing: boolean
  missing: boolean // one was asked for, and none is in this browser
  busy: boolean
  name: string | null
  account: Address | null // that signs
  me: Address | null // whose page this is: that account, or the one that is watched
  rightChain: boolean
  problem: Refusal | null
  connect: () => void
  choose: (detail: EIP6963ProviderDetail) => void
  cancel: () => void
  disconnect: () => void
  follow: (account: Address | null) => void // watches it, without a wallet
  switchChain: () => Promise<boolean>
  send: (call: { to: Address; data: Hex }, from: Address) => Promise<Hex> // which has tried it
  watch: (token: Token) => Promise<void>
}

const store = createStore()
const KEY = 'hansa.me'

export function useWallet(deployment: Deployment | null): Wallet {
  const [found, setFound] = useState(() => store.getProviders())
  const [detail, setDetail] = useState<EIP6963ProviderDetail | null>(null)
  const [account, setAccount] = useState<Address | null>(null)
  const [chain, setChain] = useState<number | null>(null)
  const [choosing, setChoosing] = useState(false)
  const [missing, miss] = useState(false)
  const [busy, setBusy] = useState(false)
  const [watched, setWatched] = useState(() => asAddress(recalled(KEY)))
  const [problem, setProblem] = useState<Refusal | null>(null)
  const provider = detail?.provider as Provider | undefined
  const current = useRef({ provider, account, chain })
  current.current = { provider, account, chain }

  useEffect(() => store.subscribe((list) => setFound([...list])), [])

  const disconnect = useCallback(() => {
    setDetail(null)
    setAccount(null)
    setChain(null)
    setProblem(null)
  }, [])

  useEffect(() => {
    if (!provider?.on) return
    const accounts = (list: unknown) => {
      const next = asAddress(Array.isArray(list) ? list[0] : null)
      if (next) setAccount(next)
      else disconnect()
    }
    const chains = (id: unknown) => setChain(asChainId(id))
    provider.on('accountsChanged', accounts)
    provider.on('chainChanged', chains)
    provider.on('disconnect', disconnect)
    return () => {
      provider.removeListener?.('accountsChanged', accounts)
      provider.removeListener?.('chainChanged', chains)
      provider.removeListener?.('disconnect', disconnect)
    }
  }, [provider, disconnect])

  const choose = useCallback(async (chosen: EIP6963ProviderDetail) => {
    setChoosing(false)
    setProblem(null)
    setBusy(true)
    try {
      const asked = chosen.provider as Provider
      const accounts = await request(asked, 'eth_requestAccounts')
      const first = asAddress(Array.isArray(accounts) ? accounts[0] : null)
      if (!first) throw new Refusal('The wallet has no account', 'Make or unlock one in the wallet, then connect again.')
      setChain(asChainId(await request(asked, 'eth_chainId')))
      setDetail(chosen)
      setAccount(first)
    } catch (thrown) {
      setProblem(refusal(thrown, 'to connect'))
    } finally {
      setBusy(false)
    }
  }, [])

  const connect = useCallback(() => {
    const list = store.getProviders()
    setProblem(null)
    miss(!list.length)
    if (list.length === 1) void choose(list[0]!)
    else setChoosing(list.length > 1)
  }, [choose])

  const follow = useCallback((account: Address | null) => {
    setWatched(account)
    keep(KEY, account)
    miss(false)
  }, [])

  const switchChain = useCallback(async () => {
    const { provider } = current.current
    if (!provider || !deployment) return false
    setProblem(null)
    try {
      await addChain(provider, deployment)
      const now = asChainId(await request(provider, 'eth_chainId'))
      setChain(now)
      return now === deployment.chainId
    } catch (thrown) {
      setProblem(refusal(thrown, 'to change the network'))
      return false
    }
  }, [deployment])

  const send = useCallback(
    async (call: { to: Address; data: Hex }, from: Address) => {
      const { provider, account } = current.current
      if (!provider || !account || !deployment) throw new Refusal('No wallet is connected', 'Connect one first.')
      if (account !== from) throw new Refusal('The wallet has changed its account', `Nothing more was sent. Change it back to ${from}, then try again.`)
      const chain = asChainId(await request(provider, 'eth_chainId'))
      if (chain !== deployment.chainId) {
        setChain(chain)
        throw new Refusal(`The wallet is on chain ${chain ?? '?'}, not ${deployment.chainId}`, 'Switch the network, then try again.')
      }
      const hash = await request(provider, 'eth_sendTransaction', [{ from: account, to: call.to, data: call.data, value: '0x0' }])
      if (typeof hash !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(hash)) {
        throw new Refusal('The wallet gave no transaction hash', 'Look in the wallet whether something was sent.')
      }
      return hash as Hex
    },
    [deployment],
  )

  const watch = useCallback(async (token: Token) => {
    const { provider } = current.current
    if (!provider) return
    const options = { address: token.address, symbol: escapeUntrusted(token.symbol, 11), decimals: token.decimals }
    try {
      await request(provider, 'wallet_watchAsset', { type: 'ERC20', options })
    } catch (thrown) {
      setProblem(refusal(thrown, 'to show the token'))
    }
  }, [])

  return useMemo(
    () => ({
      found,
      choosing,
      missing,
      busy,
      problem,
      name: detail ? escapeUntrusted(detail.info.name, 40) : null,
      account,
      me: account ?? watched,
      rightChain: chain !== null && chain === deployment?.chainId,
      connect,
      choose: (chosen) => void choose(chosen),
      cancel: () => {
        setChoosing(false)
        setProblem(null)
        miss(false)
      },
      disconnect,
      follow,
      switchChain,
      send,
      watch,
    }),
    [found, choosing, missing, busy, problem, detail, account, watched, chain, deployment, connect, choose, disconnect, follow, switchChain, send, watch],
  )
}
