// Typed reads of one federation and its vault, each at a block, as hansa/runtime/chain/federation.py.

import type { Address } from 'viem'
import { PHASE_NAMES } from '../protocol/phases'
import { federationAbi, vaultAbi } from './abi'
import { nonsense, type Block, type Chain } from './client'
import type { Books, JobState, JobTerms } from './structs'

export class Federation {
  constructor(readonly chain: Chain) {}

  /** A job at a block, its phase as of that block's time. */
  async state(job: number, at: Block): Promise<JobState> {
    const found = await this.read<Omit<JobState, 'phase'> & { phase: number }>('stateAt', [BigInt(job), BigInt(at.timestamp)], at)
    const phase = PHASE_NAMES[found.phase]
    if (!phase) throw nonsense('stateAt', found.phase)
    return { ...found, phase }
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
