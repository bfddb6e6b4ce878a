// Events in ranges: each answer is checked for form and filter; a range that a node refuses is halved.

import type { Address, Hex } from 'viem'
import { isHex, numberToHex } from 'viem/utils'
import { nonsense, number, Refused, word, type Block, type Chain } from './client'

export interface Log {
  block: number
  index: number
  address: Address // lower case
  topics: Hex[]
  data: Hex
  tx: Hex
}

export class Logs {
  private span = Number.MAX_SAFE_INTEGER // blocks in one request

  constructor(private readonly chain: Chain) {}

  /** Events of these contracts about one job, in order, from a block to another. */
  ofJob(addresses: readonly Address[], job: number, from: number, to: Block): Promise<Log[]> {
    return this.read(addresses, [null, numberToHex(job, { size: 32 })], from, to)
  }

  /** topics: as in eth_getLogs. Whether they are all of them only accumulators can tell. */
  async read(addresses: readonly Address[], topics: readonly (Hex | null)[], from: number, to: Block): Promise<Log[]> {
    const found: Log[] = []
    for (let start = from; start <= to.number; ) {
      const stop = Math.min(to.number, start + this.span - 1)
      try {
        found.push(...(await this.page(addresses, topics, start, stop)))
      } catch (error) {
        if (!(error instanceof Refused) || stop === start) throw error
        this.span = Math.max(1, Math.floor((stop - start + 1) / 2))
        continue
      }
      start = stop + 1
    }
    return found
  }

  private async page(addresses: readonly Address[], topics: readonly (Hex | null)[], start: number, stop: number): Promise<Log[]> {
    const query = { address: addresses, topics, fromBlock: numberToHex(start), toBlock: numberToHex(stop) }
    const answer = await this.chain.ask('eth_getLogs', [query])
    if (!Array.isArray(answer)) throw nonsense('eth_getLogs', answer)
    const logs = answer.map(readLog).sort((a, b) => a.block - b.block || a.index - b.index)
    const known = new Set(addresses.map((each) => each.toLowerCase()))
    for (const log of logs) {
      const fits = topics.every((topic, i) => topic === null || log.topics[i] === topic)
      if (!fits || !known.has(log.address) || log.block < start || log.block > stop) throw nonsense('eth_getLogs', JSON.stringify(log))
    }
    return logs
  }
}

function readLog(entry: unknown): Log {
  const what = 'eth_getLogs'
  if (typeof entry !== 'object' || entry === null) throw nonsense(what, entry)
  const { blockNumber, logIndex, address, topics, data, transactionHash } = entry as Record<string, unknown>
  if (!isHex(address) || address.length !== 42 || !isHex(data) || data.length % 2 || !Array.isArray(topics)) throw nonsense(what, JSON.stringify(entry))
  return {
    block: number(blockNumber, what),
    index: number(logIndex, what),
    address: address.toLowerCase() as Address,
    topics: topics.map((topic) => word(topic, what).toLowerCase() as Hex),
    data,
    tx: word(transactionHash, what),
  }
}
