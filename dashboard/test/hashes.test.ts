import { expect, test } from 'vitest'
import * as hashes from '../src/protocol/hashes'
import * as links from '../src/protocol/links'
import { OF_SEATS, PHASE_NAMES } from '../src/protocol/phases'
import { read } from './vectors'

const CYCLES = read('protocol').cycles as any[]
const NAMES = ['due', ...OF_SEATS.map(({ acted }) => acted)]

/** The board whose word it is. */
const boardOf = (word: string): any => Object.fromEntries(NAMES.map((name, place) => [name, Number((BigInt(word) >> BigInt(24 * place)) & 0xffffffn)]))

test('the vectors have every kind of end', () => {
  expect(CYCLES.map(({ end }) => end.ending)).toEqual(['finalised', 'nothing', 'silence', 'finalised'])
  expect(CYCLES.map(({ lapsed }) => lapsed !== undefined)).toEqual([false, false, true, false])
})

test.for(CYCLES)('cycle $cycle: its opening', (facts) => {
  const site = { chainId: facts.chain_id, federation: facts.federation, job: BigInt(facts.job) }
  const drawn = hashes.draw(site, facts.prev_sheets, BigInt(facts.prev_updates), facts.randomness)
  expect(drawn).toBe(facts.draw)
  const before = facts.lapsed === undefined ? facts.prev_history : links.link(facts.prev_history, links.lapsed(facts.lapsed))
  if (facts.lapsed !== undefined) expect(before).toBe(facts.lapsed_history)
  const seed = links.link(before, links.opened(drawn, facts.committee, facts.keys))
  expect(seed).toBe(facts.seed)
  const cycle = hashes.makeCycle(seed, facts.counter, facts.everybody)
  expect([String(cycle), hashes.cycleCounter(cycle), hashes.everybodyDue(cycle)]).toEqual([facts.cycle, facts.counter, facts.everybody])
  expect(String(hashes.updatesStart(seed))).toBe(facts.updates_start)
})

test.for(CYCLES)('cycle $cycle: its accumulators', (facts) => {
  let updates = hashes.updatesStart(facts.seed)
  for (const { trainer, digest, acc } of facts.submitted) {
    updates = hashes.updatesAcc(updates, trainer, digest)
    expect(String(updates)).toBe(acc)
  }
  let sheets = facts.seed
  for (const { seat, bitmap, acc } of facts.attested) expect((sheets = hashes.attestsAcc(sheets, seat, bitmap))).toBe(acc)
  for (const { seat, digest, acc } of facts.released) expect((sheets = hashes.releasesAcc(sheets, seat, digest))).toBe(acc)
  for (const { seat, sheet, salt, acc } of facts.revealed) expect((sheets = hashes.sheetsAcc(sheets, seat, sheet, salt))).toBe(acc)
})

test.for(CYCLES)('cycle $cycle: its end', (facts) => {
  const { end } = facts
  const [updates, sheets] = [BigInt(facts.submitted.at(-1).acc), facts.revealed.at(-1).acc]
  const zero = `0x${'0'.repeat(64)}` as const
  const place = { chainId: facts.chain_id, federation: facts.federation, job: BigInt(facts.job), cycle: BigInt(facts.cycle) }
  const result = hashes.resultHash(place, updates, sheets, end.model ?? zero, end.rewards ?? zero)
  expect(result).toBe(end.hash)
  for (const [seat, vote] of Object.entries(end.sealed)) expect(String(hashes.sealedVote(result, Number(seat)))).toBe(vote)
  const metrics = new Map([[0, -5n], [2, -(2n ** 63n)]])
  const votes = new Map(Object.entries(end.votes).map(([seat, word]) => [Number(seat), BigInt(word as string)]))
  for (const [seat, word] of votes) expect(links.voteWord(word & ((1n << 192n) - 1n), metrics.get(seat)!)).toBe(word)
  const words = end.ending === 'silence' ? zero : links.votesHash(votes, facts.committee.length)
  expect(words).toBe(end.words)
  const board = boardOf(end.board)
  expect(String(links.boardWord(board))).toBe(end.board)
  const failure = () => ({ cycle: place.cycle, updates, sheets, board, words, reached: PHASE_NAMES[end.reached]!, burn: BigInt(end.burn), time: end.time })
  const payload = end.ending === 'finalised' ? links.finalised(result, board, words, end.time) : links.failed(failure())
  expect(payload).toBe(end.payload)
  expect(links.link(facts.seed, payload)).toBe(end.history)
})
