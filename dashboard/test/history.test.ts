// What a node could do to the events of jobs with every kind of end, one event at a time.

import type { Hex } from 'viem'
import { decodeFunctionResult, encodeAbiParameters, encodeFunctionData } from 'viem/utils'
import { expect, test } from 'vitest'
import { decodeEvent, eventOf, federationAbi, type Values } from '../src/chain/abi'
import { Federation } from '../src/chain/federation'
import { HistoryBuilder } from '../src/chain/history/builder'
import { HistoryError } from '../src/chain/history/cycle'
import { HistoryReader, type Facts } from '../src/chain/history/reader'
import type { JobHistory } from '../src/chain/history/records'
import type { Log, Logs } from '../src/chain/logs'
import { cycleCounter } from '../src/protocol/hashes'
import { OF_SEATS } from '../src/protocol/phases'
import { recorded, type Recorded } from './recorded'

const NAMES = ['demo', 'shares', 'nothing'] as const

interface Job {
  facts: Recorded
  logs: Log[] // of the job
  federation: Federation
}

function jobOf(name: string): Job {
  const facts = recorded(name)
  const { chainId, federation, vault } = facts
  const call = async (to: Hex, abi: any, functionName: string, args: any) => {
    const data = facts.answers.get(`${to.toLowerCase()} ${encodeFunctionData({ abi, functionName, args })}`)
    return decodeFunctionResult({ abi, functionName, data: data as Hex })
  }
  const chain: any = { deployment: { chainId, federation, vault, firstBlock: 1 }, call }
  const logs = facts.events.map(([block, index, address, topics, data]) => ({ block, index, address, topics, data, tx: `0x${'0'.repeat(64)}` }) as Log)
  return { facts, logs: logs.filter((log) => nameOf(log) !== 'KeyAnnounced'), federation: new Federation(chain) }
}

async function read({ facts, federation }: Job, logs: readonly Log[]): Promise<Facts> {
  const [number, timestamp, hash, parent] = facts.at
  const reader = new HistoryReader(federation, { ofJob: async () => logs } as unknown as Logs, 1)
  return reader.read(await reader.standing({ number, timestamp, hash: hash as Hex, parent: parent as Hex }))
}

/** What is wrong with these events; null: they are believed. The fold is asked first: the reader asks it twice. */
async function problem(job: Job, logs: readonly Log[], { state, books }: Facts): Promise<string | null> {
  const { chainId, federation, vault } = job.facts
  try {
    const builder = new HistoryBuilder({ chainId, federation, vault, job: 1 })
    for (const log of logs) builder.apply(log)
    builder.agrees(state, books)
  } catch (error) {
    if (error instanceof HistoryError) return error.message
    throw error
  }
  const { message } = await read(job, logs).then(() => ({ message: null }), (error: Error) => error)
  if (message !== null) expect(message).toContain("the events of job 1 don't agree with the contract: ")
  return message
}

const spliced = <T>(list: readonly T[], place: number, count: number, ...items: T[]): T[] => [...list.slice(0, place), ...items, ...list.slice(place + count)]

const nameOf = (log: Log): string => decodeEvent(log.topics, log.data)!.name
const valuesOf = (log: Log): Values => decodeEvent(log.topics, log.data)!.values
const ofFederation = ({ facts, logs }: Job) => logs.flatMap((log, place) => (log.address === facts.federation.toLowerCase() ? [{ log, place, name: nameOf(log) }] : []))

/** The same event with other values. */
function withValues(log: Log, values: Values): Log {
  const event = eventOf(federationAbi, nameOf(log))
  const encoded = (indexed: boolean) => {
    const inputs = event.inputs.filter((input) => Boolean(input.indexed) === indexed)
    return encodeAbiParameters(inputs, inputs.map((input) => values[input.name!]))
  }
  const topics = encoded(true).slice(2).match(/.{64}/g)!.map((topic): Hex => `0x${topic}`)
  return { ...log, topics: [log.topics[0]!, ...topics], data: encoded(false) }
}

/** Every value that differs from this one in one place. */
function others(value: any): any[] {
  if (typeof value === 'boolean') return [!value]
  if (typeof value === 'number') return [value ^ 1]
  if (typeof value === 'bigint') return [value ^ 1n]
  if (typeof value === 'string') return [value === '0x' ? '0x01' : value.toLowerCase().replace(/.$/, (digit) => (digit === '5' ? '6' : '5'))]
  const made = (changed: [string, any][]) => (Array.isArray(value) ? changed.map(([, each]) => each) : Object.fromEntries(changed))
  const fields = Object.entries(value)
  return fields.flatMap(([name, each]) => others(each).map((other) => made(fields.map(([field, kept]) => [field, field === name ? other : kept]))))
}

const ENDS: Record<string, string[]> = {
  demo: ['round 1', 'round 2', 'round 3'],
  shares: ['lapse', 'round 1', 'VOTE 0', 'SUBMIT 0', 'REVEAL 475', 'lapse', 'round 2', 'VOTE 475', 'open'],
  nothing: ['round 1', 'VOTE 465', 'VOTE 465'],
}

function endsOf({ cycles, lapses }: JobHistory): string[] {
  const lapsed = (after: number) => lapses.filter(({ afterCycle }) => afterCycle === after).map(() => 'lapse')
  const ends = cycles.map(({ outcome }) => (outcome === null ? 'open' : outcome.kind === 'finalized' ? `round ${outcome.round}` : `${outcome.phase} ${outcome.burnt}`))
  return [...lapsed(0), ...ends.flatMap((end, i) => [end, ...lapsed(i + 1)])]
}

test.for(NAMES)('%s: its events lead to what the contract holds', async (name) => {
  const job = jobOf(name)
  const { history, state } = await read(job, job.logs)
  expect(endsOf(history)).toEqual(ENDS[name])
  const times = history.cycles.flatMap(({ outcome }) => outcome?.time ?? [])
  expect(times).toEqual([...times].sort((a, b) => a - b))
  const ends = history.cycles.at(-1)?.outcome ? state.endedAt : state.openedAt + 1
  expect(times.at(-1)).toBeLessThanOrEqual(ends)
})

test('committee and keys are those of the opening: a key that comes later is of later cycles', async () => {
  const job = jobOf('shares')
  const { cycles } = (await read(job, job.logs)).history
  const keys = cycles.map((cycle) => cycle.keys.map(BigInt).map(Boolean))
  expect(keys.slice(0, 2)).toEqual([[false, true, true, true, true], [true, true, true, true, true]])
  expect(cycles.map(({ committee }) => committee[4]! !== cycles[0]!.committee[4])).toEqual([false, true, true, true, true, true, true])
  expect(new Set(cycles.map(({ randomness }) => randomness)).size).toBe(7)
})

test.for(NAMES)('%s: each event that is left out is missed', async (name) => {
  const job = jobOf(name)
  const facts = await read(job, job.logs)
  const believed: string[] = []
  for (const { place, name: event } of ofFederation(job)) {
    if ((await problem(job, spliced(job.logs, place, 1), facts)) === null) believed.push(event)
  }
  expect(believed).toEqual(name === 'shares' ? ['Rejoined'] : [])
})

test.for(NAMES)('%s: each event that comes twice is found', async (name) => {
  const job = jobOf(name)
  const facts = await read(job, job.logs)
  const believed: string[] = []
  for (const { log, place, name: event } of ofFederation(job)) {
    if ((await problem(job, spliced(job.logs, place, 0, log), facts)) === null) believed.push(event)
  }
  expect(believed).toEqual(name === 'shares' ? ['Rejoined'] : [])
})

const ORDERED = ['UpdateSubmitted', ...OF_SEATS.filter(({ name }) => !['SCORE', 'VOTE'].includes(name)).map(({ event }) => event)]

test.for(NAMES)('%s: two events of one kind in the wrong order are found, where order means something', async (name) => {
  const job = jobOf(name)
  const facts = await read(job, job.logs)
  let tried = 0
  for (const { log, place, name: event } of ofFederation(job)) {
    const next = job.logs[place + 1]
    if (!next || !ORDERED.includes(event) || nameOf(next) !== event || valuesOf(next).cycle !== valuesOf(log).cycle) continue
    expect(await problem(job, spliced(job.logs, place, 2, next, log), facts), `${event} at ${place}`).not.toBe(null)
    tried += 1
  }
  expect(tried).toBeGreaterThan(10)
})

/** What no hash in the contract binds, by its cycle: commitments that were not revealed, and votes where `failRound` ended it. */
const UNBOUND: Record<string, string[]> = {
  demo: [],
  shares: [
    ...[2, 3, 4].map((seat) => `4 ScoresCommitted ${seat} commitment`), ...[0, 2].map((seat) => `7 ScoresCommitted ${seat} commitment`),
    ...[0, 1].flatMap((seat) => ['sealedVote', 'metric'].map((field) => `6 ResultVoted ${seat} ${field}`)),
  ],
  nothing: [],
}

const KINDS = NAMES.flatMap((name) => [...new Set(ofFederation(jobOf(name)).map((each) => each.name))].map((event) => [name, event] as const))

test.for(KINDS.filter(([, event]) => event !== 'Rejoined'))('%s: each value of a %s that is changed is found, but for what nothing binds', async ([name, event]) => {
  const job = jobOf(name)
  const facts = await read(job, job.logs)
  const believed: string[] = []
  for (const { log, place } of ofFederation(job).filter((each) => each.name === event)) {
    const values = valuesOf(log)
    for (const field of Object.keys(values).filter((each) => each !== 'job')) {
      for (const other of others(values[field])) {
        const changed = withValues(log, { ...values, [field]: other })
        if ((await problem(job, spliced(job.logs, place, 1, changed), facts)) === null) believed.push(`${cycleCounter(values.cycle)} ${event} ${values.seat} ${field}`)
      }
    }
  }
  expect(believed.sort()).toEqual(UNBOUND[name]!.filter((each) => each.includes(event)).sort())
})
