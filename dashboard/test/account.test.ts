// What an account earned, can claim, spent and was paid, of a recorded job.

import { afterEach, expect, test, vi } from 'vitest'
import { movementsCsv } from '../src/pages/csv'
import { sum } from '../src/protocol/exact'
import { duesOf, unknownOf } from '../src/view/dues'
import { spent } from '../src/view/sums'
import { summed } from '../src/view/earnings'
import type { AccountView, Movement } from '../src/view/model'
import { grouped } from '../src/view/movements'
import { reading, recorded } from './recorded'

afterEach(() => vi.unstubAllGlobals())

test('the curve of what was earned ends at the sum of all pay, and of all fees', async () => {
  const reader = reading(recorded())
  const { trainers, validators } = await reader.job(1)
  for (const { address, earned } of trainers) {
    const curve = summed((await reader.account(address)).jobs.flatMap(({ earnings }) => earnings))
    expect([curve.length, curve.at(-1)?.sum]).toEqual([3, earned])
  }
  for (const { address, fees } of validators) expect(summed((await reader.account(address)).jobs.flatMap(({ earnings }) => earnings)).at(-1)?.sum).toBe(fees)
})

test('what a sponsor spent was paid, is held for somebody, or was burnt', async () => {
  const { books, trainers, validators, terms } = await reading(recorded()).job(1)
  const earned = sum([...trainers.map((each) => each.earned), ...validators.map((each) => each.fees)])
  expect(spent({ books })).toBe(books.escrowed - books.left - books.refunded)
  expect(spent({ books })).toBe(3n * (terms.rewardPerRound + BigInt(terms.seats) * terms.feePerSeat))
  expect(spent({ books }) - earned).toBeGreaterThanOrEqual(0n)
})

const movement = (tx: number, job: number, kind: string, round: number | null, moved: bigint): Movement =>
  ({ block: tx, time: tx || null, tx: `0x${tx}`, job, kind, round, amount: moved < 0n ? -moved : moved, moved }) as Movement
const MOVED = [
  movement(1, 1, 'Bonded', null, -100n), movement(2, 1, 'RewardClaimed', 1, 30n), movement(2, 1, 'RewardClaimed', 2, 40n), movement(2, 1, 'Struck', 3, 0n),
  movement(2, 2, 'RewardClaimed', 1, 50n), movement(3, 1, 'RewardClaimed', 4, 60n), movement(4, 1, 'BondReturned', null, 100n),
]

test('payments of one transaction, job and kind are one; together they are all movements', () => {
  const groups = grouped(MOVED)
  expect(groups.map((group) => group.map(({ round }) => round))).toEqual([[null], [1, 2], [3], [1], [4], [null]])
  expect(groups.map((group) => sum(group.map(({ moved }) => moved)))).toEqual([-100n, 70n, 0n, 50n, 60n, 100n])
  expect(groups.flat()).toEqual(MOVED)
  expect(grouped([])).toEqual([])
})

test('an account of the recorded job: its payments sum up to its movements', async () => {
  const reader = reading(recorded())
  const { trainers } = await reader.job(1)
  const { movements } = await reader.account(trainers[0]!.address)
  const groups = grouped(movements)
  expect(groups.flat()).toHaveLength(movements.length)
  expect(sum(groups.map((group) => sum(group.map(({ moved }) => moved))))).toBe(trainers[0]!.earned)
})

test('the file has a line a movement, in units', () => {
  const token = { address: '0xToken', symbol: '=cmd', decimals: 2 }
  const lines = movementsCsv({ movements: MOVED, jobs: [{ job: 1, token }] } as unknown as AccountView).split('\r\n')
  expect(lines).toHaveLength(MOVED.length + 2)
  expect(lines.slice(0, 3)).toEqual([
    'time,block,job,event,round,amount,moved,token,decimals,transaction', '1970-01-01T00:00:01.000Z,1,1,Bonded,,100,-100,0xToken,2,0x1', '1970-01-01T00:00:02.000Z,2,1,RewardClaimed,1,30,30,0xToken,2,0x2',
  ])
})

const part = (over: boolean, fields: object, books = {}): any => ({
  job: 7, token: { address: '0xToken' }, roles: [], trainer: null, validator: null, rest: 0n, earnings: [],
  view: { phase: over ? 'COMPLETED' : 'OPEN', head: { timestamp: 100 }, books: { slashUntil: 50, claimUntil: 200, ...books } }, ...fields,
})
const trainer = { claimable: [{ round: 1, amount: 3n }, { round: 4, amount: 4n }], bondLeft: 10n }
const dues = (...jobs: any[]) => duesOf({ jobs } as AccountView).map(({ kind, amount, rounds, until }) => ({ kind, amount, rounds, until }))

test('what can be claimed, by kind', () => {
  expect(dues(part(true, { trainer, validator: { feesClaimable: 5n }, rest: 6n }))).toEqual([
    { kind: 'rounds', amount: 7n, rounds: [1, 4], until: 200 }, { kind: 'fees', amount: 5n, rounds: [], until: 200 },
    { kind: 'bond', amount: 10n, rounds: [], until: 0 }, { kind: 'rest', amount: 6n, rounds: [], until: 0 },
  ])
})

test('pay that nobody can work out is not called nothing', () => {
  const of = (fields: object, view: object) => unknownOf({ jobs: [{ ...part(false, fields), view }] } as any)
  expect(of({ trainer }, { finalized: 2, spec: null })).toEqual([7])
  expect(of({ trainer }, { finalized: 0, spec: null })).toEqual([])
  expect(of({ trainer }, { finalized: 2, spec: {} })).toEqual([])
  expect(of({}, { finalized: 2, spec: null })).toEqual([])
})

test('a bond stays while the job runs, and while it can still be slashed', () => {
  const kinds = (...args: Parameters<typeof part>) => dues(part(...args)).map(({ kind }) => kind)
  expect(kinds(false, { trainer })).toEqual(['rounds'])
  expect(kinds(true, { trainer }, { slashUntil: 101 })).toEqual(['rounds'])
  expect(kinds(true, { trainer }, { slashUntil: 100 })).toEqual(['rounds', 'bond'])
  expect(dues(part(true, { trainer: { claimable: [], bondLeft: 0n } }))).toEqual([])
})
