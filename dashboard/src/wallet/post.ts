/** Posting a job from a form: the terms, their bounds, the two transactions. Bounds are those of contracts/Terms.sol. */
import type { Address, Hex } from 'viem'
import { decodeFunctionResult, encodeFunctionData, toHex } from 'viem/utils'
import { decodeEvent, federationAbi, shortSymbolAbi, tokenAbi } from '../chain/abi'
import type { Deployment } from '../chain/deployment'
import { NO_TARGET } from '../chain/structs'
import type { Client } from '../chain/rpc'
import { Refusal } from '../problems'
import { fromCid } from '../protocol/cid'
import { TIMED, type PhaseTime } from '../protocol/phases'
import { LIMITS } from '../protocol/tables'
import { escapeUntrusted } from '../protocol/text'
import type { Token } from '../view/model'
import { shortSymbol } from '../view/tokens'
import { act, type Call, type Step } from './act'
import type { Wallet } from './session'

const DAY = 86_400
const MAX_JOB = 3 * 365 * DAY
const SHORTEST_OPEN = 2 // a cycle opens later than the second in which the one before it ended
const FAILURE_BURN = 5_000 // of a full round, basis points
const MAX_96 = 2n ** 96n - 1n

/** Phases that every job has. */
export const PHASES_NEEDED = TIMED.filter(({ optional }) => !optional)

/** What a sponsor says. Amounts in the token's smallest unit, times in seconds. */
export interface Offer {
  spec: string
  model: string
  committee: Address
  trainers: number
  minUpdates: number
  seats: number
  quorum: number
  rounds: number
  failures: number
  reward: bigint
  fee: bigint
  bond: bigint
  penalty: bigint
  times: Partial<Record<PhaseTime, number>> // a phase without one is left out
  claimTime: number
  slashTime: number
}

export const TIMES: Offer['times'] = { enrolTime: 3600, openTime: 600, submitTime: 600, scoreTime: 600, revealTime: 300, voteTime: 300, finalizeTime: 300 }

export const usualQuorum = (seats: number) => Math.max(Math.ceil((2 * seats) / 3), Math.floor(seats / 2) + 1)
const fullRound = (offer: Offer) => offer.reward + BigInt(offer.seats) * offer.fee
export const escrowOf = (offer: Offer) => BigInt(offer.rounds) * fullRound(offer)
/** The most that failures in a row burn. */
export const burnOf = (offer: Offer) => BigInt(offer.failures) * ((fullRound(offer) * BigInt(FAILURE_BURN)) / 10_000n)

/** What the contract would refuse, in words. */
export function problemsOf(offer: Offer): string[] {
  const found: string[] = []
  const within = (name: string, value: number, low: number, high: number) => {
    if (!Number.isInteger(value) || value < low || value > high) found.push(`${name}: a whole number from ${low} to ${high}`)
  }
  within('Seats', offer.seats, 1, LIMITS.seats)
  within('Quorum', offer.quorum, Math.floor(offer.seats / 2) + 1, offer.seats)
  within('Trainers', offer.trainers, 1, LIMITS.trainers)
  within('Least updates', offer.minUpdates, 1, offer.trainers)
  within('Rounds', offer.rounds, 1, LIMITS.rounds)
  within('Failures in a row', offer.failures, 1, LIMITS.failures)
  for (const { name, term } of PHASES_NEEDED) within(`Seconds for ${name.toLowerCase()}`, offer.times[term] ?? 0, term === 'openTime' ? SHORTEST_OPEN : 1, LIMITS.secondsOfAPhase)
  within('Seconds to claim', offer.claimTime, 1, 2 ** 32 - 1)
  within('Seconds that bonds stay', offer.slashTime, 1, Math.min(LIMITS.secondsOfAPhase, offer.claimTime))
  const { enrolTime = 0, ...others } = offer.times
  const cycle = Object.values(others).reduce((sum, time) => sum + time, 0)
  if (enrolTime + offer.rounds * offer.failures * cycle > MAX_JOB) found.push('The job could take more than three years: fewer rounds, failures or seconds')
  if (offer.bond < 1n) found.push('Bond: more than nothing')
  const amounts = { Reward: offer.reward, Fee: offer.fee, Bond: offer.bond, Penalty: offer.penalty }
  for (const [name, value] of Object.entries(amounts)) if (value > MAX_96) found.push(`${name}: too large`)
  return found
}

/** JobTerms as the contract takes them. */
function termsOf(offer: Offer, deployment: Deployment) {
  const { times } = offer
  return {
    token: deployment.token, committee: offer.committee, admission: deployment.admission, recheckAdmission: false, keepCommittee: false,
    spec: toHex(fromCid(offer.spec)), model: toHex(fromCid(offer.model)),
    rewardPerRound: offer.reward, feePerSeat: offer.fee, minBond: offer.bond, strikePenalty: offer.penalty, targetMetric: NO_TARGET,
    ...Object.fromEntries(TIMED.map(({ term }) => [term, times[term] ?? 0])), claimTime: offer.claimTime, slashTime: offer.slashTime,
    maxTrainers: offer.trainers, minUpdates: offer.minUpdates, maxRounds: offer.rounds, patience: 0, failureBurn: FAILURE_BURN,
    maxFailures: offer.failures, seats: offer.seats, quorum: offer.quorum, threshold: 0,
  }
}

const federationCall = (deployment: Deployment, functionName: string, args: unknown[]): Call => ({
  to: deployment.federation,
  data: encodeFunctionData({ abi: federationAbi, functionName, args }),
})

export const stopCall = (deployment: Deployment, job: number) => federationCall(deployment, 'stop', [BigInt(job)])

async function ask(client: Client, token: Address, functionName: string, args: unknown[] = [], abi = tokenAbi): Promise<unknown> {
  const data = encodeFunctionData({ abi, functionName, args })
  const answer = await client.request({ method: 'eth_call', params: [{ to: token, data }, 'latest'] })
  return decodeFunctionResult({ abi, functionName, data: answer as Hex })
}

export async function readToken(client: Client, { token: address }: Deployment): Promise<Token> {
  const inShort = async () => shortSymbol(await ask(client, address, 'symbol', [], shortSymbolAbi))
  const [symbol, decimals] = await Promise.all([ask(client, address, 'symbol').catch(inShort), ask(client, address, 'decimals')])
  return { address, symbol: escapeUntrusted(String(symbol), 16), decimals: Number(decimals) }
}

/**
 * Approves the escrow where the vault may not take it yet, then posts. Says the new job's number.
 * What an earlier approval left is taken back first: some tokens change none that is not zero.
 */
export async function post(
  client: Client, wallet: Wallet, deployment: Deployment, offer: Offer, tell: (step: `${'approval' | 'job'}: ${Step}`) => void,
): Promise<number> {
  const escrow = escrowOf(offer)
  const read = (name: string, args: unknown[]) => ask(client, deployment.token, name, args) as Promise<bigint>
  const [balance, allowed] = await Promise.all([
    read('balanceOf', [wallet.account]),
    read('allowance', [wallet.account, deployment.vault]),
  ])
  if (balance < escrow) throw new Refusal('The account has less than the escrow', 'Get more of the token, or offer less.')
  for (const amount of allowed >= escrow ? [] : allowed ? [0n, escrow] : [escrow]) {
    const data = encodeFunctionData({ abi: tokenAbi, functionName: 'approve', args: [deployment.vault, amount] })
    await act(client, wallet, { to: deployment.token, data }, 'to approve the escrow', (step) => tell(`approval: ${step}`))
  }
  const asked = federationCall(deployment, 'post', [termsOf(offer, deployment), escrow])
  const receipt = await act(client, wallet, asked, 'to post the job', (step) => tell(`job: ${step}`))
  for (const log of receipt.logs) {
    if (log.address.toLowerCase() !== deployment.federation.toLowerCase()) continue
    const event = decodeEvent(log.topics, log.data)
    if (event?.name === 'JobPosted') return Number(event.values.job)
  }
  throw new Refusal('The receipt names no job', 'Look at the list of jobs.')
}
