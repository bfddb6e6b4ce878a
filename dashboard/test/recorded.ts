// A node and a gateway that answer what test/record.test.ts has written down of a job.

import { readFileSync } from 'node:fs'
import { decodeAbiParameters, encodeAbiParameters } from 'viem/utils'
import { vi } from 'vitest'
import { fromCid } from '../src/protocol/cid'
import type { Deployment } from '../src/chain/deployment'
import { Reader } from '../src/view/reader'

type Row = [number, number, string, string] // number, timestamp, hash, parent
type Event = [number, number, string, string[], string] // block, index, address, topics, data

/** Of a chain with one job. */
export interface Facts {
  chainId: number
  federation: `0x${string}`
  vault: `0x${string}`
  at: Row
  blocks: Row[]
  events: Event[]
  answers: [string, string][] // by contract and call data
}

export interface Recorded extends Omit<Facts, 'blocks' | 'answers'> {
  blocks: Map<number, Row>
  answers: Map<string, string>
  files: Map<string, Uint8Array>
}

export const fileOf = (name: string): URL => new URL(`jobs/${name}.json`, import.meta.url)

const readJson = (name: string): any => JSON.parse(readFileSync(fileOf(name), 'utf8'))

/** What was played and put into the store to record `demo`: the acts of a `hansa demo --rounds 3`. */
export const acts: { steps: any[]; files: Record<string, string> } = readJson('demo.acts')

export function recorded(name = 'demo'): Recorded {
  const facts: Facts = readJson(name)
  const files = Object.entries(acts.files).map(([cid, data]) => [cid, new Uint8Array(Buffer.from(data, 'base64'))] as const)
  return { ...facts, blocks: new Map([...facts.blocks, facts.at].map((row) => [row[0], row])), answers: new Map(facts.answers), files: new Map(files) }
}

const hex = (value: number) => `0x${value.toString(16)}`
const FIRST = 1

/** One answer of the node, or throws what it says instead. */
export function answer(facts: Recorded, method: string, params: any[]): unknown {
  if (method === 'eth_chainId') return hex(facts.chainId)
  if (method === 'eth_getBlockByNumber') return block(facts, params[0])
  if (method === 'eth_getBalance') return '0x10'
  if (method === 'eth_call') return called(facts, params[0])
  if (method === 'eth_getLogs') return logs(facts, params[0])
  throw new Error(`no ${method}`)
}

function block(facts: Recorded, asked: string) {
  const number = asked === 'latest' ? facts.at[0] : Number(asked)
  const unknown: Row = [number, 0, hex(number).replace('0x', '0x'.padEnd(68 - hex(number).length, '0')), `0x${'0'.repeat(64)}`]
  const [, timestamp, hash, parentHash] = facts.blocks.get(number) ?? unknown
  return { number: hex(number), timestamp: hex(timestamp), hash, parentHash }
}

function called(facts: Recorded, { to, data }: { to: string; data: string }): string {
  const found = facts.answers.get(`${to.toLowerCase()} ${data}`)
  if (found !== undefined) return found
  if (to.toLowerCase() === facts.federation.toLowerCase() && data.length === 10) return `0x${'1'.padStart(64, '0')}` // jobCount
  if (data.startsWith(MULTICALL)) return several(facts, to, data as `0x${string}`)
  throw new Error('execution reverted') // no token is recorded
}

const MULTICALL = '0xac9650d8'

function several(facts: Recorded, to: string, data: `0x${string}`): string {
  const [calls] = decodeAbiParameters([{ type: 'bytes[]' }], `0x${data.slice(10)}`)
  return encodeAbiParameters([{ type: 'bytes[]' }], [calls.map((call) => called(facts, { to, data: call }) as `0x${string}`)])
}

function logs(facts: Recorded, { address, topics, fromBlock, toBlock }: any) {
  const known = new Set(address.map((each: string) => each.toLowerCase()))
  return facts.events
    .filter(([number, , by, has]) => number >= Number(fromBlock) && number <= Number(toBlock) && known.has(by) && topics.every((topic: string | string[] | null, i: number) => topic === null || topic === has[i] || (Array.isArray(topic) && topic.includes(has[i]!))))
    .map(([number, index, by, has, data]) => ({
      blockNumber: hex(number), logIndex: hex(index), address: by, topics: has, data, transactionHash: `0x${hex(number * 1000 + index).slice(2).padStart(64, '0')}`,
    }))
}

export type Answer = (method: string, params: any[]) => unknown

/** A reader whose fetch goes to these answers. */
export function reading(facts: Recorded, asked: Answer = (method, params) => answer(facts, method, params)) {
  vi.stubGlobal('fetch', async (url: string | URL, init?: { body?: string }) => {
    const at = String(url)
    if (at.startsWith('/ipfs/')) {
      const cid = at.slice('/ipfs/'.length)
      fromCid(cid)
      const file = facts.files.get(cid)
      return file ? new Response(file.slice()) : new Response('', { status: 404 })
    }
    const body = JSON.parse(init?.body ?? '')
    const one = ({ id, method, params }: { id: number; method: string; params: any[] }) => {
      try {
        return { jsonrpc: '2.0', id, result: asked(method, params) }
      } catch (error) {
        if (error instanceof Response || error instanceof TypeError) throw error
        return { jsonrpc: '2.0', id, error: { code: -32000, message: (error as Error).message } }
      }
    }
    try {
      return Response.json(Array.isArray(body) ? body.map(one) : one(body))
    } catch (error) {
      if (error instanceof Response) return error.clone()
      throw error
    }
  })
  const { chainId, federation, vault } = facts
  const deployment: Deployment = {
    name: 'recorded', chainId, rpc: ['http://node.test/'], federation, vault, token: federation, admission: federation, committee: null, registry: null, credentials: null,
    firstBlock: FIRST, gateway: '/ipfs/', confirmations: 0, explorer: null,
  }
  return new Reader(deployment)
}
