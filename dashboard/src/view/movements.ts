// Every movement of tokens between an account and the vault, from the vault's events, as hansa/cli/wallet/history.py.

import type { Address } from 'viem'
import { pad } from 'viem/utils'
import type { Block, Chain } from '../chain/client'
import { continues } from '../chain/history/reader'
import { eventIn, type Log, type Logs } from '../chain/logs'
import { MOVEMENTS, type MovementKind } from '../protocol/tables'
import type { JobView, Movement } from './model'

const DATED = 200 // the newest, whose times are asked for

interface Kept {
  upto: Block
  logs: Log[] // that name the account, of both contracts
}

export class Movements {
  private readonly kept = new Map<Address, Kept>()
  private times = new Map<number, number>() // by block

  constructor(private readonly chain: Chain, private readonly logs: Logs) {}

  /** Events of federation and vault that name an account; only new blocks are read again. */
  async naming(account: Address, at: Block): Promise<readonly Log[]> {
    const { federation, vault, firstBlock } = this.chain.deployment
    let known = this.kept.get(account)
    if (known && !(await continues(this.chain, known.upto, at))) {
      known = undefined
      this.times = new Map()
    }
    const topics = [null, null, pad(account.toLowerCase() as Address)]
    const found = await this.logs.read([federation, vault], topics, known ? known.upto.number + 1 : firstBlock, at)
    const logs = [...(known?.logs ?? []), ...found]
    this.kept.set(account, { upto: at, logs })
    return logs
  }

  /** Oldest first, from the events that name the account, and what was burnt in the jobs that it sponsors. */
  async of(account: Address, named: readonly Log[], views: readonly JobView[]): Promise<Movement[]> {
    const vault = this.chain.deployment.vault.toLowerCase()
    const burnt = views.filter(({ sponsor }) => sponsor === account).flatMap((view) => view.burnt)
    const logs = [...named.filter(({ address }) => address === vault), ...burnt].sort((a, b) => a.block - b.block || a.index - b.index)
    const rows = logs.flatMap((log) => rowOf(log) ?? [])
    const dated = new Set(rows.slice(-DATED).map(({ block }) => block))
    await Promise.all([...dated].filter((block) => !this.times.has(block)).map(async (block) => this.times.set(block, (await this.chain.block(block)).timestamp)))
    return rows.map((row) => ({ ...row, time: this.times.get(row.block) ?? null }))
  }
}

/** null: an event that moves nothing of the account, or a claim of a round that paid nothing. */
function rowOf(log: Log): Omit<Movement, 'time'> | null {
  const event = eventIn(log)
  if (!event || !Object.hasOwn(MOVEMENTS, event.name)) return null
  const kind = event.name as MovementKind
  const { values } = event
  const amount: bigint = values.amount ?? values.penalty
  if (!amount) return null
  return { block: log.block, tx: log.tx, job: Number(values.job), kind, round: values.round ?? null, amount, moved: amount * MOVEMENTS[kind].sign }
}

/** Movements of one transaction, job and kind together, in order; each in one group, so that their sums are those of the movements. */
export function grouped(movements: readonly Movement[]): Movement[][] {
  const groups = new Map<string, Movement[]>()
  for (const each of movements) {
    const key = `${each.tx} ${each.job} ${each.kind}`
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return [...groups.values()]
}

/** Jobs whose movements don't add up to what the vault holds and says that it paid. */
export function unlike(movements: readonly Movement[], views: readonly JobView[], account: Address): number[] {
  return views.filter((view) => differs(movements.filter(({ job }) => job === view.job), view, account)).map(({ job }) => job)
}

function differs(mine: readonly Movement[], { sponsor, trainers, validators, books }: JobView, account: Address): boolean {
  const sum = (kind: MovementKind) => mine.reduce((total, each) => (each.kind === kind ? total + each.amount : total), 0n)
  const trainer = trainers.find(({ address }) => address === account)
  const member = validators.find(({ address }) => address === account)
  const pairs: [bigint, bigint][] = [
    [sum('Bonded') - sum('Struck') - sum('BondReturned'), trainer?.bondLeft ?? 0n],
    [sum('RewardClaimed'), trainer?.claimed ?? 0n],
    [sum('FeesClaimed'), member?.feesPaid ?? 0n],
    ...(sponsor === account ? [[sum('Deposited'), books.escrowed], [sum('RestReturned'), books.refunded], [sum('Burnt'), books.burnt]] as [bigint, bigint][] : []),
  ]
  return pairs.some(([moved, held]) => moved !== held)
}
