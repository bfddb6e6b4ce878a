// Events, one after another, to a history, as hansa/runtime/history/builder.py: each is checked as far as what came before it
// allows, and `agrees` checks the rest against what the contract stores, so that events which a node omits, invents or
// reorders are found, and named.

import { zeroHash, type Address, type Hex } from 'viem'
import { cycleCounter, draw, everybodyDue, makeCycle } from '../../protocol/hashes'
import * as links from '../../protocol/links'
import { isOver, PHASE_NAMES, type PhaseName } from '../../protocol/phases'
import { decodeEvent, type Values } from '../abi'
import type { Log } from '../logs'
import { termsHash, type Books, type JobState } from '../structs'
import { CycleBuilder, HistoryError } from './cycle'
import type { Claim, Enrolment, Failed, Finalized, JobHistory, Posted } from './records'

interface Site {
  chainId: number
  federation: Address
  vault: Address
  job: number
}

/** A job's history in the making. Every method may throw HistoryError. */
export class HistoryBuilder {
  private posted: Posted | null = null
  private readonly enrolled = new Map<Address, Enrolment>()
  private readonly cycles: CycleBuilder[] = []
  private readonly lapses: { afterCycle: number; failed: Failed }[] = []
  private ended: PhaseName | null = null
  private word: Hex = zeroHash // `history` so far; it begins with the terms' hash
  private failures = 0
  private finalized = 0
  private readonly claims = new Map<number, Map<Address, Claim>>()
  private readonly touched = new Set<number>() // rounds with claims that no history has shown
  private paid = 0n
  private readonly burnt: Log[] = []
  private readonly seen = new Map<Address, number>() // block of each party's last act

  private readonly handlers: Readonly<Record<string, (values: Values, log: Log) => void>> = {
    TrainerEnrolled: (values) => this.onEnrolled(values),
    CycleOpened: (values) => this.onOpened(values),
    UpdateSubmitted: (values, log) => this.onSubmitted(values, log),
    RoundFinalized: (values, log) => this.onFinalized(values, log),
    CycleFailed: (values, log) => this.onFailed(values, log),
    JobEnded: (values) => this.onEnded(values),
  }

  constructor(private readonly site: Site) {}

  get history(): JobHistory {
    if (!this.posted) throw new HistoryError('its posting is missing')
    this.touched.clear()
    return {
      job: this.site.job, posted: this.posted, enrolled: [...this.enrolled.values()].map((each) => ({ ...each })),
      cycles: this.cycles.map((cycle) => cycle.record()), lapses: [...this.lapses], ended: this.ended,
      claims: new Map(this.claims), paid: this.paid, burnt: [...this.burnt], seen: new Map(this.seen),
    }
  }

  /** Adds the next event. */
  apply(log: Log): void {
    let event: ReturnType<typeof decodeEvent>
    try {
      event = decodeEvent(log.topics, log.data)
    } catch (error) {
      throw new HistoryError(`an event in block ${log.block} makes no sense (${error instanceof Error ? error.message.slice(0, 80) : ''})`)
    }
    if (!event) throw new HistoryError(`block ${log.block} has an event that the contracts don't know`)
    const { name, values } = event
    if (values.job !== BigInt(this.site.job)) throw new HistoryError(`block ${log.block} has an event of job ${values.job}`)
    if (log.address === this.site.vault.toLowerCase()) this.onMoney(name, values, log)
    else if (name === 'JobPosted') this.onPosted(values, log)
    else if (!this.posted) throw new HistoryError('its posting is missing')
    else if (Object.hasOwn(this.handlers, name)) this.handlers[name]?.(values, log)
    else if ('seat' in values) this.cycle(values).act(name, values)
    const who = log.address === this.site.vault.toLowerCase() ? undefined : (values.trainer ?? values.account ?? this.cycles.at(-1)?.committee[values.seat])
    if (who) this.seen.set(who, log.block)
  }

  /** Throws unless the contract stores, at the block of the last event, what these events lead to. */
  agrees(state: JobState, { paid, escrowed }: Pick<Books, 'paid' | 'escrowed'>): void {
    count('enrolments', this.enrolled.size, state.enrolled)
    count('opened cycles', this.cycles.length, state.cycle ? cycleCounter(state.cycle) : 0)
    count('finalised rounds', this.finalized, state.round - 1)
    count('failures in a row', this.failures, state.failures)
    if (this.ended !== (isOver(state.phase) ? state.phase : null)) throw new HistoryError(this.ended ? 'its end is invented' : 'its end is missing')
    if (this.posted && this.posted.sponsor !== state.sponsor) throw new HistoryError('it is posted by another sponsor than the contract has')
    this.cycles.at(-1)?.agrees(state)
    if (this.word !== state.history) throw new HistoryError('time, burn or votes of what ended last are not those that the contract has')
    if (this.posted && this.posted.escrow !== escrowed) throw new HistoryError('it is posted with another escrow than the vault has')
    if (this.paid !== paid) throw new HistoryError(`claims of ${this.paid} are in its events, and the vault has paid ${paid}`)
  }

  // --- events

  private onPosted({ sponsor, termsHash: hash, terms, escrow }: Values, log: Log): void {
    if (this.posted) throw new HistoryError('it is posted twice')
    if (termsHash(terms, escrow, sponsor) !== hash) throw new HistoryError("its terms don't have the hash that they were posted with")
    this.word = hash
    this.posted = { block: log.block, sponsor, termsHash: hash, terms, escrow }
  }

  private onEnrolled({ trainer, bond }: Values): void {
    if (this.enrolled.has(trainer) || this.cycles.length) throw new HistoryError(`the enrolment of ${trainer} is invented`)
    this.enrolled.set(trainer, { trainer, bond, held: bond })
  }

  private onOpened({ cycle, round, randomness, seed, committee, keys }: Values): void {
    const number = this.cycles.length + 1
    if (cycleCounter(cycle) !== number) throw new HistoryError(`cycle ${number} is missing`)
    const last = this.cycles.at(-1)
    if (last && !last.outcome) throw new HistoryError(`the outcome of cycle ${number - 1} is missing`)
    const { chainId, federation } = this.site
    const job = BigInt(this.site.job)
    const drawn = draw({ chainId, federation, job }, last?.sheetsAcc ?? zeroHash, last?.updatesAcc ?? 0n, randomness)
    this.link(links.opened(drawn, committee, keys))
    if (this.word !== seed) {
      const before = last ? `what happened until cycle ${number - 1} ended and after it` : 'the lapsed OPENs before it'
      throw new HistoryError(`the seed of cycle ${number} does not follow from ${before}, its committee, keys and randomness: some are missing or changed`)
    }
    if (makeCycle(seed, number, everybodyDue(cycle)) !== cycle) throw new HistoryError(`cycle ${number} has another id than its seed gives`)
    if (round !== this.finalized + 1) throw new HistoryError(`cycle ${number} is of round ${round}, after ${this.finalized} finalised ones`)
    const due = everybodyDue(cycle) ? everySeat(committee) : (last?.board.voted ?? 0) | newSeats(last?.committee ?? [], committee)
    this.cycles.push(new CycleBuilder({ chainId, federation, job, cycle }, { round, randomness, seed, committee, keys, due }))
  }

  private onSubmitted(values: Values, log: Log): void {
    const cycle = this.cycle(values)
    const { trainer, digest } = values
    if (!this.enrolled.has(trainer)) throw new HistoryError(`the enrolment of ${trainer} is missing, or its update in ${cycle.name} invented`)
    cycle.submit({ trainer, digest, tx: log.tx })
  }

  private onFinalized(values: Values, log: Log): void {
    const cycle = this.cycle(values)
    const { round, model, rewards, metric, matched, resultHash, time } = values
    const outcome: Finalized = { kind: 'finalized', round, model, rewards, metric, matched, resultHash, time, block: log.block, tx: log.tx }
    if (round !== this.finalized + 1 || round !== cycle.round) throw new HistoryError(`round ${this.finalized + 1} is missing`)
    this.link(cycle.finalize(outcome))
    this.finalized += 1
    this.failures = 0
  }

  private onFailed(values: Values, log: Log): void {
    const { failures, burnt, time } = values
    const failed: Failed = { kind: 'failed', phase: phaseOf(values.phase), failures, burnt, time, block: log.block }
    if (failures !== this.failures + 1) throw new HistoryError(`failure ${this.failures + 1} in a row is missing`)
    this.failures = failures
    if (failed.phase !== 'OPEN') this.link(this.cycle(values).fail(failed, this.posted?.terms.quorum ?? 0))
    else this.lapse(values, failed)
  }

  private lapse({ cycle }: Values, failed: Failed): void {
    const last = this.cycles.at(-1)
    if (last && !last.outcome) throw new HistoryError(`the outcome of ${last.name} is missing`)
    if (cycle !== (last?.cycle ?? 0n) || failed.burnt) throw new HistoryError(`the lapse after ${last?.name ?? 'enrolment'} is changed`)
    this.lapses.push({ afterCycle: this.cycles.length, failed })
    this.link(links.lapsed(failed.time))
  }

  private onEnded({ outcome }: Values): void {
    if (this.ended) throw new HistoryError('it ends twice')
    this.ended = phaseOf(outcome)
  }

  private onMoney(name: string, { round, trainer, amount, penalty }: Values, log: Log): void {
    if (name === 'RewardClaimed' || name === 'FeesClaimed') this.paid += amount
    if (name === 'Burnt') this.burnt.push(log)
    const enrolled = this.enrolled.get(trainer)
    if (enrolled && name === 'Struck') enrolled.held -= penalty
    if (enrolled && name === 'BondReturned') enrolled.held -= amount
    if (name !== 'RewardClaimed') return
    if (!this.touched.has(round)) this.claims.set(round, new Map(this.claims.get(round)))
    this.touched.add(round)
    this.claims.get(round)?.set(trainer, { amount, tx: log.tx })
  }

  private link(payload: Hex): void {
    this.word = links.link(this.word, payload)
  }

  /** The cycle under way, which an event names. */
  private cycle({ cycle }: Values): CycleBuilder {
    const last = this.cycles.at(-1)
    if (!last || last.cycle !== cycle) throw new HistoryError(`cycle ${cycleCounter(cycle)} is not open where it has events`)
    if (last.outcome) throw new HistoryError(`${last.name} goes on after its outcome`)
    return last
  }
}

/** Bitmap of a committee's seats. */
const everySeat = (committee: readonly Address[]): number => (1 << committee.length) - 1

/** Bitmap of the seats that have another member than before. */
const newSeats = (before: readonly Address[], committee: readonly Address[]): number =>
  committee.reduce((bits, member, seat) => (member === before[seat] ? bits : bits | (1 << seat)), 0)

function phaseOf(index: number): PhaseName {
  const phase = PHASE_NAMES[index]
  if (!phase) throw new HistoryError(`there is no phase ${index}`)
  return phase
}

function count(what: string, found: number, stored: number): void {
  if (found !== stored) throw new HistoryError(`there are events of ${found} ${what}, and the contract counts ${stored}`)
}
