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
  firstBlock: number // nothing of the federation is older
  gateway: string // files are at gateway/CID
  names?: string | null // where its server has names of accounts
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
  return {
    name: checked('name', of.name, isText),
    chainId: checked('chain_id', of.chain_id, (value): value is number => isCount(value) && value > 0),
    rpc: checked('rpc', of.rpc, isUrls),
    federation: address('federation', of.federation),
    vault: address('vault', of.vault),
    token: address('token', of.token),
    admission: address('admission', of.admission),
    committee: of.committee == null ? null : address('committee', of.committee),
    firstBlock: checked('first_block', of.first_block, isCount),
    gateway: of.gateway == null ? '/ipfs/' : checked('gateway', of.gateway, isPlace),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isUrl = (value: unknown): value is string => isText(value) && /^https?:\/\/[^\s]+$/.test(value)
const isUrls = (value: unknown): value is string[] => Array.isArray(value) && value.length > 0 && value.every(isUrl)
const isPlace = (value: unknown): value is string => isUrl(value) || (isText(value) && /^\.{0,2}\/(?!\/)/.test(value))

function address(name: string, value: unknown): Address {
  return getAddress(checked(name, value, (given): given is string => isText(given) && isAddress(given)))
}

function checked<Kind>(name: string, value: unknown, fits: (value: unknown) => value is Kind): Kind {
  if (!fits(value)) throw new Error(`${name} is missing, or makes no sense`)
  return value
}
