// Typed reads of one federation and its vault, each at a block, as hansa/runtime/chain/federation.py.

import type { Address, Hex } from 'viem'
import { encodeFunctionData } from 'viem/utils'
import { PHASE_NAMES } from '../protocol/phases'
import { federationAbi, vaultAbi } from './abi'
import { decodedAnswer, nonsense, type Block, type Chain } from './client'
import type { Books, JobState, JobTerms } from './structs'

type Stored = Omit<JobState, 'phase'> & { phase: number }

function named(found: Stored): JobState {
  const phase = PHASE_NAMES[found.phase]
  if (!phase) throw nonsense('stateAt', found.phase)
  return { ...found, phase }
}

export class Federation {
  constructor(readonly chain: Chain) {}

  /** A job at a block, its phase as of that block's time. */
  async state(job: number, at: Block): Promise<JobState> {
    return named(await this.read<Stored>('stateAt', [BigInt(job), BigInt(at.timestamp)], at))
  }

  /** States of jobs and terms of `fresh` ones, in one request. */
  async several(jobs: readonly number[], fresh: readonly number[], at: Block): Promise<{ states: JobState[]; terms: JobTerms[] }> {
    const asked = [...jobs.map((job) => ['stateAt', [BigInt(job), BigInt(at.timestamp)]] as const), ...fresh.map((job) => ['termsOf', [BigInt(job)]] as const)]
    const calls = asked.map(([functionName, args]) => encodeFunctionData({ abi: federationAbi, functionName, args }))
    const answers = await this.read<readonly Hex[]>('multicall', [calls], at)
    if (answers.length !== asked.length) throw nonsense('multicall', answers.length)
    const decoded = asked.map(([name], i) => decodedAnswer<unknown>(federationAbi, name, answers[i]!))
    return { states: decoded.slice(0, jobs.length).map((each) => named(each as Stored)), terms: decoded.slice(jobs.length) as JobTerms[] }
  }

  terms(job: number, at: Pick<Block, 'number'>): Promise<JobTerms> {
    return this.read('termsOf', [BigInt(job)], at)
  }

  async jobCount(at: Block): Promise<number> {
    return Number(await this.read<bigint>('jobCount', [], at))
  }

  /** Whether it is enrolled, the counter of the last cycle that it submitted in, and its bond as enrolled. */
  trainer(job: number, trainer: Address, at: Block): Promise<readonly [enrolled: boolean, counter: number, bond: bigint]> {
    return this.read('trainerOf', [BigInt(job), trainer], at)
  }

  books(job: number, at: Block): Promise<Books> {
    return this.readVault('booksOf', [BigInt(job)], at)
  }

  bond(job: number, trainer: Address, at: Block): Promise<bigint> {
    return this.readVault('bondOf', [BigInt(job), trainer], at)
  }

  /** Booked for a member and not claimed yet. */
  fees(job: number, member: Address, at: Block): Promise<bigint> {
    return this.readVault('feesOf', [BigInt(job), member], at)
  }

  claimed(job: number, trainer: Address, round: number, at: Block): Promise<boolean> {
    return this.readVault('isClaimed', [BigInt(job), trainer, round], at)
  }

  private read<Answer>(name: string, args: readonly unknown[], at: Pick<Block, 'number'>): Promise<Answer> {
    return this.chain.call(this.chain.deployment.federation, federationAbi, name, args, at.number)
  }

  private readVault<Answer>(name: string, args: readonly unknown[], at: Block): Promise<Answer> {
    return this.chain.call(this.chain.deployment.vault, vaultAbi, name, args, at.number)
  }
}
