/** deployment.json, which stands beside the page: where the contracts are, and how to reach chain and store. */
import { getAddress, isAddress } from 'viem/utils'
import type { Address } from './view/model'

export interface Deployment {
  name: string
  chainId: number
  rpc: string[]
  federation: Address
  vault: Address
  token: Address
  admission: Address
  committee: Address | null
  firstBlock: number
  gateway: string
}

/** Reads it; an Error names the field that is wrong. */
export async function loadDeployment(): Promise<Deployment> {
  const answer = await fetch('deployment.json', { cache: 'no-cache' })
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`)
  const found: unknown = await answer.json().catch(() => null)
  if (typeof found !== 'object' || found === null) throw new Error('it is no JSON object')
  return checked(found as Record<string, unknown>)
}

function checked(found: Record<string, unknown>): Deployment {
  const wrong = (name: string): never => {
    throw new Error(`its field ${name} is missing or wrong`)
  }
  const address = (name: string): Address => {
    const value = found[name]
    return typeof value === 'string' && isAddress(value, { strict: false }) ? getAddress(value) : wrong(name)
  }
  const number = (name: string, least: number): number => {
    const value = found[name]
    return Number.isSafeInteger(value) && (value as number) >= least ? (value as number) : wrong(name)
  }
  const { name, rpc, gateway = '/ipfs/' } = found
  const urls = Array.isArray(rpc) ? rpc.filter((url): url is string => typeof url === 'string') : []
  return {
    name: typeof name === 'string' ? name : wrong('name'),
    chainId: number('chain_id', 1),
    rpc: urls.length ? urls : wrong('rpc'),
    federation: address('federation'),
    vault: address('vault'),
    token: address('token'),
    admission: address('admission'),
    committee: found['committee'] ? address('committee') : null,
    firstBlock: number('first_block', 0),
    gateway: typeof gateway === 'string' ? gateway : wrong('gateway'),
  }
}
