import type { AbiParameter } from 'viem'
import { expect, test } from 'vitest'
import { eventOf, federationAbi, outputOf, vaultAbi } from '../src/chain/abi'
import { PHASE_NAMES, PHASES, TIMED, type PhaseName } from '../src/protocol/phases'
import { Code } from '../src/protocol/sheet'
import { MOVEMENTS, VERDICTS } from '../src/protocol/tables'
import { cycleView } from '../src/view/cycles'
import { waitingOf } from '../src/view/waiting'

const of = (n: number) => `0x${String(n).padStart(40, '0')}` as const
const COMMITTEE = [0, 1, 2, 3, 4].map(of)
const TERMS: any = { maxTrainers: 9, minUpdates: 2, quorum: 4, seats: 5, threshold: 3 }
const BITS = { due: 0b11011, attested: 0b00011, released: 0b00101, committed: 0b01111, revealed: 0b00110, voted: 0b00010 }
const STATE: any = { round: 3, enrolled: 6, submitted: 1, cycle: 3n, deadline: 77, committee: COMMITTEE, ...BITS }
const SEATS: [PhaseName, number[]][] = [['ATTEST', [0, 1]], ['RELEASE', [0]], ['SCORE', [0, 1, 2]], ['REVEAL', [0]], ['VOTE', [0]]]
const CYCLE: any = {
  committee: COMMITTEE, updates: [{ trainer: of(11), digest: `0x${'00'.repeat(32)}` }], sheets: [], votes: new Map([[0, { sealed: 1n, metric: 2n }]]),
  acted: new Map(SEATS.map(([phase, seats]) => [phase, new Set(seats)])), outcome: null,
}
const HISTORY: any = {
  posted: { terms: TERMS }, enrolled: [11, 12, 13].map((n) => ({ trainer: of(n) })),
  cycles: [{ ...CYCLE, updates: [11, 12].map((n) => ({ trainer: of(n) })) }, CYCLE],
}

test.for<[PhaseName, number[], number[], string]>([
  ['NONE', [], [], ''],
  ['ENROL', [11, 12, 13], [], '6 of at most 9 trainers are enrolled; 2 are needed.'],
  ['OPEN', [], [], 'Anyone may start the next attempt.'],
  ['SUBMIT', [11], [12, 13], '1 of at least 2 updates are in.'],
  ['ATTEST', [0, 1], [3, 4], '2 of 5 validators have said which updates they have; 3 are needed.'],
  ['RELEASE', [0, 2], [1, 3, 4], '2 of 5 validators have released their shares; 3 are needed.'],
  ['SCORE', [0, 1, 2, 3], [4], '4 of 5 validators have measured; 4 are needed.'],
  ['REVEAL', [1, 2], [0, 3], '2 of 4 validators have published their measurements; 4 are needed.'],
  ['VOTE', [1], [2], '1 of 2 validators have voted; 4 must agree.'],
  ['FINALIZE', [], [], 'Anyone may close the round with the result that was agreed on.'],
  ['LAPSED', [], [], 'Too few acted in time. Anyone may end the attempt.'],
  ['COMPLETED', [], [], 'The job is completed, after 2 rounds.'],
  ['ABORTED', [], [], 'The job was aborted, after 2 rounds.'],
  ['CANCELLED', [], [], 'The job was cancelled before its first attempt.'],
])('%s: who has acted, who is waited for, what it needs', ([phase, acted, waitingFor, note]) => {
  expect(waitingOf(HISTORY, { ...STATE, phase })).toEqual({ deadline: 77, acted: acted.map(of), waitingFor: waitingFor.map(of), note })
})

test('a cycle in which not everybody is due waits for those who submitted before', () => {
  expect(waitingOf(HISTORY, { ...STATE, phase: 'SUBMIT', cycle: 2n }).waitingFor).toEqual([of(12)])
})

test('one round is one round', () => {
  expect(waitingOf(HISTORY, { ...STATE, phase: 'COMPLETED', round: 2 }).note).toBe('The job is completed, after 1 round.')
})

const why = (phase: PhaseName, cycle: object = {}) => {
  const { outcome } = cycleView({ ...CYCLE, ...cycle, outcome: { kind: 'failed', phase, failures: 1, burnt: 0n, block: 1 } }, TERMS, undefined)
  return outcome.kind === 'failed' && outcome.why
}

test.for<[PhaseName, string]>([
  ['SUBMIT', 'the time to train ran out, with 1 of at least 2 updates'],
  ['ATTEST', 'the time to attest ran out, with 2 of at least 3 attestations'],
  ['RELEASE', 'the time to unlock ran out, with 1 of at least 3 releases'],
  ['SCORE', 'the time to measure ran out, with 3 of at least 4 measurements'],
  ['REVEAL', 'the time to reveal ran out, with 1 of at least 4 measurements'],
  ['VOTE', 'the time to agree ran out, with 1 of at least 4 votes'],
  ['FINALIZE', 'nobody closed the round in time: 1 vote, and no result that 4 of them agree on'],
])('why a cycle failed in %s', ([phase, text]) => {
  expect(why(phase)).toBe(text)
})

test('a quorum that votes that there is no model fails the cycle in VOTE', () => {
  expect(why('VOTE', { acted: new Map([['VOTE', new Set([0, 1, 2, 3])]]) })).toBe('no update could be used: the validators voted that there is no model')
})

const fields = (name: string) => (outputOf(federationAbi, name) as AbiParameter & { components: readonly AbiParameter[] }).components.map((each) => each.name)

test("the tables name the contracts' terms, bitmaps and events", () => {
  expect([PHASE_NAMES.length, Object.keys(PHASES)]).toEqual([14, PHASE_NAMES])
  const rows = Object.values(PHASES)
  expect(fields('termsOf')).toEqual(expect.arrayContaining(rows.flatMap(({ term, minimum }) => [term, minimum].filter((name) => name !== undefined))))
  expect(fields('stateAt')).toEqual(expect.arrayContaining(rows.flatMap(({ acted, due }) => [acted, due].filter((name) => name !== undefined))))
  for (const { event } of rows) if (event) expect(eventOf(federationAbi, event).name).toBe(event)
  for (const name of Object.keys(MOVEMENTS)) expect(eventOf(vaultAbi, name).name).toBe(name)
  const times = fields('termsOf').filter((name) => name?.endsWith('Time') && !['claimTime', 'slashTime'].includes(name))
  expect(TIMED.map(({ term }) => term)).toEqual(times)
})

test('verdicts stand in the order of their codes', () => {
  expect(VERDICTS.map(({ verdict }) => verdict)).toEqual(Object.keys(Code).map((name) => name.toLowerCase()))
  expect(VERDICTS[Code.DUPLICATE]?.sentence).toContain('cosine')
})
