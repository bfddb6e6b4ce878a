// deployment.json beside the page: where the contracts of one federation are, and how to reach chain and store.

import type { Address } from 'viem'
import { getAddress, isAddress } from 'viem/utils'

/** The public part of hansa/runtime/chain/deployment.py. */
export interface Deployment {
  name: string
  chainId: number
  rpc: string[]
  federation: Address
  vault: Address
  token: Address
  admission: Address
  committee: Address | null
  registry: Address | null // of DIDs
  credentials: Address | null
  firstBlock: number // nothing of the federation is older
  gateway: string // files are at gateway/CID
  confirmations: number // blocks that daemons wait for
  explorer: string | null // transactions are at explorer/tx/0x…
  names?: string | null // where its server has names of accounts
}

/** Of test money alone, as hansa/devnet/anvil.py. */
export const isTestChain = ({ chainId }: Deployment): boolean => chainId === 31337 || chainId === 1337

const KUBO = { kind: 'kubo', api: '/ip4/127.0.0.1/tcp/5001' } // of whoever saves the file

/** A deployment.json that `hansa` takes, for somebody who has none: files come by a Kubo node of one's own. */
export function deploymentFile(of: Deployment): string {
  const { name, rpc, federation, vault, token, admission, committee, registry, credentials, confirmations, gateway, explorer } = of
  const fields = {
    name, chain_id: of.chainId, rpc, federation, vault, token, admission, committee, registry, credentials, first_block: of.firstBlock, confirmations,
    store: KUBO, gateway: isUrl(gateway) ? gateway : null, explorer, allowed: { tokens: [token], admissions: [admission], committees: committee ? [committee] : [] },
  }
  return `${JSON.stringify(fields, (_, value) => value ?? undefined, 2)}\n`
}

/** Throws Error: the file can't be had, or the field that is wrong. */
export async function loadDeployment(url = 'deployment.json'): Promise<Deployment> {
  const response = await fetch(url, { cache: 'no-store', credentials: 'omit' })
  if (!response.ok) throw new Error(`${url} can't be read: the answer is ${response.status}`)
  return { ...parseDeployment(await response.text()), names: response.headers.get('Hansa-Names') }
}

export function parseDeployment(text: string): Deployment {
  const fields: unknown = JSON.parse(text)
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new Error('the file is not a JSON object')
  const of = fields as Record<string, unknown>
  const contract = (field: string) => (of[field] == null ? null : address(field, of[field]))
  return {
    name: checked('name', of.name, isText),
    chainId: checked('chain_id', of.chain_id, (value): value is number => isCount(value) && value > 0),
    rpc: checked('rpc', of.rpc, isUrls),
    federation: address('federation', of.federation),
    vault: address('vault', of.vault),
    token: address('token', of.token),
    admission: address('admission', of.admission),
    committee: contract('committee'),
    registry: contract('registry'),
    credentials: contract('credentials'),
    firstBlock: checked('first_block', of.first_block, isCount),
    gateway: of.gateway == null ? '/ipfs/' : checked('gateway', of.gateway, isPlace),
    confirmations: of.confirmations == null ? 0 : checked('confirmations', of.confirmations, isCount),
    explorer: of.explorer == null ? null : checked('explorer', of.explorer, isSite).replace(/\/$/, ''),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isUrl = (value: unknown): value is string => isText(value) && /^https?:\/\/[^\s]+$/.test(value)
const isUrls = (value: unknown): value is string[] => Array.isArray(value) && value.length > 0 && value.every(isUrl)
const isPlace = (value: unknown): value is string => isUrl(value) || (isText(value) && /^\.{0,2}\/(?!\/)/.test(value))
/** Origin and path by https, as hansa/runtime/chain/deployment.py. */
const isSite = (value: unknown): value is string => isText(value) && /^https:\/\/[\w.-]+(:\d+)?(\/[\w.~/-]*)?$/.test(value) && URL.canParse(value)

function address(name: string, value: unknown): Address {
  return getAddress(checked(name, value, (given): given is string => isText(given) && isAddress(given)))
}

function checked<Kind>(name: string, value: unknown, fits: (value: unknown) => value is Kind): Kind {
  if (!fits(value)) throw new Error(`${name} is missing, or makes no sense`)
  return value
}
