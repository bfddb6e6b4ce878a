// Who decides and who may train: a node that answers for contracts of every kind, in few calls.

import { afterEach, expect, test, vi } from 'vitest'
import type { Abi, Address, Hex } from 'viem'
import { decodeFunctionData, encodeAbiParameters, encodeEventTopics, encodeFunctionResult, getAddress, pad, toFunctionSelector, toHex } from 'viem/utils'
import { eventOf } from '../src/chain/abi'
import { askedAbi, credentialAdmissionAbi, poolAbi, reputationAdmissionAbi } from '../src/chain/deciders'
import { admissionOf, committeeOf, poolOf, recordsOf, stakesIn } from '../src/view/decided'
import type { CycleView } from '../src/view/model'
import { reading, recorded } from './recorded'
import { readArtifact } from './vectors'

const at = (byte: string) => getAddress(`0x${byte.repeat(20)}`)
const [POOL, STRANGER, ANN, BEN, CAL] = [at('c0'), at('c1'), at('a1'), at('b2'), at('c3')]
const HEAD = { number: 100, timestamp: 5000 }
afterEach(() => vi.unstubAllGlobals())

function code(name: string): string {
  const { bytecode, runtime_start, runtime_size } = readArtifact(name)
  return `0x${bytecode.slice(2 + 2 * runtime_start, 2 + 2 * (runtime_start + runtime_size))}`
}

interface Node {
  codes?: Record<Address, string>
  answers?: Record<string, (args: readonly any[]) => unknown>
  logs?: { name: string; args: Record<string, unknown>; data: [string, unknown][] }[]
}

const ABIS = [poolAbi, credentialAdmissionAbi, reputationAdmissionAbi, askedAbi] as Abi[]

/** A reader, and the requests that it made. */
function asking({ codes = {}, answers = {}, logs = [] }: Node) {
  const asked: string[] = []
  const reader = reading(recorded(), (method, [params]) => {
    asked.push(method)
    if (method === 'eth_getCode') return codes[getAddress(params)] ?? '0x'
    if (method === 'eth_getLogs') return logs.map(({ name, args, data }, i) => logOf(name, args, data, i))
    if (method !== 'eth_call') throw new Error(method)
    const abi = ABIS.find((each) => each.some((one) => one.type === 'function' && toFunctionSelector(one) === params.data.slice(0, 10)))
    if (!abi) throw new Error('execution reverted')
    const { functionName, args } = decodeFunctionData({ abi, data: params.data })
    return encodeFunctionResult({ abi, functionName, result: answers[functionName]!(args ?? []) } as never)
  })
  return { reader, asked }
}

function logOf(name: string, args: Record<string, unknown>, data: [string, unknown][], i: number) {
  return {
    blockNumber: toHex(10 + i), logIndex: '0x0', address: POOL, transactionHash: pad(toHex(i)),
    topics: encodeEventTopics({ abi: [eventOf(poolAbi, name)], eventName: name, args } as never),
    data: encodeAbiParameters(data.map(([type]) => ({ type })), data.map(([, value]) => value)),
  }
}

const job = (fields: object) => ({ job: 1, terms: { committee: POOL, seats: 3, ...fields } }) as never

test('each kind of committee is known, and who sits in it by name', async () => {
  const appointed = asking({ codes: { [POOL]: code('AppointedCommittee') }, answers: { select: () => [ANN, BEN, CAL] } })
  expect(await committeeOf(appointed.reader, job({}), HEAD)).toEqual({ kind: 'AppointedCommittee', named: [ANN, BEN, CAL], pool: false })
  const staked = asking({ codes: { [POOL]: code('StakedCommittee') }, answers: { appointed: () => [] } })
  expect(await committeeOf(staked.reader, job({}), HEAD)).toEqual({ kind: 'StakedCommittee', named: [], pool: true })
  const hybrid = asking({ codes: { [POOL]: code('HybridCommittee') }, answers: { appointed: () => [ANN] } })
  expect(await committeeOf(hybrid.reader, job({}), HEAD)).toEqual({ kind: 'HybridCommittee', named: [ANN], pool: true })
  const coupled = asking({ codes: { [POOL]: code('TrainerCommittee') } })
  expect(await committeeOf(coupled.reader, job({}), HEAD)).toEqual({ kind: 'TrainerCommittee', named: [], pool: false })
  const strange = asking({ codes: { [POOL]: '0x6001' } })
  expect(await committeeOf(strange.reader, job({}), HEAD)).toEqual({ kind: null, named: [], pool: false })
})

test('code is asked for once', async () => {
  const { reader, asked } = asking({ codes: { [POOL]: code('TrainerCommittee') } })
  for (let i = 0; i < 3; i++) await committeeOf(reader, job({}), HEAD)
  expect(asked).toEqual(['eth_getCode'])
})

test('admissions say what they ask for, and whose word they take', async () => {
  const schema: Hex = `0x${'5c'.repeat(32)}`
  const credential = asking({
    codes: { [STRANGER]: code('CredentialAdmission') }, answers: { credentials: () => CAL, schema: () => schema, issuers: () => [ANN, BEN] },
  })
  expect(await admissionOf(credential.reader, STRANGER, HEAD)).toEqual({ kind: 'CredentialAdmission', schema, issuers: [ANN, BEN], elsewhere: CAL })
  const federation = getAddress(recorded().federation)
  const reputation = asking({
    codes: { [STRANGER]: code('ReputationAdmission') }, answers: { federation: () => federation, minimum: () => 300_000n, jobs: () => [1n, 4n] },
  })
  expect(await admissionOf(reputation.reader, STRANGER, HEAD)).toMatchObject({ kind: 'ReputationAdmission', minimum: 300_000n, jobs: [1, 4] })
  expect(await admissionOf(asking({ codes: { [STRANGER]: code('OpenAdmission') } }).reader, STRANGER, HEAD)).toEqual({ kind: 'OpenAdmission' })
  expect(await admissionOf(asking({}).reader, STRANGER, HEAD)).toEqual({ kind: null })
})

const stakes: Record<Address, [bigint, bigint, bigint, number]> = { [ANN]: [600n, 0n, 0n, 6], [BEN]: [200n, 100n, 9000n, 2], [CAL]: [0n, 0n, 0n, 0] }
const staked = (account: Address, amount: bigint) => ({ name: 'Staked', args: { account }, data: [['uint256', 0n], ['uint256', amount], ['uint256', amount]] as [string, unknown][] })
const slashed = (account: Address, id: bigint, amount: bigint) =>
  ({ name: 'Slashed', args: { account, job: id, seed: pad('0x1') }, data: [['uint8', 0], ['uint256', amount]] as [string, unknown][] })

const pool = (logs: Node['logs'], stakers = 2n) => asking({
  logs,
  answers: {
    stakers: () => stakers, weightAt: ([time]) => (time === 5060n ? 8n : 0n), // this epoch’s changes are counted from the next on
    poolTerms: () => ({ federation: at('fe'), token: at('70'), unit: 100n, minimum: 2, epochTime: 60, reportTime: 1, minPhase: 1, maxPhase: 9, minFee: 0n, maxSeats: 24, sponsors: [], specs: [] }),
    stakeOf: ([account]) => ({ staked: stakes[account as Address]![0], leaving: stakes[account as Address]![1], leavesAt: stakes[account as Address]![2], leaf: 0, weight: stakes[account as Address]![3] }),
  },
})

test('a pool: stakes, parts of the draw, what leaves and when, who lost what in this job', async () => {
  const { reader, asked } = pool([staked(BEN, 300n), staked(ANN, 600n), staked(CAL, 100n), slashed(BEN, 1n, 3n), slashed(BEN, 2n, 50n), slashed(BEN, 1n, 2n)])
  const found = await poolOf(reader, POOL, 1, HEAD)
  expect(found).toMatchObject({ minimum: 200n, epochTime: 60, stakers: 2, unread: 0, federation: at('fe') })
  expect(found.stakes).toEqual([
    { account: ANN, staked: 600n, leaving: 0n, leavesAt: 0, weight: 6, share: 0.75 }, { account: BEN, staked: 200n, leaving: 100n, leavesAt: 9000, weight: 2, share: 0.25 },
  ])
  expect([...found.slashed]).toEqual([[BEN, { times: 2, amount: 5n }]])
  expect(asked.filter((method) => method === 'eth_getLogs')).toHaveLength(1)
})

test('a node that hides a staker is caught', async () => {
  await expect(poolOf(pool([staked(ANN, 600n)]).reader, POOL, 1, HEAD)).rejects.toThrow('the node answers nonsense to eth_getLogs: 1 of 2 stakers')
})

test('one account’s stake', async () => {
  const found = await stakesIn(pool([]).reader, POOL, [BEN], HEAD)
  expect(found.stakes).toEqual([{ account: BEN, staked: 200n, leaving: 100n, leavesAt: 9000, weight: 2, share: 0.25 }])
})

test('seats taken and answers, where measuring was reached', () => {
  const cycle = (kind: object, committed: boolean[]) => ({ outcome: kind, seats: committed.map((did, i) => ({ validator: [ANN, BEN][i], committed: did })) }) as unknown as CycleView
  const cycles = [
    cycle({ kind: 'finalized' }, [true, false]), cycle({ kind: 'failed', phase: 'SUBMIT' }, [false, false]), cycle({ kind: 'failed', phase: 'SCORE' }, [true, false]),
    cycle({ kind: 'open' }, [true, false]),
  ]
  expect(Object.fromEntries(recordsOf({ cycles }))).toEqual({ [ANN]: { taken: 4, asked: 3, answered: 3 }, [BEN]: { taken: 4, asked: 2, answered: 0 } })
})
