// Events in ranges: each answer is checked for form and filter; a range that a node refuses is halved.

import type { AbiEvent, Address, Hex } from 'viem'
import { isHex, numberToHex } from 'viem/utils'
import { Refused } from '../problems'
import { decodedAs, decodeEvent, type Values } from './abi'
import { nonsense, number, word, type Block, type Chain } from './client'

export interface Log {
  block: number
  index: number
  address: Address // lower case
  topics: Hex[]
  data: Hex
  tx: Hex
}

/** At each place what an event has there: one, one of several, or anything. */
type Topics = readonly (Hex | readonly Hex[] | null)[]

const AT_ONCE = 4 // ranges that are asked for together

export class Logs {
  private span = 2 ** 40 // blocks in one request

  constructor(private readonly chain: Chain) {}

  /** Events of these contracts about one job, in order, from a block to another. */
  ofJob(addresses: readonly Address[], job: number, from: number, to: Block): Promise<Log[]> {
    return this.read(addresses, [null, numberToHex(job, { size: 32 })], from, to)
  }

  /** topics: as in eth_getLogs. Whether they are all of them only accumulators can tell. */
  async read(addresses: readonly Address[], topics: Topics, from: number, to: Pick<Block, 'number'>): Promise<Log[]> {
    const found: Log[] = []
    for (let start = from; start <= to.number; ) {
      const starts = Array.from({ length: AT_ONCE }, (_, i) => start + i * this.span).filter((each) => each <= to.number)
      const stops = starts.map((each) => Math.min(to.number, each + this.span - 1))
      const pages = await Promise.all(starts.map((each, i) => this.tried(addresses, topics, each, stops[i] ?? each)))
      const got = pages.findIndex((page) => page === null)
      found.push(...pages.slice(0, got < 0 ? pages.length : got).flatMap((page) => page ?? []))
      start = got < 0 ? (stops.at(-1) ?? start) + 1 : (starts[got] ?? start)
    }
    return found
  }

  /** The newest events, in order: `count` or more, or those of the last few ranges. */
  async newest(addresses: readonly Address[], topics: Topics, from: number, to: Block, count: number): Promise<Log[]> {
    let found: Log[] = []
    let pages = 0
    for (let stop = to.number; stop >= from && found.length < count && pages < AT_ONCE; ) {
      const start = Math.max(from, stop - this.span + 1)
      const page = await this.tried(addresses, topics, start, stop)
      if (page === null) continue
      pages += 1
      found = [...page, ...found]
      stop = start - 1
    }
    return found
  }

  /** null where the node refuses so many blocks: from now on ranges are half as long. */
  private async tried(addresses: readonly Address[], topics: Topics, start: number, stop: number): Promise<Log[] | null> {
    try {
      return await this.page(addresses, topics, start, stop)
    } catch (error) {
      if (!(error instanceof Refused) || stop === start) throw error
      this.span = Math.min(this.span, Math.max(1, Math.floor((stop - start + 1) / 2)))
      return null
    }
  }

  private async page(addresses: readonly Address[], topics: Topics, start: number, stop: number): Promise<Log[]> {
    const query = { address: addresses, topics, fromBlock: numberToHex(start), toBlock: numberToHex(stop) }
    const answer = await this.chain.ask('eth_getLogs', [query])
    if (!Array.isArray(answer)) throw nonsense('eth_getLogs', answer)
    const logs = answer.map(readLog).sort((a, b) => a.block - b.block || a.index - b.index)
    const known = new Set(addresses.map((each) => each.toLowerCase()))
    for (const log of logs) {
      const fits = topics.every((topic, i) => topic === null || topic === log.topics[i] || topic.includes(log.topics[i] ?? '0x'))
      if (!fits || !known.has(log.address) || log.block < start || log.block > stop) throw nonsense('eth_getLogs', log)
    }
    return logs
  }
}

/** What the contracts say by it; null: nothing that they know. Throws ChainProblem where its bytes make no sense.
 * kind: the event that it is, where only one was asked for. */
export function eventIn(log: Log, kind?: AbiEvent): { name: string; values: Values } | null {
  try {
    return kind ? { name: kind.name, values: decodedAs(kind, log.topics, log.data) } : decodeEvent(log.topics, log.data)
  } catch {
    throw nonsense('eth_getLogs', log.data)
  }
}

export function readLog(entry: unknown): Log {
  const what = 'eth_getLogs'
  if (typeof entry !== 'object' || entry === null) throw nonsense(what, entry)
  const { blockNumber, logIndex, address, topics, data, transactionHash } = entry as Record<string, unknown>
  if (!isHex(address) || address.length !== 42 || !isHex(data) || data.length % 2 || !Array.isArray(topics)) throw nonsense(what, entry)
  return {
    block: number(blockNumber, what),
    index: number(logIndex, what),
    address: address.toLowerCase() as Address,
    topics: topics.map((topic) => word(topic, what).toLowerCase() as Hex),
    data,
    tx: word(transactionHash, what),
  }
}
