// A job's history, as hansa/runtime/history/reader.py: read from events, believed only where it agrees with what the contracts
// hold, and kept as long as the chain keeps it, so that only new blocks are read again.

import type { Address } from 'viem'
import { breathe } from '../../pause'
import { ChainProblem } from '../../problems'
import type { Block, Chain } from '../client'
import type { Federation } from '../federation'
import type { Logs } from '../logs'
import type { Books, JobState } from '../structs'
import { HistoryBuilder } from './builder'
import { HistoryError } from './cycle'
import type { JobHistory } from './records'

/** What the contracts say of a job at a block. */
export interface Standing {
  at: Block
  state: JobState
  books: Books
}

export interface Facts extends Standing {
  history: JobHistory
  moved: boolean // whether there are events since the last reading
  bonds: ReadonlyMap<Address, bigint> // that the vault holds, by trainer
}

/** Reads one job. */
export class HistoryReader {
  private builder: HistoryBuilder | null = null
  private upto: Block | null = null
  private checkedTrainers = false
  private bonds: ReadonlyMap<Address, bigint> = new Map()

  constructor(private readonly federation: Federation, private readonly logs: Logs, private readonly job: number) {}

  async standing(at: Block): Promise<Standing> {
    const [state, books] = await Promise.all([this.federation.state(this.job, at), this.federation.books(this.job, at)])
    return { at, state, books }
  }

  /** The history that led there. Events that don't agree with the contract are asked for once more. */
  async read(standing: Standing): Promise<Facts> {
    if (this.upto && !(await continues(this.federation.chain, this.upto, standing.at))) this.forget()
    try {
      return await this.follow(standing)
    } catch (error) {
      this.forget()
      if (!(error instanceof HistoryError)) throw error
    }
    try {
      return await this.follow(standing)
    } catch (error) {
      this.forget()
      if (!(error instanceof HistoryError)) throw error
      throw new ChainProblem('nonsense', `the events of job ${this.job} don't agree with the contract: ${error.message}`, 'Name a node that serves all of them, from the deployment’s first block, under rpc in deployment.json.')
    }
  }

  private async follow(standing: Standing): Promise<Facts> {
    const { at, state, books } = standing
    const { chainId, federation, vault, firstBlock } = this.federation.chain.deployment
    const builder = this.builder ?? new HistoryBuilder({ chainId, federation, vault, job: this.job })
    this.builder = builder
    const found = await this.logs.ofJob([federation, vault], this.job, this.upto ? this.upto.number + 1 : firstBlock, at)
    for (const log of found) {
      builder.apply(log)
      await breathe()
    }
    builder.agrees(state, books)
    const history = builder.history
    await this.checkTrainers(history, state, at)
    const moved = !this.upto || found.length > 0
    if (moved) this.bonds = await this.checkBonds(history, at)
    this.upto = at
    return { ...standing, history, moved, bonds: this.bonds }
  }

  /** Terms, trainers and their bonds, from which weights follow, are in no chain of hashes: the contract is asked for each,
   * once. */
  private async checkTrainers(history: JobHistory, state: JobState, at: Block): Promise<void> {
    if (this.checkedTrainers) return
    const [terms, ...trainers] = await Promise.all([
      this.federation.terms(this.job, at), ...history.enrolled.map(({ trainer }) => this.federation.trainer(this.job, trainer, at)),
    ])
    if (!same(terms, history.posted.terms)) throw new HistoryError('it is posted with other terms than the contract has')
    const invented = history.enrolled.find((_, i) => !trainers[i]?.[0])
    if (invented) throw new HistoryError(`the enrolment of ${invented.trainer} is invented`)
    const other = history.enrolled.findIndex(({ bond }, i) => trainers[i]?.[2] !== bond)
    if (other >= 0) throw new HistoryError(`${history.enrolled[other]?.trainer} enrols with another bond than the contract has, ${trainers[other]?.[2]}`)
    this.checkedTrainers = state.cycle > 0n
  }

  /** Each bond is what its events leave of it, in the vault too. */
  private async checkBonds({ enrolled }: JobHistory, at: Block): Promise<Map<Address, bigint>> {
    const bonds = await Promise.all(enrolled.map(({ trainer }) => this.federation.bond(this.job, trainer, at)))
    const wrong = enrolled.findIndex(({ held }, i) => held !== bonds[i])
    if (wrong >= 0) throw new HistoryError(`${enrolled[wrong]?.held} is left of the bond of ${enrolled[wrong]?.trainer} by its events, and the vault holds ${bonds[wrong]}`)
    return new Map(enrolled.map(({ trainer }, i) => [trainer, bonds[i] ?? 0n]))
  }

  private forget(): void {
    this.builder = this.upto = null
    this.checkedTrainers = false
  }
}

/** Whether a block is the one that was read last, or one on top of it. */
export async function continues(chain: Chain, upto: Block, at: Block): Promise<boolean> {
  if (at.number < upto.number) return false
  if (upto.hash === at.hash || upto.hash === at.parent) return true
  return (await chain.block(upto.number)).hash === upto.hash
}

const same = (a: object, b: object): boolean =>
  Object.entries(a).every(([name, value]) => String(value) === String((b as Record<string, unknown>)[name]))
