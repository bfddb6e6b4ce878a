// An account's identity: its DID's owner, delegates and keys, its credentials, and what it has staked. As hansa/runtime/identity.

import type { Address, Hex } from 'viem'
import { getAddress, keccak256, numberToHex, pad, stringToHex } from 'viem/utils'
import { eventOf, selectorOf } from '../chain/abi'
import { nonsense } from '../chain/client'
import { askedAbi, credentialsAbi, registryAbi } from '../chain/deciders'
import { kindAt } from '../chain/kinds'
import { eventIn, readLog, type Log } from '../chain/logs'
import { Refused } from '../problems'
import { didParts, type Change, type DidParts } from '../protocol/did'
import { STAKED, stakesIn, type Asked, type Pool } from './decided'
import type { Head } from './model'

const MOST = 20 // credentials, and pools, that are shown
const MOST_CHANGES = 1000 // of one identity: who makes more is not read
const CHANGES = ['DIDOwnerChanged', 'DIDDelegateChanged', 'DIDAttributeChanged']
const NONE = /^0x0*$/

/** announced: X25519, that updates are sealed to; null: none. registered: null where the deployment has no register of DIDs. */
export interface Identity {
  did: string
  announced: Hex | null
  registered: (DidParts & { agree: boolean }) | null
  credentials: { shown: CredentialView[]; more: number } | null // null where the deployment has none
  pools: Pool[] // each with this account's stake alone
}

export type Standing = 'revoked' | 'expired' | 'replaced'

export interface CredentialView {
  uid: Hex
  issuer: Address
  schema: Hex
  expires: number
  faults: Standing[] // why it does not count; none where it does
}

export const PARTICIPANT = keccak256(stringToHex('participant'))

/** pools: where it may have staked, should the node not tell. */
export async function identityOf(by: Asked, account: Address, at: Head, pools: readonly Address[] = []): Promise<Identity> {
  const { chain } = by
  const { federation, registry, credentials, chainId } = chain.deployment
  const [key, registered, issued, staked] = await Promise.all([
    chain.call<Hex>(federation, askedAbi, 'keyOf', [account], at.number),
    registry && partsOf(by, registry, account, at), credentials && credentialsOf(by, credentials, account, at), stakesOf(by, account, at, pools),
  ])
  const announced = NONE.test(key) ? null : key
  const agree = !registered?.keys.length || (registered.keys.length === 1 && registered.keys[0] === announced)
  return { did: `did:ethr:0x${chainId.toString(16)}:${account}`, announced, registered: registered && { ...registered, agree }, credentials: issued, pools: staked }
}

/** Throws ChainProblem where the events are not those that the register counts: each names the block of the one before it. */
async function partsOf({ chain, logs }: Asked, registry: Address, account: Address, at: Head): Promise<DidParts> {
  const ask = <T>(name: string) => chain.call<T>(registry, registryAbi, name, [account], at.number)
  const [changed, owner] = await Promise.all([ask<bigint>('changed'), ask<Address>('identityOwner')])
  const topics = [CHANGES.map((name) => selectorOf(registryAbi, name)), pad(account).toLowerCase() as Hex]
  const within = async (from: number, to: number) => (await logs.read([registry], topics, from, { number: to })).map((log) => ({ block: log.block, ...changeIn(log) }))
  let [read, before] = [[] as Awaited<ReturnType<typeof within>>, Number(changed)]
  for (let to = at.number; before && read.length < MOST_CHANGES; to = before) { // at once what the deployment has seen, then back from block to block
    const earlier = await within(Math.min(before, chain.deployment.firstBlock), to)
    if (earlier.at(-1)?.block !== before) throw nonsense('eth_getLogs', `${earlier.length} changes of ${account}`)
    read = [...earlier, ...read]
    before = earlier[0]!.previous
  }
  if (before) throw new Error(`${account} has changed its identity more than ${MOST_CHANGES} times: hansa id resolve reads them all`)
  if (read.some(({ previous }, i) => i && previous !== read[i - 1]!.block)) throw nonsense('eth_getLogs', `${read.length} changes of ${account}`)
  const parts = didParts(account, read.map(({ change }) => change), at.timestamp)
  if (parts.owner && parts.owner !== owner) throw nonsense('identityOwner', owner)
  return parts
}

function changeIn(log: Log): { change: Change; previous: number } {
  const kind = CHANGES.find((name) => selectorOf(registryAbi, name) === log.topics[0])!
  const { owner, delegate, delegateType, name, value, validTo, previousChange } = eventIn(log, eventOf(registryAbi, kind))!.values
  const change: Change = kind === 'DIDOwnerChanged' ? { kind: 'owner', owner }
    : kind === 'DIDDelegateChanged' ? { kind: 'delegate', name: delegateType, delegate, validTo } : { kind: 'attribute', name, value, validTo }
  return { change, previous: Number(previousChange) }
}

interface Stored {
  schema: Hex
  issuer: Address
  expires: number
  revoked: number
}

/** The newest; anybody may issue what it likes. */
async function credentialsOf({ chain, logs }: Asked, address: Address, account: Address, at: Head): Promise<NonNullable<Identity['credentials']>> {
  const event = eventOf(credentialsAbi, 'CredentialIssued')
  const issued = await logs.read([address], [selectorOf(credentialsAbi, 'CredentialIssued'), null, null, pad(account).toLowerCase() as Hex], chain.deployment.firstBlock, at)
  const newest = issued.slice(-MOST).reverse().map((log) => eventIn(log, event)!.values)
  const ask = <T>(name: string, args: readonly unknown[]) => chain.call<T>(address, credentialsAbi, name, args, at.number)
  const shown = await Promise.all(newest.map(async ({ uid, issuer, schema }) => {
    const [stored, latest] = await Promise.all([ask<Stored>('credentialOf', [uid]), ask<Hex>('latest', [issuer, schema, account])])
    if (stored.issuer !== issuer || stored.schema !== schema) throw nonsense('credentialOf', stored.issuer)
    const faults = standing(stored, latest === uid, at.timestamp)
    return { uid: uid as Hex, issuer: stored.issuer, schema: stored.schema, expires: Number(stored.expires), faults }
  }))
  return { shown, more: issued.length - shown.length }
}

/** As hansa/protocol/credential.py. */
export function standing({ revoked, expires }: Pick<Stored, 'revoked' | 'expires'>, isLatest: boolean, now: number): Standing[] {
  const found: [boolean, Standing][] = [[Number(revoked) > 0, 'revoked'], [now >= Number(expires), 'expired'], [!isLatest, 'replaced']]
  return found.flatMap(([is, fault]) => (is ? [fault] : []))
}

/** In pools of this federation. Any contract may say that somebody has staked, so only ours count. */
async function stakesOf(by: Asked, account: Address, at: Head, likely: readonly Address[]): Promise<Pool[]> {
  const { chain } = by
  const places = new Set([...likely, ...(await poolsNaming(by, account, at))])
  const found = await Promise.all([...places].slice(0, MOST).map(async (address) => {
    const kind = await kindAt(chain, address, at.number)
    return kind === 'StakedCommittee' || kind === 'HybridCommittee' ? stakesIn(by, address, [account], at) : null
  }))
  return found.flatMap((pool) => (pool?.federation === chain.deployment.federation && pool.stakes.some(({ staked, leaving }) => staked + leaving > 0n) ? [pool] : []))
}

/** Contracts that have said so, newest first; none where a node answers only for contracts that are named. */
async function poolsNaming({ chain }: Asked, account: Address, at: Head): Promise<Address[]> {
  const query = { topics: [STAKED, pad(account)], fromBlock: numberToHex(chain.deployment.firstBlock), toBlock: numberToHex(at.number) }
  try {
    const answer = await chain.ask('eth_getLogs', [query])
    if (!Array.isArray(answer)) throw nonsense('eth_getLogs', answer)
    return answer.map((entry) => getAddress(readLog(entry).address)).reverse()
  } catch (error) {
    if (error instanceof Refused) return []
    throw error
  }
}
