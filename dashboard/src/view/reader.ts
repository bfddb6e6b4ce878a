// The one thing that pages read by: chain, store and rules together.

import type { Client } from 'viem'
import { getAddress } from 'viem/utils'
import { federationAbi, vaultAbi } from '../chain/abi'
import { Chain, type Block } from '../chain/client'
import { loadDeployment, type Deployment } from '../chain/deployment'
import { isOver, phaseOf, type JobState, type RawTerms } from '../chain/history'
import { Job, type Facts, type Standing } from '../chain/jobs'
import { eventIn, Logs, type Log } from '../chain/logs'
import { MAX_BYTES, parseSpec } from '../protocol/spec'
import { fetchFile } from '../store/gateway'
import type { AccountView } from './account'
import { claimCall, type ClaimCall } from './claims'
import { cidText } from './cycles'
import { glanceAt } from './glance'
import { jobView, members } from './job'
import { ChainProblem, StoreProblem, type Address, type Hex, type JobGlance, type JobRow, type JobView, type Reader, type Spec } from './model'
import { Movements, unlike } from './movements'
import { Replay, type Replayed } from './replay'
import { Tokens } from './tokens'
import { kindOf } from './verify'

const NO_METRIC = -(2n ** 63n)
const LARGEST_FILE = 2 ** 28 // bytes

/** Throws Error where deployment.json can't be had or is wrong. */
export async function openReader(deploymentUrl: string): Promise<Reader> {
  return readerOf(await loadDeployment(deploymentUrl)).reader
}

/** A reader, and the client by which it asks. */
export function readerOf(deployment: Deployment): { reader: Reader; client: Client } {
  const chain = new Chain(deployment)
  return { reader: new ChainReader(chain), client: chain.client }
}

interface Kept {
  job: Job
  replay: Replay
  spec: Spec | null
  fetching: Promise<string | null> | null // the spec
  moved: boolean // fees may be others
  fees: ReadonlyMap<Address, bigint>
  glance: JobGlance | null
  early: ((glance: JobGlance) => void)[] // who waits for a first sight
  last: Promise<Seen | null>
}

interface Seen {
  at: Block
  view: JobView
  replayed: readonly Replayed[]
}

class ChainReader implements Reader {
  private readonly logs: Logs
  private readonly tokens: Tokens
  private readonly movements: Movements
  private readonly kept = new Map<number, Kept>()

  constructor(private readonly chain: Chain) {
    this.logs = new Logs(chain)
    this.tokens = new Tokens(chain)
    this.movements = new Movements(chain, this.logs)
  }

  async head(): Promise<{ number: number; timestamp: number }> {
    const { number, timestamp } = await this.newest()
    return { number, timestamp }
  }

  async jobs(from = 1): Promise<JobRow[]> {
    const at = await this.newest()
    const { federation } = this.chain.deployment
    const count = Number(await this.chain.call<bigint>(federation, federationAbi, 'jobCount', [], at.number))
    return Promise.all(Array.from({ length: Math.max(0, count - from + 1) }, (_, i) => this.row(from + i, at)))
  }

  async job(id: number, early?: (glance: JobGlance) => void): Promise<JobView> {
    return (await this.see(id, await this.newest(), early)).view
  }

  async account(address: Address): Promise<AccountView> {
    const at = await this.newest()
    const account = getAddress(address)
    const named = await this.movements.naming(account, at)
    const numbers = await this.jobsOf(account, named, at)
    const views = await Promise.all(numbers.map(async (id) => (await this.see(id, at)).view))
    const tokens = new Map([[this.chain.deployment.token, await this.tokens.of(this.chain.deployment.token, at.number)]])
    for (const { token } of views) tokens.set(token.address, token)
    const [native, movements, ...balances] = await Promise.all([
      this.chain.balance(account, at.number), this.movements.of(account, named, views), ...[...tokens.keys()].map((token) => this.tokens.balance(token, account, at.number)),
    ])
    return {
      address: account, did: `did:ethr:0x${this.chain.deployment.chainId.toString(16)}:${account}`, native,
      movements, unlike: unlike(movements, views, account), tokens: [...tokens.values()].map((token, i) => ({ token, balance: balances[i] ?? null })),
      jobs: views.map((view) => partOf(view, account)),
    }
  }

  async claimCalls(job: number, trainer: Address): Promise<ClaimCall> {
    const at = await this.newest()
    const { view, replayed } = await this.see(job, at)
    const account = getAddress(trainer)
    const rounds = view.trainers.find((each) => each.address === account)?.claimable.map((each) => each.round) ?? []
    const { vault } = this.chain.deployment
    const marks = await Promise.all(rounds.map((round) => this.chain.call<boolean>(vault, vaultAbi, 'isClaimed', [BigInt(job), account, round], at.number)))
    return claimCall(vault, view, replayed, account, new Set(rounds.filter((_, i) => marks[i])))
  }

  async verify(cid: string): Promise<{ bytes: number; blocks: number; ok: true; kind: ReturnType<typeof kindOf> }> {
    const { data, blocks } = await fetchFile(this.chain.deployment.gateway, cid, LARGEST_FILE)
    return { bytes: data.length, blocks, ok: true, kind: kindOf(data) }
  }

  // --- reading

  /** The newest block; what was read of a chain that is gone is dropped. */
  private async newest(): Promise<Block> {
    try {
      return await this.chain.head()
    } catch (error) {
      if (error instanceof ChainProblem && error.kind === 'reset') this.kept.clear()
      throw error
    }
  }

  private async row(job: number, at: Block): Promise<JobRow> {
    const { federation } = this.chain.deployment
    const ask = <Answer>(name: string, ...args: bigint[]) => this.chain.call<Answer>(federation, federationAbi, name, [BigInt(job), ...args], at.number)
    const [state, terms] = await Promise.all([ask<JobState>('stateAt', BigInt(at.timestamp)), ask<RawTerms>('termsOf')])
    return {
      job, phase: phaseOf(state.phase), round: state.round - 1, maxRounds: terms.maxRounds, trainers: state.enrolled, seats: terms.seats,
      metric: state.bestMetric === NO_METRIC ? null : state.bestMetric, sponsor: state.sponsor, rewardPerRound: terms.rewardPerRound,
      token: await this.tokens.of(terms.token, at.number), deadline: state.deadline,
    }
  }

  /** A job at a block; one reading at a time, and none where the block is the one that was read last. */
  private see(id: number, at: Block, early?: (glance: JobGlance) => void): Promise<Seen> {
    const kept: Kept = this.kept.get(id) ?? {
      job: new Job(this.chain, this.logs, id), replay: new Replay(), spec: null, fetching: null, moved: true, fees: new Map(),
      glance: null, early: [], last: Promise.resolve(null),
    }
    this.kept.set(id, kept)
    if (kept.glance) early?.(kept.glance)
    else if (early) kept.early.push(early)
    const next = kept.last.catch(() => null).then((seen) => (seen?.view.spec && seen.at.hash === at.hash ? seen : this.look(id, kept, at)))
    kept.last = next
    return next
  }

  private async look(id: number, kept: Kept, at: Block): Promise<Seen> {
    const { federation } = this.chain.deployment
    const reading = Promise.all([kept.job.standing(at), kept.glance ? null : this.termsOf(id, at)])
    reading.catch(() => undefined) // said below, where the job exists
    const count = await this.chain.call<bigint>(federation, federationAbi, 'jobCount', [], at.number)
    if (BigInt(id) < 1n || BigInt(id) > count) throw new Error(`There is no job ${id}: jobs 1 to ${count} are posted.`)
    const [standing, agreed] = await reading
    if (agreed) await this.glance(id, kept, standing, agreed)
    const facts = await kept.job.read(standing)
    const { history } = facts
    kept.moved ||= facts.moved
    const { terms } = history.posted
    const [problem, token, fees] = await Promise.all([
      this.readSpec(kept, terms.spec), this.tokens.of(terms.token, at.number),
      kept.moved ? this.fees(facts) : kept.fees,
    ])
    Object.assign(kept, { fees, moved: false })
    const replayed = kept.spec ? await kept.replay.follow(history, kept.spec) : []
    const view = await jobView({ ...facts, token, spec: kept.spec, specProblem: problem, replayed, fees })
    kept.glance = view
    return { at, replayed, view }
  }

  /** A first sight, for whoever waits for one. */
  private async glance(job: number, kept: Kept, standing: Standing, terms: RawTerms): Promise<void> {
    const { chain, logs } = this
    const token = this.tokens.of(terms.token, standing.at.number)
    const spec = this.readSpec(kept, terms.spec).then(() => kept.spec)
    const glance = await glanceAt({ chain, logs, job, standing, terms, token, spec })
    kept.glance = glance
    for (const early of kept.early.splice(0)) early(glance)
  }

  /** Asks for the usual token too: it is the job's, as a rule. */
  private termsOf(job: number, at: Block): Promise<RawTerms> {
    const { federation, token } = this.chain.deployment
    this.tokens.of(token, at.number).catch(() => undefined) // said where it is needed
    return this.chain.call<RawTerms>(federation, federationAbi, 'termsOf', [BigInt(job)], at.number)
  }

  /** Fetches a job's spec once; says why it can't be had. */
  private async readSpec(kept: Kept, digest: Hex): Promise<string | null> {
    if (kept.spec) return null
    kept.fetching ??= this.fetchSpec(kept, digest).finally(() => {
      kept.fetching = null
    })
    return kept.fetching
  }

  private async fetchSpec(kept: Kept, digest: Hex): Promise<string | null> {
    try {
      kept.spec = parseSpec((await fetchFile(this.chain.deployment.gateway, cidText(digest), MAX_BYTES)).data)
      return null
    } catch (error) {
      if (error instanceof StoreProblem) return `${error.message}. ${error.next}`
      if (error instanceof RangeError) return error.message
      throw error
    }
  }

  /** Booked and not claimed, by member. */
  private async fees({ history, at }: Facts): Promise<Map<Address, bigint>> {
    const { vault } = this.chain.deployment
    const accounts = members(history)
    const found = await Promise.all(accounts.map((account) => this.chain.call<bigint>(vault, vaultAbi, 'feesOf', [BigInt(history.job), account], at.number)))
    return new Map(accounts.map((account, i) => [account, found[i] ?? 0n]))
  }

  /** Jobs with an event that names an account (posted, enrolled, paid), or with a seat of it now. */
  private async jobsOf(account: Address, logs: readonly Log[], at: Block): Promise<number[]> {
    const { federation } = this.chain.deployment
    const count = Number(await this.chain.call<bigint>(federation, federationAbi, 'jobCount', [], at.number))
    const ids = Array.from({ length: count }, (_, i) => i + 1)
    const named = new Set(logs.map((log) => Number(eventIn(log)?.values.job ?? 0n)))
    const states = await Promise.all(ids.map((id) => this.chain.call<JobState>(federation, federationAbi, 'stateAt', [BigInt(id), BigInt(at.timestamp)], at.number)))
    return ids.filter((id, i) => named.has(id) || states[i]?.committee.includes(account))
  }
}

function partOf(view: JobView, account: Address): AccountView['jobs'][number] {
  const trainer = view.trainers.find((each) => each.address === account) ?? null
  const validator = view.validators.find((each) => each.address === account) ?? null
  const sponsor = view.sponsor === account
  const roles = [sponsor && 'sponsor', trainer && 'trainer', validator && 'validator'].filter((role) => role !== false && role !== null)
  return { job: view.job, token: view.token, roles: roles as AccountView['jobs'][number]['roles'], trainer, validator, rest: sponsor && isOver(view.phase) ? view.books.left : 0n }
}
