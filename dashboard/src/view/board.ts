// The jobs of a federation at a glance: what a row of the front page shows, in few reads. What cannot change is asked for once;
// a job that is over is never asked for again.

import type { Address, Hex } from 'viem'
import { numberToHex } from 'viem/utils'
import { federationAbi, selectorOf, vaultAbi, type Values } from '../chain/abi'
import type { Block } from '../chain/client'
import type { Federation } from '../chain/federation'
import { continues } from '../chain/history/reader'
import { eventIn, type Logs } from '../chain/logs'
import type { Books, JobState, JobTerms } from '../chain/structs'
import { parseBaselines, type Baseline } from '../protocol/baselines'
import { isOver } from '../protocol/phases'
import { NO_METRIC } from '../protocol/sheet'
import type { JobSpec } from '../protocol/spec'
import type { Head, Token } from './model'

/** spec: undefined while it is read, null where it can't be had. metrics: of the rounds that the node tells, oldest first. */
export interface JobRow {
  job: number
  state: JobState
  terms: JobTerms
  books: Books
  token: Token
  best: bigint | null
  finalized: number
  spec: JobSpec | null | undefined
  baselines: Baseline[]
  metrics: { round: number; metric: bigint }[]
}

/** What happened: an event of a contract; values: its fields, amounts of several in one transaction summed up. */
export interface Happening {
  job: number
  name: string
  block: number
  tx: Hex
  values: Values
}

export interface BoardView {
  head: Head
  count: number // jobs in all
  rows: JobRow[] // newest first
  complete: boolean // whether as many are read as were asked for
  happened: Happening[] // latest first
}

interface Sources {
  federation: Federation
  logs: Logs
  tokenOf: (address: Address, at: number) => Promise<Token>
  specOf: (digest: Hex) => Promise<JobSpec>
}

interface Kept {
  at: Block
  terms: JobTerms
  state: JobState
  books: Books
  token: Token
  spec?: JobSpec | null
  upto: number // block to which its events are read
  happened: Happening[]
}

const AT_ONCE = 20 // jobs in one request
const LATEST = 5 // happenings
const PAINTED = 50 // ms until what was told is on the screen
const OF_FEDERATION = ['JobPosted', 'TrainerEnrolled', 'RoundFinalized', 'CycleFailed', 'JobEnded']

export class Board {
  private readonly kept = new Map<number, Kept>()
  private last: Block | null = null

  constructor(private readonly sources: Sources) {}

  /** The newest `most` jobs. shown: those whose curve and spec are wanted; tell: what is known meanwhile. */
  async read(at: Block, most: number, shown: (rows: JobRow[]) => number[], tell: (view: BoardView) => void): Promise<BoardView> {
    const { federation } = this.sources
    if (this.last && !(await continues(federation.chain, this.last, at))) this.kept.clear()
    const count = await federation.jobCount(at)
    const ids = Array.from({ length: Math.min(most, count) }, (_, i) => count - i)
    await this.standings(ids.slice(0, AT_ONCE), at)
    const seen = () => this.view(ids, at, count)
    const first = seen()
    tell(first)
    if (!first.complete) await new Promise((go) => setTimeout(go, PAINTED))
    await this.standings(ids, at)
    this.last = at
    const wanted = shown(seen().rows)
    for (const id of wanted) void this.spec(id).then(() => tell(seen())) // a store that hangs keeps nobody waiting
    await this.events(wanted, at)
    return seen()
  }

  /** Asks again for specs that could not be had. */
  retry(): void {
    for (const kept of this.kept.values()) if (kept.spec === null) delete kept.spec
  }

  forget(): void {
    this.kept.clear()
    this.last = null
  }

  private view(ids: number[], at: Block, count: number): BoardView {
    const known = ids.filter((id) => this.kept.has(id))
    const happened = known.flatMap((id) => this.kept.get(id)!.happened).sort((a, b) => b.block - a.block).slice(0, LATEST)
    const head = { number: at.number, timestamp: at.timestamp }
    return { head, count, rows: known.map((id) => rowOf(id, this.kept.get(id)!)), complete: known.length === ids.length, happened }
  }

  /** State and books of jobs that are not over, and of new ones their terms. */
  private async standings(ids: number[], at: Block): Promise<void> {
    const due = ids.filter((id) => {
      const kept = this.kept.get(id)
      return !kept || (kept.at.hash !== at.hash && !isOver(kept.state.phase))
    })
    const groups = Array.from({ length: Math.ceil(due.length / AT_ONCE) }, (_, i) => due.slice(i * AT_ONCE, (i + 1) * AT_ONCE))
    await Promise.all(groups.map((group) => this.group(group, at)))
  }

  private async group(ids: number[], at: Block): Promise<void> {
    const { federation, tokenOf } = this.sources
    const fresh = ids.filter((id) => !this.kept.has(id))
    const [{ states, terms }, ...books] = await Promise.all([federation.several(ids, fresh, at), ...ids.map((id) => federation.books(id, at))])
    await Promise.all(ids.map(async (id, i) => {
      const old = this.kept.get(id)
      const agreed = old?.terms ?? terms[fresh.indexOf(id)]!
      const token = old?.token ?? (await tokenOf(agreed.token, at.number))
      this.kept.set(id, { upto: 0, happened: [], ...old, at, terms: agreed, state: states[i]!, books: books[i]!, token })
    }))
  }

  private async spec(id: number): Promise<void> {
    const kept = this.kept.get(id)
    if (!kept || kept.spec !== undefined) return
    const spec = await this.sources.specOf(kept.terms.spec).catch(() => null)
    Object.assign(this.kept.get(id) ?? kept, { spec })
  }

  /** Of jobs that have none yet the newest that the node gives at once; of the others what is new. */
  private async events(ids: number[], at: Block): Promise<void> {
    const { federation, logs } = this.sources
    const { firstBlock, federation: story, vault } = federation.chain.deployment
    const kinds = [...OF_FEDERATION.map((name) => selectorOf(federationAbi, name)), selectorOf(vaultAbi, 'RewardClaimed')]
    const read = async (some: number[], from: number) => {
      if (!some.length || from > at.number) return
      const topics = [kinds, some.map((id) => numberToHex(id, { size: 32 }))]
      const found = await logs.newest([story, vault], topics, from, at, Infinity)
      for (const id of some) this.kept.get(id)!.upto = at.number
      for (const log of found) {
        const event = eventIn(log)
        if (event) this.add({ ...event, job: Number(event.values.job), block: log.block, tx: log.tx })
      }
    }
    const old = ids.filter((id) => this.kept.get(id)!.upto && !isOver(this.kept.get(id)!.state.phase))
    await Promise.all([read(ids.filter((id) => !this.kept.get(id)!.upto), firstBlock), read(old, Math.min(...old.map((id) => this.kept.get(id)!.upto + 1)))])
  }

  /** Claims of one transaction are one happening. */
  private add(next: Happening): void {
    const kept = this.kept.get(next.job)
    if (!kept) return
    const last = kept.happened.at(-1)
    const again = last?.tx === next.tx && last.name === 'RewardClaimed' && next.name === last.name && last.values.trainer === next.values.trainer
    if (again) last.values = { ...last.values, amount: last.values.amount + next.values.amount }
    else kept.happened.push(next)
  }
}

function rowOf(job: number, { state, terms, books, token, spec, happened }: Kept): JobRow {
  const finalized = state.round - 1
  const metrics = happened.flatMap(({ name, values }) => (name === 'RoundFinalized' ? [{ round: Number(values.round), metric: BigInt(values.metric) }] : []))
  const fits = metrics.at(-1)?.round === finalized && metrics.every(({ metric }, i) => metric <= state.bestMetric && metrics[0]!.round + i === metrics[i]!.round)
  const best = state.bestMetric === NO_METRIC ? null : state.bestMetric
  return { job, state, terms, books, token, best, finalized, spec, baselines: parseBaselines(spec?.baselines ?? []), metrics: fits ? metrics : [] }
}

/** Over the jobs that pay in a token: what rounds took for those who trained and checked, what is in escrow, rounds settled. */
export function totalsOf(rows: readonly JobRow[], token: Address): { earned: bigint; escrow: bigint; rounds: number; jobs: number } {
  const mine = rows.filter((row) => row.token.address === token)
  const total = (of: (row: JobRow) => bigint) => mine.reduce((sum, row) => sum + of(row), 0n)
  return { earned: total(({ books }) => books.booked), escrow: total(({ books }) => books.left), rounds: mine.reduce((sum, row) => sum + row.finalized, 0), jobs: mine.length }
}
