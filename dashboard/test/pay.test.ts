import { expect, test } from 'vitest'
import type { Address } from 'viem'
import { Ledger } from '../src/protocol/ledger'
import { RewardsTree } from '../src/protocol/merkle'
import { decodeSheet, type Entry } from '../src/protocol/sheet'
import { likeness } from '../src/protocol/tally'
import { read } from './vectors'

const texts = (value: object) => Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)]))

const table = (values: ReadonlyMap<string, object>) => Object.fromEntries([...values].map(([i, value]) => [i, texts(value)]))

test.for(read('pay') as any[])('job: $what', (job) => {
  const trainers = new Map<Address, bigint>(job.trainers.map((each: any) => [each.address, BigInt(each.weight)]))
  let ledger = new Ledger(trainers, BigInt(job.reward_per_round), Number(job.seats), job.rule)
  expect(job.rounds.length).toBeGreaterThan(0)
  for (const facts of job.rounds) {
    const submitted: Address[] = facts.submitted
    const sheets: Entry[][] = facts.sheets.map((sheet: Address) => decodeSheet(sheet, submitted.length))
    const round = ledger.round(submitted, sheets, new Set(facts.unpaid))
    expect(round.judgements.map(texts)).toEqual(facts.judgements)
    const repeats = submitted.map((_, i) => likeness(sheets.map((sheet) => sheet[i] ?? null)))
    expect(repeats.map((each) => each && texts(each))).toEqual(facts.repeats)
    expect(round.included.map(String)).toEqual(facts.included)
    expect(table(round.records)).toEqual(facts.records)
    const shares = [...round.shares].map(([i, { allGain, allNews, ...share }]) => [i, { ...share, all_gain: allGain, all_news: allNews }] as const)
    expect(table(new Map(shares))).toEqual(facts.shares)
    expect(round.leaves.map((leaf) => texts({ ...leaf, strike: Number(leaf.strike) }))).toEqual(facts.leaves)
    expect(new RewardsTree(round.leaves).root).toBe(facts.rewards)
    ledger = round.after
  }
})
