import type { Hex } from 'viem'
import { decodeFunctionData, encodeFunctionResult, pad, stringToHex, toHex } from 'viem/utils'
import { expect, test } from 'vitest'
import { federationAbi, tokenAbi } from '../src/chain/abi'
import type { Deployment } from '../src/chain/deployment'
import type { Client } from '../src/chain/rpc'
import { burnOf, escrowOf, post, problemsOf, readToken, TIMES, type Offer } from '../src/wallet/post'
import type { Wallet } from '../src/wallet/session'
import { acts, recorded } from './recorded'

const [spec, model] = Object.keys(acts.files) as [string, string]
const at = (byte: string) => `0x${byte.repeat(20)}` as const
const DEPLOYMENT: Deployment = {
  name: 'test', chainId: 1, rpc: [], federation: at('11'), vault: at('22'), token: at('33'), admission: at('44'), committee: null, registry: null, credentials: null, firstBlock: 1, gateway: '/ipfs/', confirmations: 0, explorer: null,
}
const OFFER: Offer = {
  spec, model, committee: at('55'), trainers: 4, minUpdates: 3, seats: 3, quorum: 2, rounds: 15, failures: 3, reward: 100n, fee: 5n, bond: 10n, penalty: 2n,
  times: TIMES, claimTime: 5000, slashTime: 500,
}

test('the contract is sent all terms, and no committee is kept that is to be drawn', async () => {
  const facts = recorded()
  const [, , , topics, data] = facts.events.find(([, , by]) => by === facts.federation.toLowerCase())!
  const sent: Hex[] = []
  const request = async ({ method }: { method: string }) =>
    method === 'eth_call'
      ? encodeFunctionResult({ abi: tokenAbi, functionName: 'balanceOf', result: 10n ** 9n } as never)
      : { status: '0x1', transactionHash: toHex(1), logs: [{ address: DEPLOYMENT.federation, topics, data }] }
  const wallet = { account: at('66'), send: async (call: { data: Hex }) => (sent.push(call.data), toHex(1)) }
  expect(await post({ request } as unknown as Client, wallet as unknown as Wallet, DEPLOYMENT, OFFER, () => undefined)).toBe(1)
  const { functionName, args } = decodeFunctionData({ abi: federationAbi, data: sent[0]! })
  expect([functionName, (args as unknown[])[1]]).toEqual(['post', escrowOf(OFFER)])
  expect((args as unknown[])[0]).toMatchObject({ token: DEPLOYMENT.token, keepCommittee: false, openTime: 600, failureBurn: 5000, threshold: 0 })
})

/** A token whose answers are given by function; a symbol in 32 bytes where it has no other. */
const token = (says: Record<string, unknown>, receipt: unknown = null) => async ({ method, params }: { method: string; params: [{ data: Hex }] }) => {
  if (method !== 'eth_call') return receipt
  const name = decodeFunctionData({ abi: [...tokenAbi, ...federationAbi], data: params[0].data }).functionName
  if (name === 'symbol') return pad(stringToHex('MKR'), { dir: 'right', size: 32 })
  return name in says ? encodeFunctionResult({ abi: tokenAbi, functionName: name, result: says[name] } as never) : '0x'
}

test.each([
  [0n, [escrowOf(OFFER)]],
  [7n, [0n, escrowOf(OFFER)]],
  [escrowOf(OFFER), []],
])('what an earlier approval left, %s, is used or taken back first', async (left, approved) => {
  const facts = recorded()
  const [, , , topics, data] = facts.events.find(([, , by]) => by === facts.federation.toLowerCase())!
  const receipt = { status: '0x1', transactionHash: toHex(1), logs: [{ address: DEPLOYMENT.federation, topics, data }] }
  const sent: { to: Hex; data: Hex }[] = []
  const wallet = { account: at('66'), send: async (call: { to: Hex; data: Hex }) => (sent.push(call), toHex(1)) }
  const client = { request: token({ balanceOf: 10n ** 9n, allowance: left }, receipt) } as unknown as Client
  await post(client, wallet as unknown as Wallet, DEPLOYMENT, OFFER, () => undefined)
  const approvals = sent.filter(({ to }) => to === DEPLOYMENT.token).map((call) => decodeFunctionData({ abi: tokenAbi, data: call.data }).args)
  expect(approvals).toEqual(approved.map((amount) => [DEPLOYMENT.vault, amount]))
})

test('a symbol in 32 bytes is read', async () => {
  expect(await readToken({ request: token({ decimals: 18 }) } as unknown as Client, DEPLOYMENT)).toMatchObject({ symbol: 'MKR', decimals: 18 })
})

test('a cycle opens later than the second in which the last one ended', () => {
  expect(problemsOf(OFFER)).toEqual([])
  expect(problemsOf({ ...OFFER, times: { ...TIMES, openTime: 1 } })).toEqual([expect.stringContaining('Seconds for open: a whole number from 2')])
})

test('failures in a row burn half a round each, rounded down', () => {
  expect(burnOf(OFFER)).toBe(3n * 57n)
})
