// One cycle in the making, as hansa/runtime/history/cycle.py: its events as they come, its accumulators beside them.

import { zeroHash, type Address, type Hex } from 'viem'
import { ascending } from '../../protocol/exact'
import { attestsAcc, cycleCounter, releasesAcc, resultHash, sealedVote, sheetsAcc, updatesAcc, updatesStart, type Place } from '../../protocol/hashes'
import * as links from '../../protocol/links'
import { OF_SEATS } from '../../protocol/phases'
import { commitment, ENTRY_BYTES } from '../../protocol/sheet'
import type { Values } from '../abi'
import type { JobState } from '../structs'
import type { CycleRecord, Failed, Finalized, Revealed, Submitted, Vote } from './records'

/** Events that don't fit together; the text says what is missing or invented. */
export class HistoryError extends Error {}

/** What a cycle begins with. */
export interface Opening {
  round: number
  randomness: Hex
  seed: Hex
  committee: readonly Address[] // by seat
  keys: readonly Hex[]
  due: number // bitmap of seats
}

/** Every method may throw HistoryError. */
export class CycleBuilder {
  outcome: Finalized | Failed | null = null
  readonly number: number
  updatesAcc: bigint
  sheetsAcc: Hex
  private readonly updates = new Map<Address, Submitted>()
  private readonly acted = new Map(OF_SEATS.map(({ event }) => [event, new Map<number, Values>()])) // by event, then seat
  private readonly sheets: Revealed[] = []
  private readonly votes = new Map<number, Vote>()
  private recorded: CycleRecord | null = null

  constructor(private readonly place: Place, private readonly opening: Opening) {
    this.number = cycleCounter(place.cycle)
    this.updatesAcc = updatesStart(opening.seed)
    this.sheetsAcc = opening.seed
  }

  get cycle(): bigint {
    return this.place.cycle
  }

  get round(): number {
    return this.opening.round
  }

  get committee(): readonly Address[] {
    return this.opening.committee
  }

  get name(): string {
    return `cycle ${this.number}`
  }

  get board(): links.Board {
    const acted = OF_SEATS.map(({ event, acted: name }) => [name, bitmap(this.seats(event).keys())])
    return { due: this.opening.due, ...Object.fromEntries(acted) }
  }

  submit(update: Submitted): void {
    if (this.updates.has(update.trainer)) throw new HistoryError(`${this.name} has two updates of ${update.trainer}`)
    this.updates.set(update.trainer, update)
    this.updatesAcc = updatesAcc(this.updatesAcc, update.trainer, update.digest)
  }

  /** A seat's step, by its event's name and values. */
  act(event: string, values: Values): void {
    const seat: number = values.seat
    const seats = this.seats(event)
    if (seats.has(seat) || seat >= this.committee.length) throw new HistoryError(`${this.name} has an invented ${event} of seat ${seat}`)
    if (event === 'UpdatesAttested') this.sheetsAcc = attestsAcc(this.sheetsAcc, seat, values.bitmap)
    if (event === 'SharesReleased') this.sheetsAcc = releasesAcc(this.sheetsAcc, seat, values.digest)
    if (event === 'ScoresRevealed') this.reveal({ seat, sheet: values.sheet, salt: values.salt })
    if (event === 'ResultVoted') this.votes.set(seat, { sealed: values.sealedVote, metric: values.metric })
    seats.set(seat, values)
  }

  private reveal(revealed: Revealed): void {
    const { seat, sheet, salt } = revealed
    const member = this.committee[seat]
    const known = this.seats('ScoresCommitted').get(seat)?.commitment
    if (!member || known === undefined) throw new HistoryError(`${this.name}: the commitment of seat ${seat} is missing`)
    if (known !== commitment(this.place, member, sheet, salt)) {
      throw new HistoryError(`${this.name}: the sheet of seat ${seat} is not the one that it committed to`)
    }
    if (sheet.length !== 2 + 2 * ENTRY_BYTES * this.updates.size) {
      throw new HistoryError(`${this.name}: ${this.updates.size} updates don't fit the sheet of seat ${seat}`)
    }
    this.sheets.push(revealed)
    this.sheetsAcc = sheetsAcc(this.sheetsAcc, seat, sheet, salt)
  }

  /** Gives the payload of its link. */
  finalize(outcome: Finalized): Hex {
    const found = resultHash(this.place, this.updatesAcc, this.sheetsAcc, outcome.model, outcome.rewards)
    if (found !== outcome.resultHash) throw new HistoryError(`${this.name}: its updates, sheets and result don't have the hash that was voted`)
    const matched = [...this.votes].filter(([seat, vote]) => vote.sealed === sealedVote(found, seat))
    if (bitmap(matched.map(([seat]) => seat)) !== outcome.matched) throw new HistoryError(`${this.name}: votes are missing or invented`)
    const metrics = ascending(matched.map(([, vote]) => vote.metric))
    if (metrics[(metrics.length - 1) >> 1] !== outcome.metric) throw new HistoryError(`${this.name}: its metric is not the median of the votes'`)
    this.outcome = outcome
    return links.finalised(found, this.board, this.words(), outcome.time)
  }

  /** Gives the payload of its link. quorum: so many votes end VOTE; where it failed in spite of them, they agreed that
   * nothing could be aggregated. */
  fail(outcome: Failed, quorum: number): Hex {
    this.outcome = outcome
    const agreed = outcome.phase === 'VOTE' && this.votes.size >= quorum
    return links.failed({
      cycle: this.cycle, updates: this.updatesAcc, sheets: this.sheetsAcc, board: this.board, words: agreed ? this.words() : zeroHash,
      reached: outcome.phase, burn: outcome.burnt, time: outcome.time,
    })
  }

  private words(): Hex {
    const votes = [...this.votes].map(([seat, { sealed, metric }]) => [seat, links.voteWord(sealed, metric)] as const)
    return links.votesHash(new Map(votes), this.committee.length)
  }

  /** Throws unless this is the cycle that the contract holds. */
  agrees(state: JobState): void {
    if (state.cycle !== this.cycle || state.committee.join() !== this.committee.join()) {
      throw new HistoryError(`${this.name} is not the one that the contract has`)
    }
    if (this.updates.size !== state.submitted) {
      throw new HistoryError(`${this.name} has events of ${this.updates.size} of its ${state.submitted} updates`)
    }
    const { board } = this
    for (const { event, acted } of OF_SEATS) {
      const wrong = board[acted] ^ state[acted]
      if (wrong) throw new HistoryError(`${this.name}: ${event} of seat ${31 - Math.clz32(wrong)} is missing or invented`)
    }
    if (this.updatesAcc !== state.updates) throw new HistoryError(`${this.name}: an update's event is changed, or they are in another order`)
    if (this.sheetsAcc !== state.sheets) throw new HistoryError(`${this.name}: what its members showed is changed, or in another order`)
    if (board.due !== state.due) throw new HistoryError(`${this.name} waits for other members than the contract has`)
  }

  /** The same object once it has an outcome: nothing follows that. */
  record(): CycleRecord {
    if (this.recorded) return this.recorded
    const { round, randomness, committee, keys } = this.opening
    const record: CycleRecord = {
      number: this.number, round, randomness, committee, keys, updates: [...this.updates.values()],
      acted: new Map(OF_SEATS.map(({ name, event }) => [name, new Set(this.seats(event).keys())])),
      sheets: [...this.sheets], votes: new Map(this.votes), outcome: this.outcome,
    }
    if (this.outcome) this.recorded = record
    return record
  }

  private seats(event: string): Map<number, Values> {
    const seats = this.acted.get(event)
    if (!seats) throw new HistoryError(`${this.name} has an unknown ${event}`)
    return seats
  }
}

const bitmap = (seats: Iterable<number>): number => [...seats].reduce((bits, seat) => bits | (1 << seat), 0)
