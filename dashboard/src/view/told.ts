// What a transaction, or a block, did to the federation, from the contracts' events; all by the node's word.

import type { Abi, Address, Hex } from 'viem'
import { decodeFunctionData, getAddress, isAddress } from 'viem/utils'
import { federationAbi, tokenAbi, vaultAbi } from '../chain/abi'
import { nonsense, number, word, type Block, type Chain } from '../chain/client'
import type { Federation } from '../chain/federation'
import { eventIn, readLog, type Log, type Logs } from '../chain/logs'
import { OF_SEATS, PHASES, PHASE_NAMES } from '../protocol/phases'
import { asText } from '../protocol/text'
import type { Token } from './model'
import type { Tokens } from './tokens'

const RECEIPT = 'eth_getTransactionReceipt'

type Fields = Record<string, any> // as a node gives them

/** A sentence with its {names}: who, amount, job, rounds. */
export interface Told {
  says: string
  who: Address | null
  job: number | null
  rounds: number[]
  amount: bigint | null
  token: Token | null
}

export interface Deed {
  hash: Hex
  from: Address
  to: Address | null
  call: string | null // of a contract of ours
  told: Told[]
}

export interface TransactionView extends Deed {
  block: Block | null // null: in none yet
  reverted: boolean
  gas: bigint
  fee: bigint
  raw: string
}

/** By event; what another event of the same act says is not said again. */
export const SAYS: Readonly<Record<string, string>> = {
  JobPosted: '{who} posted {job} with {amount} in escrow',
  TrainerEnrolled: '{who} joined {job} with a bond of {amount}',
  UpdateSubmitted: '{who} sent an update for {job}',
  // validators' acts: their words are the phases'
  ...Object.fromEntries(OF_SEATS.map(({ event, title }) => [event, `{who} acted as a validator of {job}: ${title.toLowerCase()}`])),
  CycleOpened: '{who} began {rounds} of {job}',
  RoundFinalized: '{who} closed {rounds} of {job}: its pay is booked',
  CycleFailed: '{who} ended an attempt of {job} that had failed',
  JobEnded: '{job} ended: {outcome}',
  StopRequested: '{who} asked that {job} end',
  Rejoined: '{who} came back to {job}',
  KeyAnnounced: '{who} announced the key that updates are sealed to',
  KeysPublished: '{who} published the keys of its updates in {job}',
  RewardClaimed: '{who} claimed {amount} from {job}, {rounds}',
  FeesClaimed: '{who} claimed {amount} of fees from {job}',
  BondReturned: '{who} took back its bond of {amount} from {job}',
  RestReturned: '{who} took back {amount}, the rest of {job}',
  Struck: '{who} lost {amount} of its bond in {job}, {rounds}',
  Burnt: '{amount} of {job} were burnt',
}

export class Deeds {
  constructor(private readonly chain: Chain, private readonly federation: Federation, private readonly logs: Logs, private readonly tokens: Tokens) {}

  /** null: the node has none of this hash. head: number of a block whose state the node has. */
  async transaction(hash: Hex, head: number): Promise<TransactionView | null> {
    const [sent, receipt] = await Promise.all([this.fields('eth_getTransactionByHash', hash), this.fields(RECEIPT, hash)])
    if (!sent) return null
    const logs = receipt && Array.isArray(receipt.logs) ? receipt.logs.map(readLog) : []
    const block = receipt && (await this.chain.block(number(receipt.blockNumber, RECEIPT)))
    const deed = await this.deed(sent, logs, head)
    if (deed.hash !== hash.toLowerCase()) throw nonsense('eth_getTransactionByHash', deed.hash)
    const [gas, price] = receipt ? [receipt.gasUsed, receipt.effectiveGasPrice ?? '0x0'].map((each) => BigInt(number(each, RECEIPT))) : []
    const raw = asText({ transaction: sent, receipt }, 1)
    return { ...deed, block, gas: gas ?? 0n, fee: (gas ?? 0n) * (price ?? 0n), reverted: receipt?.status === '0x0', raw }
  }

  /** A block and its transactions, in order; null: the chain has none of this number. */
  async block(at: number, head: number): Promise<{ block: Block; deeds: Deed[] } | null> {
    const { federation, vault, token } = this.chain.deployment
    const found = await this.chain.whole(at)
    if (!found) return null
    const logs = await this.logs.read([federation, vault, token], [], at, found.block)
    const deeds = found.transactions.map((sent) => this.deed(sent, logs.filter(({ tx }) => tx === sent.hash), head))
    return { block: found.block, deeds: await Promise.all(deeds) }
  }

  private async fields(method: string, hash: Hex): Promise<Fields | null> {
    const found = await this.chain.ask(method, [hash])
    if (typeof found !== 'object') throw nonsense(method, found)
    return found as Fields | null
  }

  private async deed({ hash, from, to, input }: Fields, logs: readonly Log[], head: number): Promise<Deed> {
    if (!isAddress(from) || (to != null && !isAddress(to))) throw nonsense('eth_getTransactionByHash', from)
    const [sender, target] = [getAddress(from), to == null ? null : getAddress(to)]
    return {
      hash: word(hash, 'eth_getTransactionByHash').toLowerCase() as Hex, from: sender, to: target, call: this.call(target, input),
      told: await this.told(logs, sender, head),
    }
  }

  /** The call of a contract of ours as code has it; null where it is none. */
  private call(to: Address | null, data: unknown): string | null {
    const { federation, vault, token } = this.chain.deployment
    const ours: [Address, string, Abi][] = [[federation, 'Federation', federationAbi], [vault, 'Vault', vaultAbi], [token, 'Token', tokenAbi]]
    const found = ours.find(([address]) => address === to)
    if (!found) return null
    try {
      const { functionName, args = [] } = decodeFunctionData({ abi: found[2], data: data as Hex })
      return `${found[1]}.${functionName}(${(args as unknown[]).map(argument).join(', ')})`
    } catch {
      return `${found[1]}: nothing that it has`
    }
  }

  /** Events of one kind, job and party are one sentence: a claim of fifteen rounds has fifteen. */
  private async told(logs: readonly Log[], from: Address, head: number): Promise<Told[]> {
    const { federation, vault } = this.chain.deployment
    const at = (address: Address) => logs.filter((log) => log.address === address.toLowerCase())
    const found = new Map<string, Told>()
    for (const log of [...at(federation), ...at(vault)]) {
      const event = eventIn(log)
      const says = event && SAYS[event.name]
      if (!says) continue
      const { job, round, outcome, terms, ...values } = event.values
      const one: Told = {
        says: says.replace('{outcome}', PHASES[PHASE_NAMES[outcome] ?? 'NONE'].title.toLowerCase()), who: values.trainer ?? values.sponsor ?? values.member ?? values.account ?? from,
        job: job === undefined ? null : Number(job), rounds: round === undefined ? [] : [round],
        amount: values.amount ?? values.escrow ?? values.bond ?? values.penalty ?? null, token: null,
      }
      const key = `${event.name} ${one.who} ${one.job}`
      const same = found.get(key)
      if (same) Object.assign(same, { amount: same.amount === null ? null : same.amount + (one.amount ?? 0n), rounds: [...same.rounds, ...one.rounds] })
      else found.set(key, one)
    }
    const token = async ({ job, amount }: Told): Promise<Token | null> => {
      if (job === null || amount === null) return null
      return this.tokens.of((await this.federation.terms(job, { number: head })).token, head)
    }
    return Promise.all([...found.values()].map(async (one) => ({ ...one, token: await token(one).catch(() => null) })))
  }
}

/** Of a call, in short. */
const argument = (value: unknown): string =>
  Array.isArray(value) ? `[${value.length}]` : typeof value === 'object' ? '{…}' : String(value).replace(/^(0x.{6}).{12,}(.{4})$/, '$1…$2')
