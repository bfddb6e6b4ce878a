import { expect, test } from 'vitest'
import * as hashes from '../src/protocol/hashes'
import { read } from './vectors'

test.for(read('protocol').cycles as any[])('cycle $cycle', (facts) => {
  const seed = hashes.cycleSeed(facts.prev_sheets, BigInt(facts.prev_updates), facts.parent_hash)
  expect(seed).toBe(facts.seed)
  const cycle = hashes.makeCycle(facts.prev_result, seed, facts.counter, facts.everybody)
  expect(String(cycle)).toBe(facts.cycle)
  expect(hashes.cycleCounter(cycle)).toBe(facts.counter)
  let updates = hashes.updatesStart(seed)
  expect(String(updates)).toBe(facts.updates_start)
  for (const { trainer, digest, acc } of facts.submitted) {
    updates = hashes.updatesAcc(updates, trainer, digest)
    expect(String(updates)).toBe(acc)
  }
  let sheets = seed
  for (const { seat, sheet, salt, acc } of facts.revealed) {
    sheets = hashes.sheetsAcc(sheets, seat, sheet, salt)
    expect(sheets).toBe(acc)
  }
  if (!facts.result) return // a failed cycle has none
  const { chain_id: chainId, federation, job, model, rewards, hash } = facts.result
  expect(hashes.resultHash({ chainId, federation, job: BigInt(job), cycle }, updates, sheets, model, rewards)).toBe(hash)
})
