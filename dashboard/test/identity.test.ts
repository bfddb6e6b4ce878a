// An account's identity, credentials and stake: read in few calls; what nodes and strangers make up is refused or harmless.

import { afterEach, expect, test, vi } from 'vitest'
import type { Abi, Address, Hex } from 'viem'
import { decodeFunctionData, encodeAbiParameters, encodeEventTopics, encodeFunctionResult, getAddress, pad, stringToHex, toFunctionSelector, toHex } from 'viem/utils'
import { eventOf } from '../src/chain/abi'
import { askedAbi, credentialsAbi, poolAbi, registryAbi } from '../src/chain/deciders'
import { identityOf, PARTICIPANT, standing } from '../src/view/identity'
import { KEY_NAME } from '../src/protocol/did'
import { Reader } from '../src/view/reader'
import { reading, recorded } from './recorded'
import { readArtifact } from './vectors'

const at = (byte: string) => getAddress(`0x${byte.repeat(20)}`)
const [REGISTRY, CREDENTIALS, POOL, STRANGE, ANN, BEN] = [at('d1'), at('d2'), at('c0'), at('c1'), at('a1'), at('b2')]
const HEAD = { number: 100, timestamp: 5000 }
const NO_KEY: Hex = `0x${'0'.repeat(64)}`
const KEY: Hex = `0x${'11'.repeat(32)}`
afterEach(() => vi.unstubAllGlobals())

interface Event {
  abi: Abi
  by: Address
  block: number
  name: string
  args: Record<string, unknown>
  data: [string, unknown][]
}

const set = (block: number, previous: number, value: Hex = KEY, validTo = 9000n): Event => ({
  abi: registryAbi, by: REGISTRY, block, name: 'DIDAttributeChanged', args: { identity: ANN },
  data: [['bytes32', stringToHex(KEY_NAME, { size: 32 })], ['bytes', value], ['uint256', validTo], ['uint256', BigInt(previous)]],
})

interface Node {
  changed?: number
  announced?: Hex
  events?: Event[]
  codes?: Record<Address, string>
  stake?: object
  refuses?: boolean // logs of contracts that are not named
}

const ABIS = [registryAbi, credentialsAbi, poolAbi, askedAbi] as Abi[]
const ISSUED: Record<Hex, object> = {}

function asking({ changed = 0, announced = NO_KEY, events = [], codes = {}, stake, refuses }: Node, registry: Address | null = REGISTRY) {
  const asked: string[] = []
  const answers: Record<string, (args: readonly any[]) => unknown> = {
    keyOf: () => announced, changed: () => BigInt(changed), identityOwner: ([identity]) => identity,
    credentialOf: ([uid]) => ISSUED[uid as Hex], latest: ([issuer]) => (issuer === BEN ? pad('0x2') : pad('0x9')),
    poolTerms: () => ({ federation: getAddress(recorded().federation), token: at('70'), unit: 100n, minimum: 2, epochTime: 60, reportTime: 1, minPhase: 1, maxPhase: 9, minFee: 0n, maxSeats: 24, sponsors: [], specs: [] }),
    stakers: () => 2n, weightAt: () => 8n, stakeOf: () => stake,
  }
  const { chain } = reading(recorded(), (method, [params]) => {
    asked.push(method)
    if (method === 'eth_getCode') return codes[getAddress(params)] ?? '0x'
    if (method === 'eth_getLogs') return logs(params)
    const abi = ABIS.find((each) => each.some((one) => one.type === 'function' && toFunctionSelector(one) === params.data.slice(0, 10)))
    if (!abi) throw new Error('execution reverted')
    const { functionName, args } = decodeFunctionData({ abi, data: params.data })
    return encodeFunctionResult({ abi, functionName, result: answers[functionName]!(args ?? []) } as never)
  })
  function logs({ address, topics, fromBlock, toBlock }: any) {
    if (!address && refuses) throw new Error('name an address')
    const [first] = [topics[0]].flat()
    return events.map(logOf).filter((log) => (!address || address.includes(log.address)) && [topics[0]].flat().includes(log.topics[0]) && first
      && Number(log.blockNumber) >= Number(fromBlock) && Number(log.blockNumber) <= Number(toBlock))
  }
  return { reader: new Reader({ ...chain.deployment, federation: getAddress(chain.deployment.federation), registry, credentials: registry && CREDENTIALS }), asked }
}

const logOf = ({ abi, by, block, name, args, data }: Event, i: number) => ({
  blockNumber: toHex(block), logIndex: toHex(i), address: by, transactionHash: pad(toHex(i)),
  topics: encodeEventTopics({ abi: [eventOf(abi, name)], eventName: name, args } as never) as Hex[],
  data: encodeAbiParameters(data.map(([type]) => ({ type })), data.map(([, value]) => value)),
})

test('a key in both places, or in one, or another', async () => {
  const found = async (node: Node) => (await identityOf(asking(node).reader, ANN, HEAD)).registered
  expect(await found({})).toMatchObject({ owner: ANN, keys: [], agree: true })
  expect(await found({ announced: KEY, changed: 7, events: [set(7, 0)] })).toMatchObject({ keys: [KEY], agree: true })
  expect(await found({ changed: 7, events: [set(7, 0)] })).toMatchObject({ keys: [KEY], agree: false })
  expect(await found({ announced: KEY, changed: 7, events: [set(7, 0, '0x1234')] })).toMatchObject({ keys: ['0x1234'], agree: false })
})

test('an identity that has never changed is asked for no events', async () => {
  const { reader, asked } = asking({})
  expect(await identityOf(reader, ANN, HEAD)).toMatchObject({ did: `did:ethr:0x7a69:${ANN}`, announced: null, credentials: { shown: [], more: 0 }, pools: [] })
  expect(asked.filter((method) => method === 'eth_getLogs')).toHaveLength(2) // of credentials, of stakes
})

test('a deployment without a register', async () => {
  expect(await identityOf(asking({ announced: KEY }, null).reader, ANN, HEAD)).toMatchObject({ announced: KEY, registered: null, credentials: null })
})

const LIES: [string, Node][] = [
  ['the newest change is left out', { changed: 9, events: [set(7, 0)] }],
  ['one in the middle is left out', { changed: 9, events: [set(7, 0), set(9, 8)] }],
  ['the first is left out', { changed: 9, events: [set(9, 7)] }],
  ['all are left out', { changed: 9, events: [] }],
  ['one is made up', { changed: 9, events: [set(7, 0), set(8, 0), set(9, 7)] }],
]

test.for(LIES)('a node that lies is caught: %s', async ([, node]) => {
  await expect(identityOf(asking(node).reader, ANN, HEAD)).rejects.toThrow('the node answers nonsense')
})

test('two changes in one block', async () => {
  const events = [set(7, 0, '0x01'), set(7, 7, '0x02')]
  expect((await identityOf(asking({ changed: 7, events }).reader, ANN, HEAD)).registered?.keys).toEqual(['0x01', '0x02'])
})

test('the key of an identity may be anything: its bytes are kept as they are', async () => {
  const long: Hex = `0x${'3c'.repeat(10_240)}`
  expect((await identityOf(asking({ changed: 7, events: [set(7, 0, long)] }).reader, ANN, HEAD)).registered?.keys).toEqual([long])
})

test('credentials: the newest twenty, and whether each counts', async () => {
  const issued = (n: number, issuer: Address): Event => {
    const uid = pad(toHex(n))
    ISSUED[uid] = { schema: PARTICIPANT, issuer, time: 1, expires: n === 3 ? 4999 : 6000, subject: ANN, revoked: n === 4 ? 70 : 0, data: '0x' }
    return { abi: credentialsAbi, by: CREDENTIALS, block: n, name: 'CredentialIssued', args: { uid, issuer, subject: ANN }, data: [['bytes32', PARTICIPANT], ['uint48', 6000], ['bytes', '0x']] }
  }
  const events = [issued(2, BEN), issued(3, BEN), issued(4, BEN)]
  const { shown, more } = (await identityOf(asking({ events }).reader, ANN, HEAD)).credentials!
  expect(shown.map(({ uid, faults }) => [Number(uid), faults])).toEqual([[4, ['revoked', 'replaced']], [3, ['expired', 'replaced']], [2, []]])
  expect(more).toBe(0)
  const many = Array.from({ length: 50 }, (_, i) => issued(10 + i, BEN))
  const { reader, asked } = asking({ events: many })
  expect((await identityOf(reader, ANN, HEAD)).credentials).toMatchObject({ more: 30, shown: { length: 20 } })
  expect(asked.filter((method) => method === 'eth_call').length).toBeLessThanOrEqual(43)
})

test('standing, as Python words it', () => {
  expect(standing({ revoked: 1, expires: 10 }, false, 10)).toEqual(['revoked', 'expired', 'replaced'])
  expect(standing({ revoked: 0, expires: 11 }, true, 10)).toEqual([])
})

const { bytecode, runtime_start, runtime_size } = readArtifact('StakedCommittee')
const CODE = `0x${bytecode.slice(2 + 2 * runtime_start, 2 + 2 * (runtime_start + runtime_size))}`
const stakedIn = (by: Address): Event => ({ abi: poolAbi, by, block: 5, name: 'Staked', args: { account: ANN }, data: [['uint256', 0n], ['uint256', 1n], ['uint256', 1n]] })
const STAKE = { staked: 600n, leaving: 0n, leavesAt: 0n, leaf: 0, weight: 6 }

test('a stake in a pool of ours counts; what another contract says does not', async () => {
  const { pools } = await identityOf(asking({ codes: { [POOL]: CODE, [STRANGE]: '0x6001' }, stake: STAKE, events: [stakedIn(POOL), stakedIn(STRANGE)] }).reader, ANN, HEAD)
  expect(pools.map(({ address, stakes }) => [address, stakes])).toEqual([[POOL, [{ account: ANN, staked: 600n, leaving: 0n, leavesAt: 0, weight: 6, share: 0.75 }]]])
})

test('where a node answers for named contracts alone, the pools of its jobs are asked', async () => {
  const node = { codes: { [POOL]: CODE }, stake: STAKE, refuses: true }
  expect((await identityOf(asking(node).reader, ANN, HEAD)).pools).toEqual([])
  expect((await identityOf(asking(node).reader, ANN, HEAD, [POOL])).pools).toHaveLength(1)
})
