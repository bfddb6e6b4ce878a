// What is said of a job that goes wrong, and what is not said of one that doesn't.

import { afterEach, expect, test, vi } from 'vitest'
import { titleOf } from '../src/ui/titles'
import { parse } from '../src/ui/router'
import { answersOf, headline, listed, troubleOf } from '../src/view/trouble'
import { reading, recorded } from './recorded'

afterEach(() => vi.unstubAllGlobals())

const [T1, T2, V1, V2, V3]: any[] = ['t1', 't2', 'v1', 'v2', 'v3']
const name = (of: string) => of.toUpperCase()
const seats = (...measured: string[]): any[] =>
  [V1, V2, V3].map((validator, seat) => ({ seat, validator, committed: measured.includes(validator), revealed: false, voted: false, matched: null }))
const updates = (...from: string[]): any[] => from.map((trainer) => ({ trainer }))
const failed = (phase: string, silent: string[]) => ({ kind: 'failed', phase, burnt: 1325n, time: 9, why: 'the time ran out', silent })

const TERMS = { maxFailures: 3, minUpdates: 2, submitTime: 600, scoreTime: 600, rewardPerRound: 100n, feePerSeat: 10n, seats: 3, failureBurn: 5000 }

function job(changes: object = {}): any {
  return {
    phase: 'SUBMIT', finalized: 0, failures: 1, stopping: false, books: { left: 10_000n }, terms: TERMS, lapses: [],
    trainers: [{ address: T1 }, { address: T2 }], seen: new Map([[T1, 7], [V1, 9]]),
    waiting: { deadline: 1000, acted: [], waitingFor: [T1, T2], note: '' },
    cycles: [
      { number: 1, round: 1, updates: updates(T1, T2), seats: seats(V1), outcome: failed('SCORE', [V2, V3]) },
      { number: 2, round: 1, updates: [], seats: seats(), outcome: { kind: 'open' } },
    ],
    ...changes,
  }
}

test('a failure names who was missing, and how many more end the job', () => {
  const found = troubleOf(job(), 500)!
  expect(found).toMatchObject({ round: 1, failures: 1, left: 2, missing: [V2, V3], trainers: false, lacks: 'no measurements', burnt: 1325n, late: [] })
  expect(headline(found, name)).toBe('Round 1 has failed once, for want of V2 and V3. Two more failures in a row end the job.')
  expect(headline({ ...found, failures: 2, left: 1 }, name)).toContain('failed twice, for want of V2 and V3. One more failure ends the job.')
})

test('no failure and nobody late: nothing is said', () => {
  expect(troubleOf(job({ failures: 0, cycles: [] }), 699)).toBe(null)
  expect(troubleOf(job({ failures: 0, cycles: [], waiting: { deadline: 1000, waitingFor: [] } }), 999)).toBe(null)
  expect(troubleOf(job({ failures: 0, phase: 'ENROL', terms: { ...TERMS, enrolTime: 600 }, waiting: { deadline: 1000, waitingFor: [] } }), 999)).toBe(null)
})

test('late is who is waited for through more than half of the phase', () => {
  const found = troubleOf(job({ failures: 0, cycles: [] }), 701)!
  expect(found.late).toEqual([T1, T2])
  expect(headline(found, name)).toBe('Round 1 waits for T1 and T2.')
})

test('trainers are missing where too few updates came', () => {
  const cycles = [{ number: 1, round: 1, updates: updates(T2), seats: seats(), outcome: { ...failed('SUBMIT', []), burnt: 0n } }]
  expect(troubleOf(job({ cycles }), 0)).toMatchObject({ missing: [T1], trainers: true, lacks: 'no updates', burnt: 0n })
})

test('an attempt that nobody started has nobody missing', () => {
  const found = troubleOf(job({ failures: 2, cycles: job().cycles.slice(0, 1), lapses: [{ afterCycle: 1, failures: 2, burnt: 0n, block: 3 }] }), 0)!
  expect(found).toMatchObject({ missing: [], why: 'nobody started the next attempt in time', burnt: 1325n })
})

test('an escrow that does not last, or a sponsor who asked for the end, end a job earlier', () => {
  const said = (changes: object) => headline(troubleOf(job(changes), 0)!, name)
  expect(said({ books: { left: 195n } })).toContain('Two more failures in a row end')
  expect(said({ books: { left: 194n } })).toContain('One more failure can end the job.')
  expect(said({ books: { left: 130n } })).toContain('One more failure can end the job.')
  expect(said({ stopping: true })).toContain('One more failure ends the job.')
  const over = { phase: 'ABORTED', waiting: { deadline: 0, waitingFor: [] } }
  expect(said({ ...over, stopping: true })).toContain('has failed once, for want of V2 and V3. The sponsor ended the job.')
  expect(said({ ...over, books: { left: 129n } })).toContain('The escrow was left with less than a round.')
  expect(said({ ...over, stopping: true, failures: 3 })).toContain('in a row, for want of V2 and V3. That ended the job.')
})

test('who has to look after a validator: no trainer that is late', () => {
  const late = troubleOf(job(), 701)!
  expect(late).toMatchObject({ late: [T1, T2], validators: [V2, V3] })
  expect(troubleOf(job({ failures: 0, cycles: [] }), 701)!.validators).toEqual([])
  const measuring = { phase: 'SCORE', waiting: { deadline: 1000, waitingFor: [V1] } }
  const cycles = [{ number: 1, round: 1, updates: updates(T2), seats: seats(), outcome: failed('SUBMIT', []) }]
  expect(troubleOf(job({ ...measuring, cycles }), 701)).toMatchObject({ missing: [T1], validators: [V1] })
})

test('a job that failures ended says so; a completed one is in no trouble', () => {
  const found = troubleOf(job({ phase: 'ABORTED', failures: 3, waiting: { deadline: 0, waitingFor: [] } }), 0)!
  expect(headline(found, name)).toBe('Round 1 has failed three times in a row, for want of V2 and V3. That ended the job.')
  expect(troubleOf(job({ phase: 'COMPLETED' }), 0)).toBe(null)
})

test('who has answered, attempt by attempt', () => {
  const { attempts, rows } = answersOf(job())
  expect(attempts).toEqual(['Attempt 1', 'Now'])
  expect(rows.map(({ who, cells, seen }) => [who, ...cells.map(({ word }) => word), seen])).toEqual([
    [T1, 'update in', 'awaited', 7], [T2, 'update in', 'awaited', null],
    [V1, 'measured', 'not asked', 9], [V2, 'no measurements', 'not asked', null], [V3, 'no measurements', 'not asked', null],
  ])
})

test('of many names the first few stand', () => {
  expect(listed([])).toBe('')
  expect(listed(['a', 'b', 'c', 'd'])).toBe('a, b, c and d')
  expect(listed(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more')
})

test('a recorded job: its last failure, and when each party was seen', async () => {
  const view = await reading(recorded('shares')).job(1)
  const found = troubleOf(view, view.head.timestamp)!
  const last = view.cycles.at(-2)!
  expect(last.outcome).toMatchObject({ kind: 'failed', phase: 'VOTE' })
  const silent = last.seats.filter((seat) => seat.revealed && !seat.voted).map(({ validator }) => validator)
  expect(found.missing).toEqual(silent)
  expect(found).toMatchObject({ failures: view.failures, left: view.terms.maxFailures - view.failures, lacks: 'no votes' })
  expect(Math.max(...view.seen.values())).toBeLessThanOrEqual(view.head.number)
  expect(view.trainers.every(({ address }) => view.seen.has(address))).toBe(true)
})

test('a tab of a job in trouble begins with "!", on each of its pages, and no other tab', () => {
  const facts = { network: 'demo', job: { number: 4, title: 'Machine failures', trouble: true } }
  expect(titleOf(parse('#/job/4'), facts)).toBe('! Machine failures · Job 4 · Hansa')
  expect(titleOf(parse('#/job/4/validators'), facts)).toMatch(/^! /)
  for (const place of ['', 'job/2', 'post']) expect(titleOf(parse(`#/${place}`), facts)).not.toContain('!')
})
