import { expect, test } from 'vitest'
import type { Address } from 'viem'
import { settle, type Ledger } from '../src/protocol/ledger'
import { rootOf, treeOf } from '../src/protocol/merkle'
import { decodeSheet } from '../src/protocol/sheet'
import { read } from './vectors'

const texts = (value: object) => Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)]))

const table = (values: ReadonlyMap<string, object>) => Object.fromEntries([...values].map(([i, value]) => [i, texts(value)]))

test.for(read('pay') as any[])('job: $what', (job) => {
  let ledger: Ledger = {
    trainers: new Map(job.trainers.map((each: any) => [each.address, BigInt(each.weight)])),
    rewardPerRound: BigInt(job.reward_per_round),
    seats: Number(job.seats),
    rule: job.rule,
    records: new Map(),
    reputations: new Map(),
  }
  expect(job.rounds.length).toBeGreaterThan(0)
  for (const facts of job.rounds) {
    const submitted: Address[] = facts.submitted
    const sheets = facts.sheets.map((sheet: Address) => decodeSheet(sheet, submitted.length))
    const round = settle(ledger, submitted, sheets, new Set(facts.unpaid))
    expect(round.judgements.map(texts)).toEqual(facts.judgements)
    expect(round.included.map(String)).toEqual(facts.included)
    expect(table(round.records)).toEqual(facts.records)
    const shares = [...round.shares].map(([i, { beforeCap, ...share }]) => [i, { ...share, before_cap: beforeCap }] as const)
    expect(table(new Map(shares))).toEqual(facts.shares)
    expect(round.leaves.map((leaf) => texts({ ...leaf, strike: Number(leaf.strike) }))).toEqual(facts.leaves)
    expect(rootOf(treeOf(round.leaves))).toBe(facts.rewards)
    ledger = round.after
  }
})
