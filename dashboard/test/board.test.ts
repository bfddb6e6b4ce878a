// What the front page reads, and how little of it; what its rows say.

import { afterEach, expect, test, vi } from 'vitest'
import { decodeAbiParameters, encodeAbiParameters } from 'viem/utils'
import type { BoardView, JobRow } from '../src/view/board'
import { totalsOf } from '../src/view/board'
import { actionOf, gainOf, groupOf, inOrder, progressOf } from '../src/view/rows'
import { answer, reading, recorded, type Recorded } from './recorded'

afterEach(() => vi.unstubAllGlobals())

const COUNT = 20
const ONE = '1'.padStart(64, '0')
const MULTICALL = '0xac9650d8'
const BYTES = [{ type: 'bytes[]' }] as const
const word = (value: number) => value.toString(16).padStart(64, '0')

/** A chain with the recorded job as often as asked for; counts what is asked of each contract. */
function many(facts: Recorded, count: number) {
  const asked: string[] = []
  const reader = reading(facts, (method, params) => {
    asked.push(method)
    if (method === 'eth_getLogs') {
      const jobs: string[] = params[0].topics[1]
      const wanted = { ...params[0], topics: [params[0].topics[0], [`0x${ONE}`]] }
      const found = answer(facts, method, [wanted, ...params.slice(1)]) as any[]
      return jobs.flatMap((job) => found.map((log) => ({ ...log, topics: [log.topics[0], job, ...log.topics.slice(2)] })))
    }
    if (method !== 'eth_call') return answer(facts, method, params)
    const { to, data } = params[0]
    if (data.length === 10 && to.toLowerCase() === facts.federation) return `0x${word(count)}`
    const one = (call: string) => answer(facts, method, [{ to, data: `${call.slice(0, 10)}${call.length > 10 ? ONE : ''}${call.slice(74)}` }]) as `0x${string}`
    if (!data.startsWith(MULTICALL)) return one(data)
    return encodeAbiParameters(BYTES, [decodeAbiParameters(BYTES, `0x${data.slice(10)}`)[0].map(one)])
  })
  const calls = () => asked.filter((method) => method === 'eth_call').length
  return { reader, asked, calls }
}

const all = (rows: JobRow[]) => rows.map(({ job }) => job)
const ignore = () => undefined

/** The next block, in which nothing happened; its time is that of the recorded one. */
function advance(facts: Recorded): void {
  const [number, timestamp, hash] = facts.at
  facts.at = [number + 1, timestamp, hash.replace(/.$/, hash.endsWith('0') ? '1' : '0'), hash]
  facts.blocks.set(number + 1, facts.at)
}

test('20 jobs take at most 45 calls; jobs that are over none in the next five blocks', async () => {
  const facts = recorded()
  const { reader, asked, calls } = many(facts, COUNT)
  const view = await reader.jobs(200, all, ignore)
  expect(view.rows.map(({ job }) => job)).toEqual(Array.from({ length: COUNT }, (_, i) => COUNT - i))
  expect(view.rows.every(({ metrics, finalized }) => metrics.length === finalized && finalized === 3)).toBe(true)
  expect(calls()).toBeLessThanOrEqual(45)
  expect(asked.filter((method) => method === 'eth_getLogs')).toHaveLength(1)
  const before = calls()
  for (let block = 0; block < 5; block++) {
    advance(facts)
    await reader.jobs(200, all, ignore)
  }
  expect(calls() - before).toBe(5) // how many jobs there are
  expect(asked.filter((method) => method === 'eth_getLogs')).toHaveLength(1)
})

test('a running job takes at most two calls a block', async () => {
  const facts = recorded('shares')
  const { reader, calls } = many(facts, COUNT)
  await reader.jobs(200, all, ignore)
  const before = calls()
  advance(facts)
  await reader.jobs(200, all, ignore)
  expect(calls() - before).toBeLessThanOrEqual(1 + 2 * COUNT)
})

test('sums are those of the books, to the unit', async () => {
  const { reader } = many(recorded(), COUNT)
  const { rows } = await reader.jobs(200, all, ignore)
  const { books } = await reading(recorded()).job(1)
  expect(totalsOf(rows, rows[0]!.token.address)).toEqual({ earned: BigInt(COUNT) * books.booked, escrow: BigInt(COUNT) * books.left, rounds: 3 * COUNT, jobs: COUNT })
  expect(totalsOf(rows, '0x0000000000000000000000000000000000000001').jobs).toBe(0)
})

test('the newest rows are told before the others are read; a spec that is missing keeps nobody waiting', async () => {
  const facts = recorded()
  facts.files.clear()
  const { reader } = many(facts, 50)
  const told: BoardView[] = []
  const view = await reader.jobs(200, (rows) => all(rows).slice(0, 3), (each) => told.push(each))
  expect(told[0]).toMatchObject({ count: 50, complete: false })
  expect(told[0]!.rows).toHaveLength(20)
  expect(view.rows).toHaveLength(50)
  await vi.waitFor(() => expect(told.at(-1)!.rows.slice(0, 3).map(({ spec }) => spec)).toEqual([null, null, null]))
  expect(view.rows[5]!.spec).toBeUndefined()
})

test('what happened lately: claims of one transaction are one', async () => {
  const { happened } = await many(recorded(), 1).reader.jobs(200, all, ignore)
  expect(happened).toHaveLength(5)
  expect(happened.every(({ block }, i) => i === 0 || block <= happened[i - 1]!.block)).toBe(true)
  const keys = happened.map(({ tx, name }) => `${tx} ${name}`)
  expect(new Set(keys).size).toBe(keys.length)
})

function row(changes: object = {}, state: object = {}): JobRow {
  return {
    job: 2, finalized: 0, best: null, baselines: [], metrics: [], terms: { maxRounds: 40, maxTrainers: 4 },
    state: { phase: 'SCORE', enrolled: 3, failures: 0, deadline: 1000, stopping: false, ...state }, ...changes,
  } as unknown as JobRow
}

test('running rows stand first, then open ones, then those that are over', () => {
  const rows = [row({ job: 1 }, { phase: 'ABORTED' }), row({ job: 2 }, { phase: 'ENROL' }), row({ job: 3 }), row({ job: 4 })]
  expect(inOrder(rows).map(({ job }) => job)).toEqual([4, 3, 2, 1])
  expect(rows.map(groupOf)).toEqual(['over', 'open', 'running', 'running'])
})

test('how far a job is', () => {
  expect(progressOf(row({ finalized: 31 }), 0)).toEqual({ part: 31 / 40, says: 'Round 32 of 40: measure', left: null })
  expect(progressOf(row({}, { phase: 'ENROL', enrolled: 1 }), 400)).toEqual({ part: 0.25, says: '1 of 4 places', left: 600 })
  expect(progressOf(row({}, { phase: 'ABORTED', failures: 3 }), 0).says).toBe('Round 1 failed 3 times')
  expect(progressOf(row({ finalized: 1 }, { phase: 'COMPLETED' }), 0).says).toBe('1 round')
})

test('how much was gained: over a baseline, else since round 1', () => {
  const metrics = [{ round: 1, metric: 3n }, { round: 2, metric: 9n }]
  expect(gainOf(row({ best: 9n, metrics, baselines: [{ name: 'guessing', metric: 5n }] }))).toEqual({ gain: 4n, over: 'over guessing' })
  expect(gainOf(row({ best: 9n, metrics }))).toEqual({ gain: 6n, over: 'since round 1' })
  expect(gainOf(row({ best: 9n, metrics: [{ round: 2, metric: 9n }] }))).toBe(null)
  expect(gainOf(row())).toBe(null)
})

test('one thing to do', () => {
  const label = (changes: object, state: object) => actionOf(row(changes, state)).label
  expect(actionOf(row({}, { phase: 'ENROL' }))).toEqual({ label: 'Join', href: '#/job/2/join', primary: true })
  expect(label({}, {})).toBe('Watch')
  expect(label({}, { failures: 1 })).toBe('See why')
  expect(label({ finalized: 3 }, { phase: 'COMPLETED' })).toBe('Get the model')
  expect(label({}, { phase: 'ABORTED' })).toBe('See why')
})
