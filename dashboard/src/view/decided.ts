// Who decides in a job, and who may train: what its committee and its admission say of themselves, where they are contracts of ours.

import type { Address, Hex } from 'viem'
import { eventOf, selectorOf } from '../chain/abi'
import { nonsense } from '../chain/client'
import { askedAbi, credentialAdmissionAbi, poolAbi, reputationAdmissionAbi } from '../chain/deciders'
import { kindAt } from '../chain/kinds'
import { eventIn } from '../chain/logs'
import type { Head, JobView, Token } from './model'
import type { Reader } from './reader'

export type Asked = Pick<Reader, 'chain' | 'logs' | 'tokens'>

/** named: members who sit in every attempt. pool: whether others are drawn by stake. */
export interface Committee {
  kind: string | null // of contract; null: none of ours
  named: readonly Address[]
  pool: boolean
}

export async function committeeOf({ chain }: Asked, { job, terms }: Pick<JobView, 'job' | 'terms'>, at: Head): Promise<Committee> {
  const kind = await kindAt(chain, terms.committee, at.number)
  const pool = kind === 'StakedCommittee' || kind === 'HybridCommittee'
  if (kind === 'AppointedCommittee') {
    const named = await chain.call<Address[]>(terms.committee, askedAbi, 'select', [BigInt(job), 0n, `0x${'0'.repeat(64)}`, 0n], at.number)
    return { kind, named, pool }
  }
  const named = pool ? await chain.call<Address[]>(terms.committee, poolAbi, 'appointed', [], at.number) : []
  return { kind: pool ? (named.length ? 'HybridCommittee' : 'StakedCommittee') : kind, named, pool } // their code is the same
}

export interface Admission {
  kind: string | null
  schema?: Hex
  issuers?: readonly Address[]
  minimum?: bigint // 1e-6
  jobs?: number[]
  elsewhere?: Address // credentials, or a federation, that are not the deployment's
}

export async function admissionOf({ chain }: Asked, admission: Address, at: Head): Promise<Admission> {
  const kind = await kindAt(chain, admission, at.number)
  const unless = (usual: Address | null, found: Address) => (usual === found ? {} : { elsewhere: found })
  if (kind === 'CredentialAdmission') {
    const ask = <T>(name: string) => chain.call<T>(admission, credentialAdmissionAbi, name, [], at.number)
    const [credentials, schema, issuers] = await Promise.all([ask<Address>('credentials'), ask<Hex>('schema'), ask<Address[]>('issuers')])
    return { kind, schema, issuers, ...unless(chain.deployment.credentials, credentials) }
  }
  if (kind === 'ReputationAdmission') {
    const ask = <T>(name: string) => chain.call<T>(admission, reputationAdmissionAbi, name, [], at.number)
    const [federation, minimum, jobs] = await Promise.all([ask<Address>('federation'), ask<bigint>('minimum'), ask<bigint[]>('jobs')])
    return { kind, minimum, jobs: jobs.map(Number), ...unless(chain.deployment.federation, federation) }
  }
  return { kind }
}

/** leavesAt: when `leaving` can be withdrawn, seconds. share: of all weights, the chance that one draw falls on it. */
export interface Stake {
  account: Address
  staked: bigint
  leaving: bigint
  leavesAt: number
  weight: number
  share: number
}

export interface Pool {
  federation: Address
  address: Address
  token: Token
  minimum: bigint // tokens
  epochTime: number // seconds
  stakers: number
  stakes: Stake[] // heaviest first
  unread: number // accounts with less
  slashed: ReadonlyMap<Address, { times: number; amount: bigint }> // in one job
}

interface PoolTerms {
  federation: Address
  token: Address
  unit: bigint
  minimum: number
  epochTime: number
}

interface Staked {
  staked: bigint
  leaving: bigint
  leavesAt: bigint
  weight: number
}

const MOST = 50 // accounts that are asked for

export const STAKED = selectorOf(poolAbi, 'Staked')
const SLASHED = selectorOf(poolAbi, 'Slashed')

/** A pool, all its stakes or the largest, and what a job's members lost. Throws ChainProblem where a node hides stakers. */
export async function poolOf(by: Asked, address: Address, job: number, at: Head): Promise<Pool> {
  const { chain, logs } = by
  const [events, ...facts] = await Promise.all([
    logs.read([address], [[STAKED, SLASHED]], chain.deployment.firstBlock, at),
    chain.call<PoolTerms>(address, poolAbi, 'poolTerms', [], at.number), chain.call<bigint>(address, poolAbi, 'stakers', [], at.number),
  ])
  const last = new Map<Address, bigint>() // staked, as its owner last added to it
  const slashed = new Map<Address, { times: number; amount: bigint }>()
  for (const log of events) {
    const { account, staked, amount, job: where } = eventIn(log, eventOf(poolAbi, log.topics[0] === STAKED ? 'Staked' : 'Slashed'))!.values
    if (log.topics[0] === STAKED) last.set(account as Address, staked as bigint)
    else if (where === BigInt(job)) {
      const before = slashed.get(account as Address)
      slashed.set(account as Address, { times: (before?.times ?? 0) + 1, amount: (before?.amount ?? 0n) + (amount as bigint) })
    }
  }
  const accounts = [...last].sort(([, a], [, b]) => (a < b ? 1 : -1)).slice(0, MOST).map(([account]) => account)
  const pool = await stakesIn(by, address, accounts, at, facts)
  const unread = last.size - accounts.length
  if (!unread && pool.stakes.filter(({ weight }) => weight > 0).length !== pool.stakers) throw nonsense('eth_getLogs', `${last.size} of ${pool.stakers} stakers`)
  return { ...pool, stakes: pool.stakes.filter(({ staked, leaving }) => staked + leaving > 0n), unread, slashed }
}

/** The same of some accounts alone; facts: its terms and how many weigh something, where they were read. */
export async function stakesIn(by: Asked, address: Address, accounts: readonly Address[], at: Head, facts?: readonly [PoolTerms, bigint]): Promise<Pool> {
  const ask = <T>(name: string, args: readonly unknown[] = []) => by.chain.call<T>(address, poolAbi, name, args, at.number)
  const [terms, stakers] = facts ?? (await Promise.all([ask<PoolTerms>('poolTerms'), ask<bigint>('stakers')]))
  const next = BigInt(at.timestamp + terms.epochTime) // so that what changed in this epoch counts too
  const [token, total, ...found] = await Promise.all([
    by.tokens.of(terms.token, at.number), ask<bigint>('weightAt', [next]), ...accounts.map((account) => ask<Staked>('stakeOf', [account])),
  ])
  const stakes = found.map(({ staked, leaving, leavesAt, weight }, i) => ({
    account: accounts[i]!, staked, leaving, leavesAt: Number(leavesAt), weight: Number(weight), share: total ? Number(weight) / Number(total) : 0,
  }))
  return {
    federation: terms.federation, address, token, minimum: BigInt(terms.minimum) * terms.unit, epochTime: terms.epochTime, stakers: Number(stakers),
    stakes: stakes.sort((a, b) => b.weight - a.weight), unread: 0, slashed: new Map(),
  }
}

/** taken: attempts with a seat. asked: those that came as far as measuring. */
export interface MemberRecord {
  taken: number
  asked: number
  answered: number // with measurements
}

const MEASURED = ['SCORE', 'REVEAL', 'VOTE', 'FINALIZE']

/** By account. */
export function recordsOf({ cycles }: Pick<JobView, 'cycles'>): Map<Address, MemberRecord> {
  const found = new Map<Address, MemberRecord>()
  for (const { seats, outcome } of cycles) {
    const over = outcome.kind === 'finalized' || (outcome.kind === 'failed' && MEASURED.includes(outcome.phase))
    for (const { validator, committed } of seats) {
      const { taken, asked, answered } = found.get(validator) ?? { taken: 0, asked: 0, answered: 0 }
      found.set(validator, { taken: taken + 1, asked: asked + Number(over || committed), answered: answered + Number(committed) })
    }
  }
  return found
}
