import type { Client, Hex } from 'viem'
import { decodeFunctionData, encodeFunctionResult, toHex } from 'viem/utils'
import { expect, test } from 'vitest'
import { federationAbi, tokenAbi } from '../src/chain/abi'
import type { Deployment } from '../src/chain/deployment'
import { burnOf, escrowOf, post, problemsOf, TIMES, type Offer } from '../src/wallet/post'
import type { Wallet } from '../src/wallet/session'
import { acts, recorded } from './recorded'

const [spec, model] = Object.keys(acts.files) as [string, string]
const at = (byte: string) => `0x${byte.repeat(20)}` as const
const DEPLOYMENT: Deployment = {
  name: 'test', chainId: 1, rpc: [], federation: at('11'), vault: at('22'), token: at('33'), admission: at('44'), committee: null, firstBlock: 1, gateway: '/ipfs/',
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

test('a cycle opens later than the second in which the last one ended', () => {
  expect(problemsOf(OFFER)).toEqual([])
  expect(problemsOf({ ...OFFER, times: { ...TIMES, openTime: 1 } })).toEqual([expect.stringContaining('Seconds for open: a whole number from 2')])
})

test('failures in a row burn half a round each, rounded down', () => {
  expect(burnOf(OFFER)).toBe(3n * 57n)
})
