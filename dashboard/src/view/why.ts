// Why a trainer earned what it did in a job, in a few groups of rounds, as hansa/cli/wallet/reasons.py.

import type { Address } from 'viem'
import { sum } from '../protocol/exact'
import { WHY } from '../protocol/tables'
import type { JobView, LedgerCell } from './model'

/** What a round has of one trainer. agrees: its pay is what was voted. */
export type WhyLine = Pick<LedgerCell, 'round' | 'trainer' | 'update' | 'share' | 'pay' | 'strike'> & { agrees: boolean }

/** Rounds of one kind; amount: of them all. */
export interface WhyGroup {
  kind: string
  amount: bigint
  lines: WhyLine[]
}

export function linesOf({ rounds }: Pick<JobView, 'rounds'>, trainer: Address): WhyLine[] {
  return rounds.flatMap(({ cells, agrees }) => cells.filter((cell) => cell.trainer === trainer).map((cell) => ({ ...cell, agrees })))
}

/** Every round stands in one group, so their amounts sum up to what was earned. */
export function groupsOf(lines: readonly WhyLine[]): WhyGroup[] {
  const found = new Map<string, WhyLine[]>()
  for (const line of lines) {
    const kind = kindOf(line)
    const key = kind === 'duplicate' ? `${kind} ${line.update?.repeats?.trainer}` : kind
    found.set(key, [...(found.get(key) ?? []), line])
  }
  const groups = [...found].map(([key, of]) => ({ kind: key.split(' ')[0]!, amount: sum(of.map(({ pay }) => pay)), lines: of }))
  const place = ({ kind }: WhyGroup) => WHY.groups.findIndex((row) => row.kind === kind)
  return groups.sort((a, b) => place(a) - place(b) || a.lines[0]!.round - b.lines[0]!.round)
}

/** Which group a round belongs to. */
export function kindOf(line: WhyLine): string {
  const { update, pay, strike, agrees } = line
  if (!agrees && (pay || strike)) return 'misvoted'
  if (!update) return 'absent'
  if (update.verdict === 'ok') return update.included ? kindOfUsed(line) : 'left_out'
  if (update.verdict === 'malformed') return 'strike'
  if (update.verdict === 'duplicate') return update.repeats ? 'duplicate' : 'alike'
  return update.verdict ?? 'unreachable'
}

function kindOfUsed({ share, pay }: WhyLine): string {
  if (!share) return 'member'
  if (!share.p) return share.gain ? 'no_news' : 'no_gain'
  if (!pay) return 'dust'
  return share.counted < share.gain ? 'limited' : 'paid'
}
