// Why somebody earned what it did: word for word what `hansa wallet why` says of the same jobs (tests/vectors/why.json).

import { afterEach, expect, test, vi } from 'vitest'
import type { Address } from 'viem'
import { told, summaryOf } from '../src/pages/whySaid'
import { Ledger } from '../src/protocol/ledger'
import { Code, decodeSheet } from '../src/protocol/sheet'
import { VERDICTS, WHY } from '../src/protocol/tables'
import { likeness } from '../src/protocol/tally'
import { ranges } from '../src/ui/format'
import { cellsOf } from '../src/view/job'
import type { UpdateView } from '../src/view/model'
import { groupsOf, linesOf, type WhyGroup } from '../src/view/why'
import { reading, recorded } from './recorded'
import { read } from './vectors'

afterEach(() => vi.unstubAllGlobals())

const PAY: any[] = read('pay')
const TOKEN: any = { symbol: 'HANSA', decimals: 18 }
const sumOf = (values: bigint[]) => values.reduce((total, value) => total + value, 0n)

/** The rounds of a job of pay.json, as the pages have them. */
function played(job: any, misvoted: number[]): any[] {
  const enrolled: any[] = job.trainers.map(({ address }: any) => ({ trainer: address }))
  const weights = new Map<Address, bigint>(job.trainers.map((each: any) => [each.address, BigInt(each.weight)]))
  let ledger = new Ledger(weights, BigInt(job.reward_per_round), Number(job.seats), job.rule)
  return job.rounds.map(({ submitted, sheets, unpaid }: any, i: number) => {
    const read = sheets.map((sheet: Address) => decodeSheet(sheet, submitted.length))
    const result = ledger.round(submitted, read, new Set(unpaid))
    ledger = result.after
    const updates = submitted.map((trainer: Address, place: number): Partial<UpdateView> => {
      const { code, gain, news } = result.judgements[place]!
      const said = code === Code.DUPLICATE ? likeness(read.map((sheet: any) => sheet[place])) : null
      const whom = said && submitted[Number(said.place)]
      const measured = code === Code.OK ? { gain, news } : { gain: null, news: null }
      return { place, trainer, verdict: VERDICTS[code]!.verdict, included: result.included.includes(place), ...measured, repeats: whom ? { trainer: whom, cosine: said.cosine } : null }
    })
    const round = i + 1
    return { round, agrees: !misvoted.includes(round), cells: cellsOf({ enrolled }, { round, ledger: result }, updates as UpdateView[], undefined) }
  })
}

const inWords = (groups: WhyGroup[]) =>
  groups.map((group) => {
    const of = group.lines.map(({ round }) => round)
    return { kind: group.kind, units: String(group.amount), of, ...told(group, TOKEN, (address) => address), rounds: `${of.length === 1 ? 'round' : 'rounds'} ${ranges(of)}` }
  })

const withoutAmount = (groups: any[]) => groups.map(({ amount: _, ...rest }) => rest)

test.for(read('why') as any[])('$what', ({ what, misvoted, trainers }) => {
  const rounds = played(PAY.find((job) => job.what === what), misvoted)
  const cells = rounds.flatMap((round) => round.cells)
  const all = sumOf(cells.map((cell) => cell.pay))
  expect(Object.keys(trainers).length).toBeGreaterThan(0)
  for (const [address, expected] of Object.entries<any>(trainers)) {
    const groups = groupsOf(linesOf({ rounds }, address as Address))
    expect(inWords(groups)).toEqual(withoutAmount(expected.groups))
    expect(summaryOf(groups, all, TOKEN)).toEqual(expected.summary)
    expect(sumOf(groups.map(({ amount }) => amount))).toBe(sumOf(cells.filter((cell) => cell.trainer === address).map((cell) => cell.pay)))
  }
})

test('every kind of group is among them', () => {
  const kinds = read('why').flatMap(({ trainers }: any) => Object.values<any>(trainers).flatMap(({ groups }) => groups.map(({ kind }: any) => kind)))
  expect(new Set(kinds)).toEqual(new Set(WHY.groups.map(({ kind }) => kind)))
})

/** Written down by hand: all four were used and paid in all three rounds. */
const BY_HAND: Record<string, bigint> = {
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8': 94593712173096965313n,
  '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65': 63271859556811346204n,
  '0x90F79bf6EB2c4f870365E785982E1f101E93b906': 57208741023181292313n,
  '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC': 84925687246910396165n,
}

test('the recorded job', async () => {
  const view = await reading(recorded()).job(1)
  expect(view.trainers).toHaveLength(4)
  for (const { address, earned } of view.trainers) {
    const groups = groupsOf(linesOf(view, address)).map(({ kind, amount, lines }) => ({ kind, amount, rounds: lines.map(({ round }) => round) }))
    expect(groups).toEqual([{ kind: 'paid', amount: BY_HAND[address], rounds: [1, 2, 3] }])
    expect(groups[0]!.amount).toBe(earned)
  }
})
