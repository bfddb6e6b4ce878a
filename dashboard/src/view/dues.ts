// What an account can take out of the vault now.

import { sum } from '../protocol/exact'
import { isOver } from '../protocol/phases'
import type { AccountView, JobView, Token } from './model'

export type Kind = 'rounds' | 'fees' | 'bond' | 'rest'

export interface Due {
  job: number
  kind: Kind
  token: Token
  amount: bigint
  rounds: number[] // whose pay it is
  until: number // seconds; 0 where no end is set
}

/** Job by job; each is a transaction. */
export function duesOf({ jobs }: AccountView): Due[] {
  return jobs.flatMap(({ job, token, view, trainer, validator, rest }) => {
    const rounds = trainer?.claimable ?? []
    const due = (kind: Kind, amount = 0n, of: number[] = [], until = 0): Due[] => (amount > 0n ? [{ job, kind, token, amount, rounds: of, until }] : [])
    return [
      ...due('rounds', sum(rounds.map(({ amount }) => amount)), rounds.map(({ round }) => round), view.books.claimUntil),
      ...due('fees', validator?.feesClaimable, [], view.books.claimUntil),
      ...due('bond', bondFree(view) ? trainer?.bondLeft : 0n),
      ...due('rest', rest),
    ]
  })
}

/** Jobs whose pay to an account nobody can work out, for want of the spec. */
export const unknownOf = ({ jobs }: AccountView): number[] =>
  jobs.flatMap(({ job, trainer, view }) => (trainer && view.finalized && !view.spec ? job : []))

/** Whether bonds can be taken back. */
export const bondFree = ({ phase, head, books }: JobView): boolean => isOver(phase) && head.timestamp >= books.slashUntil
