import { afterEach, expect, test, vi } from 'vitest'
import { encodeFunctionResult, toEventSelector, toFunctionSelector } from 'viem/utils'
import { parseDeployment } from '../src/chain/deployment'
import { federationAbi, tokenAbi, vaultAbi } from '../src/chain/abi'
import { parseBaselines } from '../src/protocol/baselines'
import { decodeSpec } from '../src/protocol/spec'
import { answer, reading, recorded, type Answer, type Recorded } from './recorded'

afterEach(() => vi.unstubAllGlobals())

const topicOf = (name: string): string => {
  const event = [...federationAbi, ...vaultAbi].find((item) => item.type === 'event' && item.name === name)
  if (event?.type !== 'event') throw new Error(name)
  return toEventSelector(event)
}

const EVENTS = [
  'JobPosted', 'TrainerEnrolled', 'CycleOpened', 'UpdateSubmitted', 'ScoresCommitted', 'ScoresRevealed', 'ResultVoted',
  'RoundFinalized', 'JobEnded', 'RewardClaimed', 'FeesClaimed', 'BondReturned',
]

const problem = (facts: Recorded, asked?: Answer) => reading(facts, asked).job(1).then(() => null, (error) => error)

test.for(EVENTS)('an omitted %s is found', async (name) => {
  const facts = recorded()
  const place = facts.events.map((event) => event[3][0]).lastIndexOf(topicOf(name))
  expect(place).toBeGreaterThan(-1)
  facts.events.splice(place, 1)
  expect(await problem(facts)).toMatchObject({ name: 'ChainProblem', kind: 'nonsense', message: expect.stringContaining("don't agree") })
})

test.for(EVENTS)('a changed %s is found', async (name) => {
  const facts = recorded()
  const event = facts.events.find((each) => each[3][0] === topicOf(name))!
  event[4] = event[4].replace(/[0-9a-f](?=0*$)/, (digit) => (digit === '5' ? '6' : '5'))
  expect(await problem(facts)).toMatchObject({ name: 'ChainProblem', kind: 'nonsense' })
})

test('a doubled event is found', async () => {
  const facts = recorded()
  const place = facts.events.findIndex((event) => event[3][0] === topicOf('UpdateSubmitted'))
  facts.events.splice(place, 0, facts.events[place]!)
  expect(await problem(facts)).toMatchObject({ kind: 'nonsense', message: expect.stringContaining('two updates') })
})

test('an event cut short is found', async () => {
  const facts = recorded()
  const event = facts.events.find((each) => each[3][0] === topicOf('ScoresRevealed'))!
  event[4] = event[4].slice(0, 130)
  expect(await problem(facts)).toMatchObject({ kind: 'nonsense', message: expect.stringContaining('makes no sense') })
})

test('an account whose event is cut short: the node is blamed', async () => {
  const facts = recorded()
  const event = facts.events.find((each) => each[3][0] === topicOf('Bonded'))!
  event[4] = '0x'
  const account = `0x${event[3][2]!.slice(26)}` as const
  await expect(reading(facts).account(account)).rejects.toMatchObject({ name: 'ChainProblem', kind: 'nonsense' })
})

const GARBAGE: [string, unknown][] = [
  ['null', null], ['a number', 7], ['a text', 'x'], ['an object', {}], ['a list', [null]], ['odd hex', '0x123'], ['short bytes', '0x1234'], ['markup', '<b>'],
]
const METHODS = ['eth_chainId', 'eth_getBlockByNumber', 'eth_getLogs', 'eth_call']

test.for(METHODS.flatMap((method) => GARBAGE.map(([what, value]) => [method, what, value] as const)))('%s answers %s', async ([method, , value]) => {
  const facts = recorded()
  const found = await problem(facts, (asked, params) => (asked === method ? value : answer(facts, asked, params)))
  expect(found).toMatchObject({ name: 'ChainProblem' })
  const isNumber = typeof value === 'string' && value.startsWith('0x')
  expect(found.kind).toBe(method === 'eth_chainId' && isNumber ? 'wrong-chain' : 'nonsense')
  expect(found.next).not.toBe('')
})

const JSON_TYPE = { headers: { 'content-type': 'application/json' } }
const WHOLE: [string, string, () => Error | Response][] = [
  ['an error page', 'rpc-down', () => new Response('', { status: 502 })],
  ['nothing', 'rpc-down', () => new TypeError('fetch failed')],
  ['markup as JSON', 'nonsense', () => new Response('<html>', JSON_TYPE)],
  ['markup', 'nonsense', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  ['an object', 'nonsense', () => new Response('{}', JSON_TYPE)],
  ['an empty list', 'nonsense', () => new Response('[]', JSON_TYPE)],
  ['null', 'nonsense', () => new Response('null', JSON_TYPE)],
]

test.for(WHOLE)('a node whose every answer is %s', async ([, kind, given]) => {
  const asked = () => {
    throw given()
  }
  expect(await problem(recorded(), asked)).toMatchObject({ name: 'ChainProblem', kind })
})

test('another chain', async () => {
  const facts = recorded()
  expect(await problem(facts, (asked, params) => (asked === 'eth_chainId' ? '0x1' : answer(facts, asked, params)))).toMatchObject({ kind: 'wrong-chain' })
})

test('no contract there', async () => {
  const facts = recorded()
  expect(await problem(facts, (asked, params) => (asked === 'eth_call' ? '0x' : answer(facts, asked, params)))).toMatchObject({ kind: 'wrong-chain' })
})

test('a chain started anew is said once; then the page reads the new one', async () => {
  const facts = recorded()
  const reader = reading(facts)
  await reader.job(1)
  facts.blocks.set(1, [1, 5, `0x${'ab'.repeat(32)}`, `0x${'0'.repeat(64)}`])
  await expect(reader.head()).rejects.toMatchObject({ kind: 'reset', next: expect.stringContaining('clear') })
  expect((await reader.job(1)).rounds).toHaveLength(3)
})

test('specs', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  for (const text of ['', 'x', '[]', 'null', '{}', '{"task":1}']) expect(() => decodeSpec(bytes(text))).toThrow(RangeError)
})

test('baselines', () => {
  expect(parseBaselines(['majority=0.54', 'model 0=-1.5', 'plain', 'odd=1e5', '=1'])).toEqual([
    { name: 'majority', metric: 540_000_000n }, { name: 'model 0', metric: -1_500_000_000n },
  ])
})

const FILE = {
  name: 'demo', chain_id: 31337, rpc: ['http://127.0.0.1:8545'], federation: `0x${'11'.repeat(20)}`, vault: `0x${'22'.repeat(20)}`,
  token: `0x${'33'.repeat(20)}`, admission: `0x${'44'.repeat(20)}`, first_block: 2,
}

test('deployment.json', () => {
  expect(parseDeployment(JSON.stringify(FILE))).toMatchObject({ chainId: 31337, gateway: '/ipfs/', committee: null })
})

test.for([
  ['rpc', { rpc: [] }], ['rpc', { rpc: ['javascript:alert(1)'] }], ['chain_id', { chain_id: 0 }], ['vault', { vault: '0x12' }],
  ['gateway', { gateway: '//other.test/' }], ['first_block', { first_block: -1 }], ['confirmations', { confirmations: -1 }],
  ['explorer', { explorer: 'http://scan.test' }], ['explorer', { explorer: 'https://me:word@scan.test' }], ['explorer', { explorer: 'https://scan.test/?q=' }],
  ['explorer', { explorer: 'javascript:https://scan.test' }], ['explorer', { explorer: ['https://scan.test'] }],
] as const)('deployment.json: %s %j', ([field, change]) => {
  expect(() => parseDeployment(JSON.stringify({ ...FILE, ...change }))).toThrow(field)
})

const HOSTILE = '\u001b]0;PWNED\u0007\u009b31m \u202egnp'
const SEEN = '\\u{1b}]0;PWNED\\u{7}\\u{9b}31m'

test("an RPC node's message is shown as text", async () => {
  const failed = await problem(recorded(), () => { throw new Error(HOSTILE) })
  expect(failed).toMatchObject({ name: 'ChainProblem', message: expect.stringContaining(SEEN) })
})

test("a token's symbol is shown as text, and is short", async () => {
  const facts = recorded()
  const symbol = encodeFunctionResult({ abi: tokenAbi, functionName: 'symbol', result: HOSTILE } as never)
  const asked = toFunctionSelector('symbol()')
  const its = (call: { to: string; data: string }) => call.data === asked && call.to.toLowerCase() !== facts.federation.toLowerCase() // which stands for the deployment's token
  const view = await reading(facts, (method, params) => (method === 'eth_call' && its(params[0]) ? symbol : answer(facts, method, params))).job(1)
  expect(view.token.symbol).toBe(`${SEEN} \\u{202e}… (${HOSTILE.length} characters)`)
})
