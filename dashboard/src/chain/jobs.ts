// A job's history, kept as long as the chain keeps it: only new blocks are read again.

import type { Address } from 'viem'
import { breathe } from '../pause'
import { ChainProblem, type Books } from '../view/model'
import { federationAbi, selectorOf, vaultAbi } from './abi'
import type { Block, Chain } from './client'
import { Fold } from './fold'
import { HistoryError, type JobHistory, type JobState, type RawTerms } from './history'
import { Logs, type Log } from './logs'

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
export class Job {
  private fold: Fold | null = null
  private upto: Block | null = null
  private checkedTrainers = false
  private bonds: ReadonlyMap<Address, bigint> = new Map()

  constructor(private readonly chain: Chain, private readonly logs: Logs, private readonly job: number) {}

  async standing(at: Block): Promise<Standing> {
    const { federation, vault } = this.chain.deployment
    const id = BigInt(this.job)
    const [state, books] = await Promise.all([
      this.chain.call<JobState>(federation, federationAbi, 'stateAt', [id, BigInt(at.timestamp)], at.number),
      this.chain.call<Books>(vault, vaultAbi, 'booksOf', [id], at.number),
    ])
    return { at, state, books }
  }

  /** The history that led there. Events that don't agree with the contract are asked for once more. */
  async read(standing: Standing): Promise<Facts> {
    if (this.upto && !(await continues(this.chain, this.upto, standing.at))) this.forget()
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
    const { chainId, federation, vault, firstBlock } = this.chain.deployment
    const fold = this.fold ?? new Fold({ chainId, federation, vault, job: this.job })
    this.fold = fold
    const found = await this.logs.ofJob([federation, vault], this.job, this.upto ? this.upto.number + 1 : firstBlock, at)
    const opened = await this.openings(found)
    for (const log of found) {
      fold.apply(log, opened.get(log.block))
      await breathe()
    }
    fold.agrees(state, books)
    const history = fold.history
    await this.checkTrainers(history, state, at)
    const moved = !this.upto || found.length > 0
    if (moved) this.bonds = await this.checkBonds(history, at)
    this.upto = at
    return { ...standing, history, moved, bonds: this.bonds }
  }

  private async openings(logs: readonly Log[]): Promise<Map<number, Block>> {
    const selector = selectorOf(federationAbi, 'CycleOpened')
    const numbers = new Set(logs.filter((log) => log.topics[0] === selector).map((log) => log.block))
    const blocks = await Promise.all([...numbers].map((each) => this.chain.block(each)))
    return new Map(blocks.map((block) => [block.number, block]))
  }

  /** Terms and trainers have no accumulator: the contract is asked for each, once. */
  private async checkTrainers(history: JobHistory, state: JobState, at: Block): Promise<void> {
    if (this.checkedTrainers) return
    const { federation } = this.chain.deployment
    const id = BigInt(this.job)
    const [terms, ...trainers] = await Promise.all([
      this.chain.call<RawTerms>(federation, federationAbi, 'termsOf', [id], at.number),
      ...history.enrolled.map(({ trainer }) => this.chain.call<[boolean, number]>(federation, federationAbi, 'trainerOf', [id, trainer], at.number)),
    ])
    if (!same(terms, history.posted.terms)) throw new HistoryError('it is posted with other terms than the contract has')
    const invented = history.enrolled.find((_, i) => !trainers[i]?.[0])
    if (invented) throw new HistoryError(`the enrolment of ${invented.trainer} is invented`)
    this.checkedTrainers = state.cycle > 0n
  }

  /** Nor have bonds, from which weights follow: each is what its events leave of it, in the vault too. */
  private async checkBonds({ enrolled }: JobHistory, at: Block): Promise<Map<Address, bigint>> {
    const { vault } = this.chain.deployment
    const bonds = await Promise.all(enrolled.map(({ trainer }) => this.chain.call<bigint>(vault, vaultAbi, 'bondOf', [BigInt(this.job), trainer], at.number)))
    const wrong = enrolled.findIndex(({ held }, i) => held !== bonds[i])
    if (wrong >= 0) throw new HistoryError(`${enrolled[wrong]?.held} is left of the bond of ${enrolled[wrong]?.trainer} by its events, and the vault holds ${bonds[wrong]}`)
    return new Map(enrolled.map(({ trainer }, i) => [trainer, bonds[i] ?? 0n]))
  }

  private forget(): void {
    this.fold = this.upto = null
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
