import { afterEach, expect, test, vi } from 'vitest'
import type { Abi, AbiEvent, Hex } from 'viem'
import { encodeFunctionData, toEventSelector } from 'viem/utils'
import { federationAbi, selectorOf, vaultAbi } from '../src/chain/abi'
import { HistoryBuilder } from '../src/chain/history/builder'
import type { JobHistory } from '../src/chain/history/records'
import { decodeSpec } from '../src/protocol/spec'
import { cidText } from '../src/view/cycles'
import type { JobGlance } from '../src/view/model'
import { Replay } from '../src/view/replay'
import { answer, reading, recorded, type Recorded } from './recorded'
import { read } from './vectors'

const expected = read('view')
const KEY_ANNOUNCED = toEventSelector((federationAbi as Abi).find((item): item is AbiEvent => item.type === 'event' && item.name === 'KeyAnnounced')!)
afterEach(() => vi.unstubAllGlobals())

test('the recorded job is what Python says of it', async () => {
  const view = await reading(recorded()).job(1)
  expect(view.phase).toBe(expected.phase)
  expect(view.specProblem).toBe(null)
  const cycles = view.cycles.map((cycle) => ({
    number: String(cycle.number), round: String(cycle.round), updates: cycle.updates.map(({ trainer, cid }) => ({ trainer, cid })),
    committee: cycle.seats.map((seat) => seat.validator), matched: cycle.seats.filter((seat) => seat.matched).map((seat) => String(seat.seat)),
    model: cycle.outcome.kind === 'finalized' && cycle.outcome.model, metric: cycle.outcome.kind === 'finalized' && String(cycle.outcome.metric),
  }))
  expect(cycles).toEqual(expected.cycles)
  const rounds = view.rounds.map((round) => ({
    root: round.root, included: round.cycle.updates.filter((update) => update.included).map((update) => String(update.place)),
    leaves: Object.fromEntries(round.cells.map(({ trainer, pay, strike, reputation }) => [
      trainer, { trainer, pay: String(pay), strike: String(Number(strike)), reputation: String(reputation) },
    ])),
  }))
  expect(rounds).toEqual(expected.rounds)
  expect(view.rounds.map((round) => round.agrees)).toEqual([true, true, true])
  expect(view.trainers.map(({ address, bond, earned, strikes, reputation }) => ({
    address, bond: String(bond), earned: String(earned), strikes: String(strikes), reputation: String(reputation),
  }))).toEqual(expected.trainers)
  expect(view.validators.map(({ address, matched, wrong, missed }) => ({
    address, matched: String(matched), wrong: String(wrong), missed: String(missed),
  }))).toEqual(expected.validators)
})

test('sums are those of the vault', async () => {
  const { trainers, validators, books } = await reading(recorded()).job(1)
  const sum = (values: bigint[]) => values.reduce((total, value) => total + value, 0n)
  expect(sum(trainers.map((each) => each.claimed)) + sum(validators.map((each) => each.fees))).toBe(books.paid)
  expect(trainers.map((each) => each.claimed)).toEqual(trainers.map((each) => each.earned))
  expect(trainers.flatMap((each) => each.claimable)).toEqual([])
})

test('the list, an account, files', async () => {
  const facts = recorded()
  const reader = reading(facts)
  const { rows: [row] } = await reader.jobs(20, () => [1], () => undefined)
  expect(row).toMatchObject({ job: 1, finalized: 3, state: { phase: 'COMPLETED', enrolled: 4 }, terms: { maxRounds: 3, seats: 3 } })
  expect(row!.metrics.map(({ round }) => round)).toEqual([1, 2, 3])
  const view = await reader.job(1)
  for (const { cid } of view.rounds[0]!.cycle.updates) expect(await reader.verify(cid)).toMatchObject({ kind: 'update' })
  expect(await reader.verify(view.rounds[0]!.model)).toMatchObject({ kind: 'model' })
  expect(await reader.verify(view.terms.spec)).toMatchObject({ kind: 'spec', bytes: facts.files.get(view.terms.spec)!.length })
})

test('ranges are halved where the node refuses them; only new blocks are read again', async () => {
  const facts = recorded()
  const spans: number[] = []
  const reader = reading(facts, (method, params) => {
    if (method === 'eth_getLogs') {
      const span = Number(params[0].toBlock) - Number(params[0].fromBlock) + 1
      if (span > 10) throw new Error('query returned more than 10 blocks')
      spans.push(span)
    }
    return answer(facts, method, params)
  })
  expect((await reader.job(1)).rounds).toHaveLength(3)
  expect(spans.length).toBeGreaterThan(7)
  const asked = spans.length
  const [number, timestamp, hash] = facts.at
  facts.at = [number + 1, timestamp, hash.replace(/.$/, hash.endsWith('0') ? '1' : '0'), hash]
  facts.blocks.set(number + 1, facts.at)
  expect((await reader.job(1)).head.number).toBe(number + 1)
  expect(spans.slice(asked)).toEqual([1])
})

test('a first sight comes before the events are read, and says what the whole view says', async () => {
  const facts = recorded()
  const asked: string[] = []
  const reader = reading(facts, (method, params) => {
    asked.push(method === 'eth_getLogs' && params[0].topics[0] === null ? 'all events' : method)
    return answer(facts, method, params)
  })
  const seen: { glance: JobGlance; before: string[] }[] = []
  const view = await reader.job(1, (glance) => seen.push({ glance, before: [...asked] }))
  expect(seen).toHaveLength(1)
  const { glance, before } = seen[0]!
  expect(before).toContain('eth_getLogs')
  expect(before).not.toContain('all events')
  const { job, sponsor, token, terms, termsHash, spec, phase, failures, books, baselines, stopping, enrolled, finalized, metrics, head } = view
  const waiting = { ...view.waiting, acted: [], waitingFor: [] }
  expect(glance).toEqual({ job, sponsor, token, terms, termsHash, spec, phase, failures, waiting, books, baselines, stopping, enrolled, finalized, metrics, head })
  expect(metrics.map(({ round }) => round)).toEqual([1, 2, 3])
})

test('a first sight has no metric where the node hides the last round, changes the best, or gives them in another order', async () => {
  type Logs = { blockNumber: string; data: string }[]
  const METRIC = 3 // its place among the words of RoundFinalized
  const lies = [
    (logs: Logs) => logs.slice(0, -1),
    (logs: Logs) => [...logs.slice(0, 1), ...logs.slice(2)],
    (logs: Logs) => logs.map((log, i) => (i < logs.length - 1 ? log : { ...log, data: log.data.slice(0, 2 + 64 * METRIC) + '0'.repeat(63) + '1' + log.data.slice(2 + 64 * (METRIC + 1)) })),
    (logs: Logs) => logs.reverse().map((log, i) => ({ ...log, blockNumber: `0x${i + 2}` })),
  ]
  for (const lie of lies) {
    const facts = recorded()
    const reader = reading(facts, (method, params) => {
      const found = answer(facts, method, params)
      return method === 'eth_getLogs' && params[0].topics[0] !== null ? lie(found as Logs) : found
    })
    const sights: JobGlance[] = []
    await reader.job(1, (glance) => sights.push(glance))
    expect(sights.map(({ metrics, finalized }) => ({ metrics, finalized }))).toEqual([{ metrics: [], finalized: 3 }])
  }
})

test('a first sight of an old job does not wait for all ranges of a node that gives few blocks at once', async () => {
  const facts = recorded()
  const before: string[] = []
  const reader = reading(facts, (method, params) => {
    if (method !== 'eth_getLogs') return answer(facts, method, params)
    if (Number(params[0].toBlock) - Number(params[0].fromBlock) > 1) throw new Error('query returned more than 2 blocks')
    before.push(params[0].fromBlock)
    return answer(facts, method, params)
  })
  const sights: { rounds: number; asked: number }[] = []
  const view = await reader.job(1, ({ metrics }) => sights.push({ rounds: metrics.length, asked: before.length }))
  expect(sights).toEqual([{ rounds: 0, asked: 4 }])
  expect(view.rounds).toHaveLength(3)
})

test('a new block without news changes no round', async () => {
  const facts = recorded()
  const asked: string[] = []
  const reader = reading(facts, (method, params) => {
    asked.push(method)
    return answer(facts, method, params)
  })
  const before = await reader.job(1)
  const [number, timestamp, hash] = facts.at
  facts.at = [number + 1, timestamp, hash.replace(/.$/, hash.endsWith('0') ? '1' : '0'), hash]
  facts.blocks.set(number + 1, facts.at)
  asked.length = 0
  const after = await reader.job(1)
  expect(after.head.number).toBe(number + 1)
  for (const [i, round] of after.rounds.entries()) expect(round).toBe(before.rounds[i])
  expect(after.trainers).toEqual(before.trainers)
  expect(asked.filter((method) => method === 'eth_call')).toHaveLength(3) // the count of jobs, this one's state and books
})

test('an account has its movements, which add up; a node that hides one is found', async () => {
  const facts = recorded()
  const { trainers } = await reading(facts).job(1)
  const { address, earned, bond } = trainers[0]!
  const all = await reading(facts).account(address)
  expect(all.movements.map(({ kind, moved }) => [kind, moved])).toEqual(
    expect.arrayContaining([['Bonded', -bond], ['BondReturned', bond]]),
  )
  expect(all.movements.reduce((sum, { moved }) => sum + moved, 0n)).toBe(earned)
  expect(all.movements.every(({ time, tx, job }) => time !== null && tx.length === 66 && job === 1)).toBe(true)
  expect(all.unlike).toEqual([])
  const hidden = reading(facts, (method, params) => {
    const found = answer(facts, method, params)
    return method === 'eth_getLogs' && params[0].topics[2] ? (found as unknown[]).slice(0, -1) : found
  })
  expect((await hidden.account(address)).unlike).toEqual([1])
})

test('without its spec a job has no ledger, and says why', async () => {
  const facts = recorded()
  facts.files.clear()
  const view = await reading(facts).job(1)
  expect(view.specProblem).toMatch(/^Qm\w+ is not in the store/)
  expect([view.spec, view.rounds]).toEqual([null, []])
  expect(view.cycles).toHaveLength(3)
})

const PAID = 8 // place of `paid` among the words of Books

/** The recorded job as it was before anybody claimed. */
function unclaimed() {
  const facts = recorded()
  const claimed = '0x' + '0'.repeat(63) + '1'
  const vault = facts.vault.toLowerCase()
  const selector = (functionName: string, args: unknown[]) => `${vault} ${encodeFunctionData({ abi: vaultAbi, functionName, args }).slice(0, 10)}`
  const marks = selector('isClaimed', [1n, facts.vault, 1])
  for (const [key, data] of facts.answers) if (key.startsWith(marks) && data === claimed) facts.answers.set(key, '0x' + '0'.repeat(64))
  const books = [...facts.answers.keys()].find((key) => key.startsWith(selector('booksOf', [1n])))!
  const bond = facts.events.find((event) => event[3][0] === selectorOf(federationAbi, 'TrainerEnrolled'))![4]
  for (const key of facts.answers.keys()) if (key.startsWith(selector('bondOf', [1n, facts.vault]))) facts.answers.set(key, bond)
  const data = facts.answers.get(books)!
  facts.answers.set(books, data.slice(0, 2 + 64 * PAID) + '0'.repeat(64) + data.slice(2 + 64 * (PAID + 1)))
  facts.events = facts.events.filter((event) => event[2] !== vault)
  return facts
}

function historyOf(facts: Recorded): JobHistory {
  const builder = new HistoryBuilder({ chainId: facts.chainId, federation: facts.federation, vault: facts.vault, job: 1 })
  for (const [number, index, address, topics, data] of facts.events) {
    if (topics[0] === KEY_ANNOUNCED) continue
    builder.apply({ block: number, index, address: address as Hex, topics: topics as Hex[], data: data as Hex, tx: KEY_ANNOUNCED })
  }
  return builder.history
}

test('one call claims every round, as the command line would', async () => {
  const facts = unclaimed()
  const reader = reading(facts)
  const { trainers } = await reader.job(1)
  for (const [i, trainer] of trainers.entries()) {
    expect(trainer.claimed).toBe(0n)
    const call = await reader.claimCalls(1, trainer.address)
    expect(call).toEqual({ to: facts.vault, data: expected.claims[i], total: trainer.earned, rounds: [1, 2, 3] })
  }
})

test('a round whose voted root is another one differs, and the others still agree', async () => {
  const facts = recorded()
  const history = historyOf(facts)
  const [cycle] = history.cycles
  if (cycle?.outcome?.kind !== 'finalized') throw new Error('round 1 is finalised')
  const voted = { ...cycle, outcome: { ...cycle.outcome, rewards: `0x${'ab'.repeat(32)}` as const } }
  const spec = decodeSpec(facts.files.get(cidText(history.posted.terms.spec))!)
  const rounds = await new Replay().follow({ ...history, cycles: [voted, ...history.cycles.slice(1)] }, spec)
  expect(rounds.map((round) => round.agrees)).toEqual([false, true, true])
})
