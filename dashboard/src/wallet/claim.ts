/** The claims of one account in one job: a call of the vault for each kind. */
import type { Address } from 'viem'
import { encodeFunctionData } from 'viem/utils'
import { decodeEvent, federationAbi, vaultAbi } from '../chain/abi'
import type { Deployment } from '../chain/deployment'
import type { Client } from '../chain/rpc'
import { Refusal } from '../problems'
import { sum } from '../protocol/exact'
import { isOver } from '../protocol/phases'
import type { Due, Kind } from '../view/dues'
import type { JobView } from '../view/model'
import type { Reader } from '../view/reader'
import { act, type Call, type Receipt, type Step } from './act'
import type { Wallet } from './session'

const PAID_BY: Record<Kind, string> = { rounds: 'RewardClaimed', fees: 'FeesClaimed', bond: 'BondReturned', rest: 'RestReturned' }

export interface Paid {
  amount: bigint // what the vault's events say was sent
  tx: Receipt['transactionHash']
}

interface Chain {
  reader: Reader
  client: Client
  deployment: Deployment
}

export async function claim(
  { reader, client, deployment, wallet }: Chain & { wallet: Wallet },
  job: number, kind: Kind, tell: (step: Step) => void,
): Promise<Paid> {
  const account = wallet.account
  if (!account) throw new Refusal('No wallet is connected', 'Connect one first.')
  tell('checking')
  const asked = await callFor(reader, deployment, job, kind, account)
  const receipt = await act(client, wallet, asked, 'to claim', tell)
  return { amount: paidIn(receipt, deployment.vault, PAID_BY[kind]), tx: receipt.transactionHash }
}

/** About what claims cost in the chain's coin; null where the node doesn't say. */
export async function feeOf({ reader, client, deployment }: Chain, account: Address, dues: readonly Due[]): Promise<bigint | null> {
  const ask = async (method: string, params: unknown[]) => BigInt((await client.request({ method, params } as never)) as string)
  try {
    const calls = await Promise.all(dues.map(({ job, kind }) => callFor(reader, deployment, job, kind, account)))
    const [price, ...gas] = await Promise.all([ask('eth_gasPrice', []), ...calls.map(({ to, data }) => ask('eth_estimateGas', [{ from: account, to, data }]))])
    return price! * sum(gas)
  } catch {
    return null
  }
}

async function callFor(reader: Reader, deployment: Deployment, job: number, kind: Kind, account: Address): Promise<Call> {
  if (kind === 'rounds') {
    const found = await reader.claimCalls(job, account)
    if (!found.rounds.length) throw new Refusal(`Nothing is left to claim in job ${job}`, 'It may have been claimed already; look at the page again.')
    return found
  }
  if (kind === 'fees') return feesCall(await reader.job(job), deployment, account)
  const [functionName, args] = kind === 'bond' ? ['claimBond', [BigInt(job), account]] : ['claimRest', [BigInt(job)]]
  return { to: deployment.vault, data: encodeFunctionData({ abi: vaultAbi, functionName: functionName as string, args: args as unknown[] }) }
}

/** After the end, the federation adds the seat that is still held. */
function feesCall(view: JobView, deployment: Deployment, account: Address): Call {
  const seat = view.cycles.at(-1)?.seats.find((held) => held.validator === account)
  if (isOver(view.phase) && seat) {
    const data = encodeFunctionData({ abi: federationAbi, functionName: 'claimFees', args: [BigInt(view.job), seat.seat] })
    return { to: deployment.federation, data }
  }
  return { to: deployment.vault, data: encodeFunctionData({ abi: vaultAbi, functionName: 'claimFees', args: [BigInt(view.job), account] }) }
}

function paidIn(receipt: Receipt, vault: Address, name: string): bigint {
  const sent = receipt.logs.filter(({ address }) => address.toLowerCase() === vault.toLowerCase()).map(({ topics, data }) => decodeEvent(topics, data))
  return sum(sent.map((event) => (event?.name === name ? BigInt(event.values.amount) : 0n)))
}
