// The one thing that pages read by: chain, store and rules together.

import type { Address, Hex } from 'viem'
import { getAddress } from 'viem/utils'
import { Chain, type Block } from '../chain/client'
import type { Deployment } from '../chain/deployment'
import { Federation } from '../chain/federation'
import { HistoryReader, type Facts, type Standing } from '../chain/history/reader'
import { eventIn, Logs, type Log } from '../chain/logs'
import type { JobTerms } from '../chain/structs'
import type { Client } from '../chain/rpc'
import { ChainProblem, StoreProblem } from '../problems'
import { isOver } from '../protocol/phases'
import { decodeSpec, MAX_BYTES, type JobSpec } from '../protocol/spec'
import { fetchFile } from '../store/gateway'
import { Board, type BoardView, type JobRow } from './board'
import { claimCall, type ClaimCall } from './claims'
import { cidText } from './cycles'
import { earningsOf } from './earnings'
import { glanceAt } from './glance'
import { jobView, members } from './job'
import type { AccountView, Head, JobGlance, JobView } from './model'
import { Movements, unlike } from './movements'
import { Replay, type Replayed } from './replay'
import { Deeds } from './told'
import { Tokens } from './tokens'
import { kindOf, type Kind } from './verify'

const LARGEST_FILE = 2 ** 28 // bytes

interface Kept {
  history: HistoryReader
  replay: Replay
  spec: JobSpec | null
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

export class Reader {
  readonly chain: Chain
  private readonly federation: Federation
  readonly logs: Logs
  readonly tokens: Tokens
  private readonly movements: Movements
  readonly deeds: Deeds
  private readonly kept = new Map<number, Kept>()
  private readonly specs = new Map<Hex, Promise<JobSpec>>()
  private account_: { key: string; read: Promise<AccountView> } | null = null
  readonly board: Board

  constructor(deployment: Deployment) {
    this.chain = new Chain(deployment)
    this.federation = new Federation(this.chain)
    this.logs = new Logs(this.chain)
    this.tokens = new Tokens(this.chain)
    this.deeds = new Deeds(this.chain, this.federation, this.logs, this.tokens)
    this.movements = new Movements(this.chain, this.logs)
    const { federation, logs, tokens } = this
    this.board = new Board({ federation, logs, tokenOf: (address, at) => tokens.of(address, at), specOf: (digest) => this.specOf(digest) })
  }

  /** By which it asks. */
  get client(): Client {
    return this.chain.client
  }

  async head(): Promise<Head> {
    const { number, timestamp } = await this.newest()
    return { number, timestamp }
  }

  /** The newest `most` jobs; shown: those whose curve and spec are wanted; tell: what is known meanwhile. */
  async jobs(most: number, shown: (rows: JobRow[]) => number[], tell: (view: BoardView) => void): Promise<BoardView> {
    return this.board.read(await this.newest(), most, shown, tell)
  }

  /** early: told what the contracts say of a job that was not read before. */
  async job(id: number, early?: (glance: JobGlance) => void): Promise<JobView> {
    return (await this.see(id, await this.newest(), early)).view
  }

  /** One reading a block, whoever asks. */
  async account(address: Address): Promise<AccountView> {
    const at = await this.newest()
    const key = `${address} ${at.hash}`
    if (this.account_?.key !== key) this.account_ = { key, read: this.readAccount(address, at) }
    return this.account_.read
  }

  private async readAccount(address: Address, at: Block): Promise<AccountView> {
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
      address: account, native,
      movements, unlike: unlike(movements, views, account), tokens: [...tokens.values()].map((token, i) => ({ token, balance: balances[i] ?? null })),
      jobs: views.map((view) => partOf(view, account)),
    }
  }

  async claimCalls(job: number, trainer: Address): Promise<ClaimCall> {
    const at = await this.newest()
    const { view, replayed } = await this.see(job, at)
    const account = getAddress(trainer)
    const rounds = view.trainers.find((each) => each.address === account)?.claimable.map((each) => each.round) ?? []
    const marks = await Promise.all(rounds.map((round) => this.federation.claimed(job, account, round, at)))
    return claimCall(this.chain.deployment.vault, view, replayed, account, new Set(rounds.filter((_, i) => marks[i])))
  }

  /** A file's bytes, which are those that the CID names. Throws StoreProblem. */
  async file(cid: string): Promise<Uint8Array<ArrayBuffer>> {
    return (await fetchFile(this.chain.deployment.gateway, cid, LARGEST_FILE)).data
  }

  /** A job's title, where its spec was read before. */
  titleOf(job: number): string {
    return this.kept.get(job)?.glance?.spec?.title ?? ''
  }

  async verify(cid: string): Promise<{ bytes: number; blocks: number; kind: Kind }> {
    const { data, blocks } = await fetchFile(this.chain.deployment.gateway, cid, LARGEST_FILE)
    return { bytes: data.length, blocks, kind: kindOf(data) }
  }

  // --- reading

  /** The newest block; what was read of a chain that is gone is dropped. */
  private async newest(): Promise<Block> {
    try {
      return await this.chain.head()
    } catch (error) {
      if (error instanceof ChainProblem && error.kind === 'reset') {
        this.kept.clear()
        this.board.forget()
      }
      throw error
    }
  }

  /** A job at a block; one reading at a time, and none where the block is the one that was read last. */
  private see(id: number, at: Block, early?: (glance: JobGlance) => void): Promise<Seen> {
    const kept: Kept = this.kept.get(id) ?? {
      history: new HistoryReader(this.federation, this.logs, id), replay: new Replay(), spec: null, moved: true, fees: new Map(),
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
    const reading = Promise.all([kept.history.standing(at), kept.glance ? null : this.termsOf(id, at)])
    reading.catch(() => undefined) // said below, where the job exists
    const count = await this.federation.jobCount(at)
    if (id < 1 || id > count) throw new Error(`There is no job ${id}: jobs 1 to ${count} are posted.`)
    const [standing, agreed] = await reading
    if (agreed) await this.glance(id, kept, standing, agreed)
    const facts = await kept.history.read(standing)
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
  private async glance(job: number, kept: Kept, standing: Standing, terms: JobTerms): Promise<void> {
    const { chain, logs } = this
    const token = this.tokens.of(terms.token, standing.at.number)
    const spec = this.readSpec(kept, terms.spec).then(() => kept.spec)
    const glance = await glanceAt({ chain, logs, job, standing, terms, token, spec })
    kept.glance = glance
    for (const early of kept.early.splice(0)) early(glance)
  }

  /** Asks for the usual token too: it is the job's, as a rule. */
  private termsOf(job: number, at: Block): Promise<JobTerms> {
    this.tokens.of(this.chain.deployment.token, at.number).catch(() => undefined) // said where it is needed
    return this.federation.terms(job, at)
  }

  /** Fetches a job's spec once; says why it can't be had. */
  private async readSpec(kept: Kept, digest: Hex): Promise<string | null> {
    try {
      kept.spec ??= await this.specOf(digest)
      return null
    } catch (error) {
      if (error instanceof StoreProblem) return `${error.message}. ${error.next}`
      if (error instanceof RangeError) return error.message
      throw error
    }
  }

  /** Once for all jobs that have it. */
  private specOf(digest: Hex): Promise<JobSpec> {
    const found = this.specs.get(digest) ?? fetchFile(this.chain.deployment.gateway, cidText(digest), MAX_BYTES).then(({ data }) => decodeSpec(data))
    this.specs.set(digest, found)
    found.catch(() => this.specs.delete(digest))
    return found
  }

  /** Booked and not claimed, by member. */
  private async fees({ history, at }: Facts): Promise<Map<Address, bigint>> {
    const accounts = members(history)
    const found = await Promise.all(accounts.map((account) => this.federation.fees(history.job, account, at)))
    return new Map(accounts.map((account, i) => [account, found[i] ?? 0n]))
  }

  /** Jobs with an event that names an account (posted, enrolled, paid), or with a seat of it now. */
  private async jobsOf(account: Address, logs: readonly Log[], at: Block): Promise<number[]> {
    const count = await this.federation.jobCount(at)
    const ids = Array.from({ length: count }, (_, i) => i + 1)
    const named = new Set(logs.map((log) => Number(eventIn(log)?.values.job ?? 0n)))
    const states = await Promise.all(ids.map((id) => this.federation.state(id, at)))
    return ids.filter((id, i) => named.has(id) || states[i]?.committee.includes(account))
  }
}

function partOf(view: JobView, account: Address): AccountView['jobs'][number] {
  const trainer = view.trainers.find((each) => each.address === account) ?? null
  const validator = view.validators.find((each) => each.address === account) ?? null
  const sponsor = view.sponsor === account
  const roles = [sponsor && 'sponsor', trainer && 'trainer', validator && 'validator'].filter((role) => role !== false && role !== null)
  return {
    job: view.job, token: view.token, view, roles: roles as AccountView['jobs'][number]['roles'], trainer, validator,
    rest: sponsor && isOver(view.phase) ? view.books.left : 0n, earnings: earningsOf(view, account),
  }
}
