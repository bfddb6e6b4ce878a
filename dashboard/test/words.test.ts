// What is said of a round's updates and of a job that is over.

import { expect, test } from 'vitest'
import { restOf, termsInWords, titleOf, usedOf } from '../src/pages/explained'

const updates = (...included: boolean[]): any => ({ updates: included.map((used) => ({ included: used, verdict: 'ok' })) })
const token: any = { symbol: 'HANSA', decimals: 1 }
const rest = (left: bigint, refunded: bigint) => restOf({ books: { left, refunded } as any, token })

test('updates that were left out are not counted as used', () => {
  expect(usedOf(updates(true, false, true, true))).toBe('3 of 4 updates used')
  expect(usedOf(updates(true, true))).toBe('2 updates')
  expect(usedOf(updates(false))).toBe('0 of 1 update used')
})

test('where nobody can say who was used, nobody is said to be left out', () => {
  expect(usedOf({ updates: [{ included: false, verdict: null }] as any })).toBe('1 update')
})

test('the rest went back only when it did', () => {
  expect(rest(30_475n, 0n)).toEqual(['3,047.5 HANSA wait for the sponsor to take back.'])
  expect(rest(0n, 30_475n)).toEqual(['3,047.5 HANSA went back to the sponsor.'])
  expect(rest(0n, 0n)).toEqual([])
})

test('a job is called by its title, its task or its number, never by nothing', () => {
  const called = (title: string, task = 'heart') => titleOf({ job: 3, spec: { title, task } as any })
  expect([called('Heart disease'), called(''), called('  '), called(' ', ' '), titleOf({ job: 3, spec: null }), titleOf({ job: 3 })]).toEqual(['Heart disease', 'heart', 'heart', 'Job 3', 'Job 3', 'Job 3'])
  expect(called('a\u202eb')).toBe('a\\u{202e}b')
  expect(called('x'.repeat(10_000)).length).toBeLessThan(120)
})

test('who can see an update is said by the job’s own privacy, and not guessed where its spec is unknown', () => {
  const terms: any = { quorum: 3, seats: 4, maxRounds: 2, minUpdates: 3, maxFailures: 3, strikePenalty: 1n, rewardPerRound: 1n, feePerSeat: 1n, minBond: 1n, failureBurn: 0, attestTime: 0, claimTime: 60, slashTime: 60 }
  const said = (spec: any) => termsInWords({ terms, token, phase: 'SUBMIT', enrolled: 4, spec })[2]
  expect(said({ privacy: 'masked', group: 3, shares: 2 })).toContain('Nobody can read one update, only the sum of 3 or more, unless 2 of an attempt\'s 4 validators')
  expect(said({ privacy: 'committee', group: 0, shares: 0 })).toContain('Each validator of an attempt can read every update')
  expect(said(null)).toBe('3 of 4 validators must agree on every result.')
})
