/** What is asked of a wallet, and what its refusals mean. */
import type { Address } from 'viem'
import { getAddress, isAddress } from 'viem/utils'
import type { Deployment } from '../chain/deployment'
import { CLEAR, Refusal } from '../problems'
import { escapeUntrusted } from '../protocol/text'

export interface Provider {
  request(asked: { method: string; params?: unknown }): Promise<unknown>
  on?(event: string, listener: (value: unknown) => void): void
  removeListener?(event: string, listener: (value: unknown) => void): void
}

export const request = (provider: Provider, method: string, params?: unknown) =>
  provider.request(params === undefined ? { method } : { method, params })

/** The code of EIP-1193 and EIP-1474, wherever a wallet hides it. */
function codeOf(thrown: unknown): number | null {
  if (typeof thrown !== 'object' || thrown === null) return null
  const { code, data } = thrown as { code?: unknown; data?: { originalError?: { code?: unknown } } }
  const inner = data?.originalError?.code
  return typeof inner === 'number' ? inner : typeof code === 'number' ? code : null
}

export function refusal(thrown: unknown, what: string): Refusal {
  if (thrown instanceof Refusal) return thrown
  const code = codeOf(thrown)
  if (code === 4001) return new Refusal(`You declined ${what}`, 'Nothing was sent. Try again whenever you like.')
  if (code === 4100) return new Refusal('The wallet does not let this page use the account', 'Allow it in the wallet, then connect again.')
  if (code === 4200 || code === -32601) return new Refusal(`The wallet can’t be asked ${what}`, 'Use another wallet, or do it there by hand.')
  if (code === -32002) return new Refusal('The wallet has a question open already', 'Answer it in the wallet.')
  const said = thrown instanceof Error ? thrown.message : (thrown as { message?: unknown } | null)?.message
  const words = typeof said === 'string' ? escapeUntrusted(said, 200) : 'it gave no reason'
  return new Refusal(`The wallet refused ${what}: ${words}`, /nonce/i.test(words) ? CLEAR : 'Look into the wallet, then try again.')
}

/** null for what is none, and for mixed case that is not its checksum (ERC-55). */
export function asAddress(value: unknown): Address | null {
  return typeof value === 'string' && isAddress(value) ? getAddress(value) : null
}

/** Whether a text would be an address, were it not for its checksum. */
export const misspelt = (text: string): boolean => isAddress(text, { strict: false }) && !isAddress(text)

export const MISSPELT = 'Its checksum is wrong: a character is not the one that was meant. Copy the address again.'

export const wrongAddress = (text: string): string => (misspelt(text) ? MISSPELT : 'An address is 0x and 40 hexadecimal digits.')

export function asChainId(value: unknown): number | null {
  const number = typeof value === 'string' && /^0x[0-9a-fA-F]{1,13}$/.test(value) ? parseInt(value, 16) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null
}

const UNKNOWN_CHAIN = 4902

/** Switches the wallet to the deployment's chain; adds the chain where the wallet does not know it. */
export async function addChain(provider: Provider, deployment: Deployment): Promise<void> {
  const chainId = `0x${deployment.chainId.toString(16)}`
  const change = () => request(provider, 'wallet_switchEthereumChain', [{ chainId }])
  try {
    await change()
  } catch (thrown) {
    if (codeOf(thrown) !== UNKNOWN_CHAIN) throw thrown
    const nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 }
    const chain = { chainId, chainName: escapeUntrusted(deployment.name, 40), rpcUrls: deployment.rpc, nativeCurrency }
    await request(provider, 'wallet_addEthereumChain', [chain])
    await change()
  }
}
