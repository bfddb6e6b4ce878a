// The jobs that test/record.test.ts plays, beside the demo's.

import { zeroHash, type Address, type Hex } from 'viem'
import { concat, keccak256, numberToHex, toHex } from 'viem/utils'
import { RewardsTree, type Leaf } from '../src/protocol/merkle'
import { acts } from './recorded'
import type { Step, Terms } from './play'

const word = (text: string): Hex => keccak256(toHex(text))

/** What a seat says of n updates: all ok, with gains and news of its own. */
const sheet = (seat: number, n: number): Hex =>
  concat(Array.from({ length: n }, (_, i) => numberToHex((BigInt(1000 * seat + i) << 48n) | BigInt(seat + 1), { size: 13 })))

const FULL = 900n + 5n * 10n

const TERMS: Terms = {
  recheckAdmission: false, keepCommittee: false, spec: word('spec'), model: word('model 0'),
  rewardPerRound: 900n, feePerSeat: 10n, minBond: 100n, strikePenalty: 40n, targetMetric: 2n ** 63n - 1n,
  enrolTime: 1000, openTime: 600, submitTime: 700, attestTime: 300, releaseTime: 300, scoreTime: 800, revealTime: 500, voteTime: 400, finalizeTime: 300,
  claimTime: 50_000, slashTime: 5_000, maxTrainers: 4, minUpdates: 2, maxRounds: 10, patience: 0, failureBurn: 5000, maxFailures: 6,
  seats: 5, quorum: 3, threshold: 3,
}

interface People {
  sponsor: Address
  trainers: Address[]
  members: Address[] // ascending
}

export const peopleOf = (accounts: readonly Address[]): People => ({
  sponsor: accounts[0]!, trainers: accounts.slice(1, 5), members: accounts.slice(5, 11).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
})

const submits = (cycle: number, trainers: readonly Address[]): Step[] => trainers.map((trainer) => ['submit', trainer, word(`update ${cycle} ${trainer}`)])
const attests = (seats: readonly number[]): Step[] => seats.map((seat) => ['attest', seat, numberToHex(15 - seat, { size: 1 })])
const releases = (cycle: number, seats: readonly number[]): Step[] => seats.map((seat) => ['release', seat, word(`shares ${cycle} ${seat}`)])
const commits = (n: number, seats: readonly number[]): Step[] => seats.map((seat) => ['commit', seat, sheet(seat, n), word(`salt ${seat}`)])
const reveals = (n: number, seats: readonly number[]): Step[] => seats.map((seat) => ['reveal', seat, sheet(seat, n), word(`salt ${seat}`)])
const votes = (model: Hex, rewards: Hex, seats: readonly number[]): Step[] => seats.map((seat) => ['vote', seat, model, rewards, BigInt(7 * seat - 15)])

/** A job with shares of keys, a changing committee, and every way in which a cycle can end; it goes on. */
export function shares({ sponsor, trainers, members }: People): Step[] {
  const leaves: Leaf[] = trainers.map((trainer, i) => ({ trainer, pay: BigInt(100 * i), strike: i === 3, reputation: 7 }))
  const rewards = new RewardsTree(leaves).root
  const all = [0, 1, 2, 3, 4]
  return [
    ['members', members.slice(0, 5)], ...members.slice(1).map((member): Step => ['key', member, word(`key ${member}`)]),
    ['post', sponsor, TERMS, 10n * FULL], ...trainers.map((trainer, i): Step => ['enrol', trainer, 100n + BigInt(i)]),
    ['lapse'],
    // a round: seat 0 does not vote, seat 4 votes something else
    ['open'], ...submits(1, trainers), ...attests([3, 1, 0, 2, 4]), ...releases(1, all), ...commits(4, all), ...reveals(4, [4, 0, 2, 1, 3]),
    ...votes(word('model 1'), rewards, [1, 2, 3]), ...votes(word('other'), rewards, [4]), ['ends'], ['finalize', word('model 1'), rewards],
    // a new member in seat 4, seat 0 is not due, and nothing can be aggregated
    ['key', members[0]!, word('late key')], ['members', [...members.slice(0, 4), members[5]!]],
    ['open'], ...submits(2, trainers), ...attests([0, 4, 1, 2, 3]), ...releases(2, [1, 2, 3, 4]), ...commits(4, [1, 2, 3, 4]), ...reveals(4, [1, 2, 3, 4]),
    ...votes(zeroHash, zeroHash, [1, 2, 3]), ...votes(word('other'), rewards, [4]), ['finalize', zeroHash, zeroHash],
    // too few updates
    ['open'], ...submits(3, trainers.slice(0, 1)), ['lapse'],
    // too few sheets
    ['open'], ...submits(4, trainers), ...attests(all), ...releases(4, all), ...commits(4, all), ...reveals(4, [0, 1]), ['lapse'],
    ['lapse'],
    // a round without the last trainer, whose strike of the first is claimed
    ['open'], ...submits(5, trainers.slice(0, 3)), ['ends'], ...attests(all), ...releases(5, all), ...commits(3, all), ...reveals(3, all),
    ...votes(word('model 2'), rewards, all), ['finalize', word('model 2'), rewards], ['claim', trainers[3]!, 1, leaves], ['claim', trainers[1]!, 2, leaves],
    // too few votes; the last trainer wants to be waited for
    ['open'], ...submits(6, trainers.slice(0, 3)), ['rejoin', trainers[3]!], ...attests(all), ...releases(6, all), ...commits(3, all), ...reveals(3, all),
    ...votes(word('model 3'), rewards, [0, 1]), ['lapse'],
    // the present cycle
    ['open'], ...submits(7, trainers), ...attests([0, 2, 4]), ['ends'], ...releases(7, all), ...commits(4, [0, 2]),
  ]
}

/** A job that ends with two cycles in which its committee finds nothing to aggregate. */
export function nothing({ sponsor, trainers, members }: People): Step[] {
  const seats = [0, 1, 2]
  const terms: Terms = { ...TERMS, keepCommittee: true, attestTime: 0, releaseTime: 0, maxFailures: 2, seats: 3, quorum: 2, threshold: 0 }
  const cycle = (number: number, model: Hex, rewards: Hex): Step[] => [
    ['open'], ...submits(number, trainers), ...commits(4, seats), ...reveals(4, seats), ...votes(model, rewards, seats), ['finalize', model, rewards],
  ]
  return [
    ['members', members.slice(0, 3)], ['post', sponsor, terms, 10n * 930n], ...trainers.map((trainer): Step => ['enrol', trainer, 100n]),
    ...cycle(1, word('model 1'), word('rewards 1')), ...cycle(2, zeroHash, zeroHash), ...cycle(3, zeroHash, zeroHash),
  ]
}

/** By the name of the recording. */
export const PLAYS: Readonly<Record<string, (people: People) => Step[]>> = { demo: () => acts.steps, shares, nothing }
