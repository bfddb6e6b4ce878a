// Transactions and blocks in sentences, and what a node may answer instead.

import { afterEach, expect, test, vi } from 'vitest'
import { encodeAbiParameters, encodeEventTopics, encodeFunctionData, getAddress, pad, toEventSelector } from 'viem/utils'
import { federationAbi, tokenAbi, vaultAbi } from '../src/chain/abi'
import { SAYS } from '../src/view/told'
import { answer, reading, recorded, type Recorded } from './recorded'

afterEach(() => vi.unstubAllGlobals())

const HASH = `0x${'5a'.repeat(32)}` as const
const ALICE = getAddress(`0x${'a1'.repeat(20)}`)
const BLOCK = 5
const TOKEN = getAddress(`0x${'77'.repeat(20)}`)
const STRANGER = `0x${'99'.repeat(20)}` as const

test('every event of the contracts is said, or is said by another of the same act', () => {
  const events = [...federationAbi, ...vaultAbi].flatMap((item) => (item.type === 'event' ? [item.name] : []))
  expect(events.filter((name) => !(name in SAYS)).sort()).toEqual(['Bonded', 'BurnSent', 'Deposited', 'FeesBooked', 'RoundBooked'])
  expect(Object.keys(SAYS).filter((name) => !events.includes(name))).toEqual([])
})

const claimed = (facts: Recorded, round: number, amount: bigint, index: number) => ({
  address: facts.vault, blockNumber: '0x5', logIndex: `0x${index}`, transactionHash: HASH, data: encodeAbiParameters([{ type: 'uint256' }], [amount]),
  topics: encodeEventTopics({ abi: vaultAbi, eventName: 'RewardClaimed', args: { job: 1n, trainer: ALICE, round } } as never),
})

const paid = (token: string, amount: bigint, index: number) => ({
  address: token, blockNumber: '0x5', logIndex: `0x${index}`, transactionHash: HASH, data: encodeAbiParameters([{ type: 'uint256' }], [amount]),
  topics: [toEventSelector('Transfer(address,address,uint256)'), pad(STRANGER), pad(ALICE)],
})

const CALL = encodeFunctionData({ abi: vaultAbi, functionName: 'claim', args: [1n, ALICE, []] } as never)
const sent = (to: string | null, input = CALL) => ({ hash: HASH, from: ALICE.toLowerCase(), to, input, blockNumber: '0x5' })
const mined = (logs: unknown[], status = '0x1') => ({ blockNumber: '0x5', gasUsed: '0x64', effectiveGasPrice: '0x3', status, logs })

/** Of a node that has one transaction; asked: what it was asked for. */
function deeds(facts: Recorded, transaction: unknown, receipt: unknown, asked: string[] = []) {
  const reader = reading(facts, (method, params) => {
    asked.push(method)
    if (method === 'eth_getTransactionByHash') return transaction
    if (method === 'eth_getTransactionReceipt') return receipt
    if (method === 'eth_getBlockByNumber' && params[1]) return { ...(answer(facts, method, params) as object), transactions: [transaction] }
    if (method === 'eth_call' && ['0x95d89b41', '0x313ce567'].includes(params[0].data)) {
      return params[0].data === '0x313ce567' ? encodeAbiParameters([{ type: 'uint8' }], [6]) : encodeAbiParameters([{ type: 'string' }], [params[0].to === TOKEN ? 'HANSA' : 'COIN'])
    }
    return answer(facts, method, params)
  })
  Object.assign((reader as any).chain.deployment, { token: TOKEN })
  return reader.deeds
}

test('a claim of three rounds is one sentence, in three reads beside the token’s name', async () => {
  const facts = recorded()
  const asked: string[] = []
  const logs = [1, 2, 3].map((round) => claimed(facts, round, 10n, round))
  const view = await deeds(facts, sent(facts.vault), mined([...logs, paid(TOKEN, 30n, 4)]), asked).transaction(HASH, BLOCK)
  expect(view).toMatchObject({ hash: HASH, from: ALICE, gas: 100n, fee: 300n, reverted: false, call: 'Vault.claim(1, 0xA1A1a1…a1a1, [0])' })
  expect(view!.told).toMatchObject([{ says: SAYS.RewardClaimed, who: ALICE, job: 1, rounds: [1, 2, 3], amount: 30n, token: { symbol: 'COIN', decimals: 6 } }])
  expect(asked.filter((method) => method !== 'eth_call')).toEqual(['eth_getTransactionByHash', 'eth_getTransactionReceipt', 'eth_getBlockByNumber'])
})

test('a token of the job that is called like the federation’s is shown by its address', async () => {
  const facts = recorded()
  const reader = reading(facts, (method, params) => (method !== 'eth_call' || !['0x95d89b41', '0x313ce567'].includes(params[0].data) ? answer(facts, method, params)
    : params[0].data === '0x313ce567' ? encodeAbiParameters([{ type: 'uint8' }], [6]) : encodeAbiParameters([{ type: 'string' }], [params[0].to === TOKEN ? 'HANSA' : 'ΗANSA'])))
  Object.assign((reader as any).chain.deployment, { token: TOKEN })
  const { token } = await reader.job(1)
  expect(token.symbol).toBe(`${token.address.slice(0, 6)}…${token.address.slice(-4)}`)
})

test('a block says the same, in two reads', async () => {
  const facts = recorded()
  facts.events = [1, 2].map((round) => { const log = claimed(facts, round, 10n, round); return [BLOCK, round, facts.vault.toLowerCase(), log.topics as string[], log.data] })
  const asked: string[] = []
  const found = await deeds(facts, { ...sent(facts.vault), hash: `0x${(BLOCK * 1000 + 1).toString(16).padStart(64, '0')}` }, null, asked).block(BLOCK, BLOCK)
  expect(found!.deeds).toMatchObject([{ from: ALICE, told: [{ says: SAYS.RewardClaimed, rounds: [1], amount: 10n }] }])
  expect(asked.filter((method) => method !== 'eth_call')).toEqual(['eth_getBlockByNumber', 'eth_getLogs'])
})

test('a stranger’s token beside a claim is not what was claimed', async () => {
  const facts = recorded()
  const asked: string[] = []
  const view = await deeds(facts, sent(STRANGER), mined([claimed(facts, 1, 10n, 1), paid(STRANGER, 10n, 2)]), asked).transaction(HASH, BLOCK)
  expect(view!.told[0]!.token?.address).not.toBe(getAddress(STRANGER))
})

test('where a job’s terms can’t be had, the sentence goes without its token', async () => {
  const facts = recorded()
  facts.answers = new Map()
  const view = await deeds(facts, sent(facts.vault), mined([claimed(facts, 1, 10n, 1)])).transaction(HASH, BLOCK)
  expect(view!.told).toMatchObject([{ amount: 10n, token: null }])
})

test('an event of a stranger’s contract says nothing', async () => {
  const facts = recorded()
  const view = await deeds(facts, sent(STRANGER), mined([{ ...claimed(facts, 1, 10n, 1), address: STRANGER }])).transaction(HASH, BLOCK)
  expect(view).toMatchObject({ told: [], call: null })
})

test('one that is in no block yet, was reverted, creates a contract, or calls what is not there', async () => {
  const facts = recorded()
  expect(await deeds(facts, sent(facts.vault), null).transaction(HASH, BLOCK)).toMatchObject({ block: null, told: [] })
  expect(await deeds(facts, sent(facts.vault), mined([], '0x0')).transaction(HASH, BLOCK)).toMatchObject({ reverted: true, told: [] })
  expect(await deeds(facts, sent(null), mined([])).transaction(HASH, BLOCK)).toMatchObject({ to: null, call: null })
  expect(await deeds(facts, sent(facts.vault, '0xdeadbeef'), mined([])).transaction(HASH, BLOCK)).toMatchObject({ call: 'Vault: nothing that it has' })
  expect(await deeds(facts, sent(facts.vault, 7 as never), mined([])).transaction(HASH, BLOCK)).toMatchObject({ call: 'Vault: nothing that it has' })
  expect(await deeds(facts, null, null).transaction(HASH, BLOCK)).toBe(null)
  const approve = encodeFunctionData({ abi: tokenAbi, functionName: 'approve', args: [ALICE, 5n] } as never)
  expect(await deeds(facts, sent(TOKEN, approve), mined([])).transaction(HASH, BLOCK)).toMatchObject({ call: 'Token.approve(0xA1A1a1…a1a1, 5)' })
})

test.for([
  [7, null], ['x', null], [{}, null], [{ ...sent(null), from: '0x12' }, null], [{ ...sent(null), to: 'x' }, null], [{ ...sent(null), hash: `0x${'6b'.repeat(32)}` }, null],
  [sent(null), 7], [sent(null), {}], [sent(null), mined([{}])], [sent(null), { ...mined([]), gasUsed: 'x' }], [sent(null), { ...mined([]), blockNumber: null }],
] as const)('%j, %j: the node is blamed', async ([transaction, receipt]) => {
  await expect(deeds(recorded(), transaction, receipt).transaction(HASH, BLOCK)).rejects.toMatchObject({ name: 'ChainProblem', kind: 'nonsense' })
})

test('a block that lists no transactions, or is another', async () => {
  const facts = recorded()
  const bad = (change: object) => reading(facts, (method, params) => (method === 'eth_getBlockByNumber' ? { ...(answer(facts, method, params) as object), ...change } : answer(facts, method, params))).deeds.block(BLOCK, BLOCK)
  for (const change of [{ transactions: null }, { transactions: ['0x12'] }, { number: '0x7', transactions: [] }]) {
    await expect(bad(change)).rejects.toMatchObject({ name: 'ChainProblem', kind: 'nonsense' })
  }
})
