// What an account earned in a job, by the time at which each round was booked.

import type { Address } from 'viem'
import type { Earning, JobView } from './model'

/** Pay of a trainer and fees of a seat that matched, oldest first; no pay is known while the job's spec is not. */
export function earningsOf(view: Pick<JobView, 'job' | 'cycles' | 'rounds' | 'terms'>, account: Address): Earning[] {
  return view.cycles.flatMap(({ round, seats, outcome }) => {
    if (outcome.kind !== 'finalized') return []
    const cell = view.rounds[round - 1]?.cells.find(({ trainer }) => trainer === account)
    const matched = seats.filter(({ validator, matched }) => matched && validator === account).length
    const amount = (cell?.pay ?? 0n) + BigInt(matched) * view.terms.feePerSeat
    return amount ? [{ job: view.job, round, time: outcome.time, amount }] : []
  })
}

/** The same of several jobs, with the sum so far. */
export function summed(earnings: readonly Earning[]): (Earning & { sum: bigint })[] {
  let sum = 0n
  return [...earnings].sort((a, b) => a.time - b.time || a.job - b.job || a.round - b.round).map((one) => ({ ...one, sum: (sum += one.amount) }))
}
