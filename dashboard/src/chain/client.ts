// Reads of the chain in as few requests as its node allows; answers are checked for form, and failures said in words.

import type { Abi, Address, Hex } from 'viem'
import { decodeFunctionResult, encodeFunctionData, isHex, numberToHex } from 'viem/utils'
import { ChainProblem, CLEAR, Refused } from '../problems'
import { asText, escapeUntrusted } from '../protocol/text'
import type { Deployment } from './deployment'
import { Away, clientOf, NodeError, TooMuch, type Client } from './rpc'

export interface Block {
  number: number
  timestamp: number
  hash: Hex
  parent: Hex
}

export class Chain {
  readonly client: Client
  private first: Hex | null = null // hash of the deployment's first block

  constructor(readonly deployment: Deployment) {
    this.client = clientOf(deployment.rpc)
  }

  /** The newest block. Throws ChainProblem 'wrong-chain', and 'reset' where the first block is not the one it was. */
  async head(): Promise<Block> {
    const { chainId, firstBlock } = this.deployment
    const [id, head, first] = await Promise.all([
      this.ask('eth_chainId', []), this.block('latest'), this.ask('eth_getBlockByNumber', [numberToHex(firstBlock), false]),
    ])
    if (number(id, 'eth_chainId') !== chainId) {
      throw new ChainProblem('wrong-chain', `the node is of chain ${number(id, 'eth_chainId')}, not ${chainId}`, 'Correct rpc or chain_id in deployment.json.')
    }
    const hash = first === null ? null : readBlock(first).hash
    if (this.first !== null && hash !== this.first) {
      this.first = hash
      throw new ChainProblem(
        'reset', 'the chain was started anew: blocks that this page has read are gone',
        `Reload the page. ${CLEAR}`,
      )
    }
    this.first = hash
    return head
  }

  async block(at: number | 'latest'): Promise<Block> {
    const block = readBlock(await this.ask('eth_getBlockByNumber', [at === 'latest' ? at : numberToHex(at), false]))
    if (at !== 'latest' && block.number !== at) throw nonsense('eth_getBlockByNumber', block.number)
    return block
  }

  /** A block with its transactions as the node gives them; null: there is none. */
  async whole(at: number): Promise<{ block: Block; transactions: Record<string, unknown>[] } | null> {
    const answer = await this.ask('eth_getBlockByNumber', [numberToHex(at), true])
    if (answer === null) return null
    const block = readBlock(answer)
    const { transactions } = answer as { transactions?: unknown }
    if (block.number !== at || !Array.isArray(transactions) || !transactions.every((one) => one && typeof one === 'object')) {
      throw nonsense('eth_getBlockByNumber', at)
    }
    return { block, transactions }
  }

  /** What a contract's view function answers, at a block. */
  async call<Answer>(to: Address, abi: Abi, name: string, args: readonly unknown[], at: number): Promise<Answer> {
    const data = encodeFunctionData({ abi, functionName: name, args } as never)
    const answer = await this.ask('eth_call', [{ to, data }, numberToHex(at)])
    if (answer === '0x') throw new ChainProblem('wrong-chain', `no contract at ${to} answers ${name}`, 'Deploy again, or correct deployment.json.')
    return decodedAnswer(abi, name, answer)
  }

  async balance(account: Address, at: number): Promise<bigint> {
    const answer = await this.ask('eth_getBalance', [account, numberToHex(at)])
    if (!isHex(answer) || !/^0x[0-9a-f]{1,64}$/i.test(answer)) throw nonsense('eth_getBalance', answer)
    return BigInt(answer)
  }

  /** A bare request; its failures as ChainProblem. */
  async ask(method: string, params: unknown[]): Promise<unknown> {
    try {
      return await this.client.request({ method, params })
    } catch (error) {
      throw translated(method, error)
    }
  }
}

export function decodedAnswer<Answer>(abi: Abi, name: string, answer: unknown): Answer {
  try {
    return decodeFunctionResult({ abi, functionName: name, data: answer as Hex } as never) as Answer
  } catch {
    throw nonsense(name, answer)
  }
}

export function nonsense(what: string, answer: unknown): ChainProblem {
  return new ChainProblem('nonsense', `the node answers nonsense to ${what}: ${escapeUntrusted(asText(answer), 60)}`, 'Name another node under rpc in deployment.json.')
}

export function number(value: unknown, what: string): number {
  const found = isHex(value) && value.length > 2 ? Number(value) : NaN
  if (!Number.isSafeInteger(found)) throw nonsense(what, value)
  return found
}

export function word(value: unknown, what: string): Hex {
  if (!isHex(value) || value.length !== 66) throw nonsense(what, value)
  return value
}

function readBlock(answer: unknown): Block {
  if (typeof answer !== 'object' || answer === null) throw nonsense('eth_getBlockByNumber', answer)
  const of = answer as Record<string, unknown>
  const what = 'eth_getBlockByNumber'
  return { number: number(of.number, what), timestamp: number(of.timestamp, what), hash: word(of.hash, what), parent: word(of.parentHash, what) }
}

function translated(method: string, error: unknown): ChainProblem {
  const another = 'Name another node under rpc in deployment.json'
  if (error instanceof NodeError) return new Refused('nonsense', `the node refuses ${method}: ${said(error.message)}`, `${another} (error ${said(error.code)}).`)
  if (error instanceof TooMuch) return new Refused('nonsense', `the node answers too much to ${method}`, `${another}.`)
  if (error instanceof Away) return new ChainProblem('rpc-down', `the node does not answer ${method}`, 'Start the node, or name another one under rpc in deployment.json.')
  return nonsense(method, error instanceof Error ? said(error.message) : error)
}

const said = (details: unknown): string => escapeUntrusted(asText(details), 120)
