/** One transaction from the reader's wallet: simulated, signed there, waited for, its receipt checked. */
import type { Abi, Address, Hex } from 'viem'
import { decodeErrorResult } from 'viem/utils'
import { abi as errors } from '../../../hansa/runtime/chain/artifacts/Refusals.json'
import { abi as token } from '../../../hansa/runtime/chain/artifacts/RewardToken.json'
import type { Client } from '../chain/rpc'
import { date } from '../dates'
import { Refusal } from '../problems'
import { PHASE_NAMES } from '../protocol/phases'
import { refusal } from './requests'
import type { Wallet } from './session'

export interface Call {
  to: Address
  data: Hex
}

export type Step = 'checking' | 'confirm in your wallet' | 'waiting for the chain'

/** Of a receipt, what the page looks at. */
export interface Receipt {
  status: Hex
  transactionHash: Hex
  logs: { address: Address; topics: [Hex, ...Hex[]]; data: Hex }[]
}

const WAIT = 180_000
const POLL = 500

export async function act(
  client: Client, wallet: Wallet, asked: Call, what: string, tell: (step: Step) => void,
): Promise<Receipt> {
  tell('checking')
  await simulate(client, asked, wallet.account!)
  tell('confirm in your wallet')
  const hash = await wallet.send(asked, wallet.account!).catch((thrown: unknown) => {
    throw refusal(thrown, what)
  })
  tell('waiting for the chain')
  const receipt = await receiptOf(client, hash)
  if (receipt.status !== '0x1') {
    throw new Refusal(`Transaction ${hash} was reverted`, 'Nothing moved but its fee. Somebody may have been faster; look at the page again.')
  }
  return receipt
}

async function receiptOf(client: Client, hash: Hex): Promise<Receipt> {
  for (const end = Date.now() + WAIT; Date.now() < end; await new Promise((go) => setTimeout(go, POLL))) {
    const found = await client.request({ method: 'eth_getTransactionReceipt', params: [hash] }).catch(() => null)
    if (found) return found as Receipt
  }
  throw new Refusal(`Transaction ${hash} is not in a block after ${WAIT / 1000} s`, 'Look in the wallet whether it is still pending; speed it up there.')
}

/** Refusal, in words, where the contracts would revert. */
async function simulate(client: Client, asked: Call, account: Address): Promise<void> {
  try {
    await client.request({ method: 'eth_call', params: [{ from: account, to: asked.to, data: asked.data }, 'pending'] })
  } catch (thrown) {
    const data = revertData(thrown)
    if (data === null) {
      const said = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Refusal(`The RPC node could not try it: ${said}`, 'Nothing was sent. Try again.')
    }
    throw new Refusal(`The contracts would refuse: ${explain(data)}`, 'Nothing was sent. Look at the page again: it may have been done already.')
  }
}

function revertData(thrown: unknown): Hex | null {
  for (let error = thrown as { data?: unknown; cause?: unknown; message?: string } | undefined, depth = 0; error && depth < 8; depth++) {
    const data = typeof error.data === 'object' && error.data ? (error.data as { data?: unknown }).data : error.data
    if (typeof data === 'string' && data.startsWith('0x')) return data as Hex
    if (!error.cause && /revert/i.test(error.message ?? '')) return '0x'
    error = error.cause as typeof error
  }
  return null
}

const WORDS: Record<string, (...values: never[]) => string> = {
  Federation_WrongPhase: (job: bigint, expected: number, actual: number) =>
    `job ${job} is in phase ${PHASE_NAMES[actual]}, this needs ${PHASE_NAMES[expected]}`,
  Federation_NotSponsor: (job: bigint, account: string) => `${account} is not the sponsor of job ${job}`,
  Federation_JobRunning: (job: bigint) => `job ${job} is still running`,
  Vault_JobRunning: (job: bigint) => `job ${job} is still running`,
  Vault_TooEarly: (job: bigint, from: bigint) => `job ${job} allows it from ${moment(from)}`,
  Vault_TooLate: (job: bigint, until: bigint) => `job ${job} allowed it until ${moment(until)}`,
  Vault_InvalidProof: (job: bigint, round: bigint, trainer: string) => `round ${round} of job ${job} pays ${trainer} something else`,
  Terms_EscrowTooSmall: (escrow: bigint, full: bigint) => `the escrow of ${escrow} units does not pay one full round of ${full}`,
  Terms_NotAContract: (account: string) => `${account} is not a contract`,
  Terms_TooLong: (time: bigint) => `the job could take ${time} s; three years are possible`,
  ERC20InsufficientBalance: (sender: string, balance: bigint, needed: bigint) => `${sender} has ${balance} token units and needs ${needed}`,
  ERC20InsufficientAllowance: (spender: string, allowance: bigint, needed: bigint) => `${spender} may take ${allowance} token units and needs ${needed}`,
}

const moment = (seconds: bigint) => `${date(Number(seconds))} UTC`

function explain(data: Hex): string {
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: [...errors, ...token] as Abi, data })
    const values = args as readonly unknown[]
    const words = WORDS[errorName]
    return words ? words(...(values as never[])) : `${errorName}(${values.map(String).join(', ')})`
  } catch {
    return 'no reason given'
  }
}
