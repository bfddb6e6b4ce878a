import { expect, test } from 'vitest'
import { curveOf } from '../src/charts/shapes/curve'
import { nearest, roundTicks, ticks, timeTicks } from '../src/charts/shapes/scale'
import { sparkOf } from '../src/charts/shapes/spark'
import { stacksOf } from '../src/charts/shapes/stacks'
import { stepsOf } from '../src/charts/shapes/steps'
import { stripOf } from '../src/charts/shapes/strip'
import { validatorStrip } from '../src/pages/marks'
import { coloursOf } from '../src/view/colours'
import { contributions } from '../src/view/contributions'
import { earningsOf, summed } from '../src/view/earnings'
import { reading, recorded } from './recorded'

const SIZE = { width: 600, height: 260 }
const ten = Array.from({ length: 10 }, (_, i) => ({ round: i + 1, value: 0.3 + 0.04 * i }))
const count = (path: string, what: string) => path.split(what).length - 1

test('a curve goes through its points, and marks the first of the best', () => {
  const points = [{ round: 1, value: 0.5 }, { round: 2, value: 0.7 }, { round: 3, value: 0.7 }, { round: 4, value: 0.6 }]
  const shape = curveOf({ points, baselines: [], rounds: 8 }, SIZE)
  expect(shape.best).toBe(1)
  expect(shape.line).toBe(shape.at.map(({ x, y }, i) => `${i ? 'L' : 'M'}${x} ${y}`).join(''))
  expect(shape.at[1]!.y).toBe(shape.at[2]!.y)
  expect(shape.at[1]!.y).toBeLessThan(shape.at[3]!.y) // higher is further up
  const [left, right] = [shape.at[0]!.x, shape.at[3]!.x]
  expect(right - left).toBeCloseTo((3 / 8) * (shape.plot.right - shape.plot.left), 0)
})

test('rounds to come are shaded, of a job that is over none', () => {
  const shape = curveOf({ points: ten, baselines: [], rounds: 40 }, SIZE)
  expect(shape.later).toEqual({ x: shape.at[9]!.x, width: expect.closeTo(shape.plot.right - shape.at[9]!.x, 1) })
  expect(curveOf({ points: ten, baselines: [], rounds: 10 }, SIZE).later).toBe(null)
})

test('all values are within the plot, baselines too, whose names don’t lie on each other', () => {
  const baselines = [{ name: 'alone', value: 0.1 }, { name: 'together', value: 0.9 }, { name: 'nearly', value: 0.895 }]
  const { at, plot, baselines: lines, up, across } = curveOf({ points: ten, baselines, rounds: 10 }, SIZE)
  for (const y of [...at, ...lines].map(({ y }) => y)) expect(y).toSatisfy((y: number) => y >= plot.top && y <= plot.bottom)
  expect(lines.map(({ name, above }) => [name, above])).toEqual([['together', true], ['nearly', false], ['alone', true]])
  expect(up.map(({ label }) => label)).toEqual(['0.2', '0.4', '0.6', '0.8'])
  expect(across.map(({ label }) => label)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
})

test('a metric that never changes, and a single round, are drawn too', () => {
  for (const points of [[{ round: 1, value: 0 }], ten.map(({ round }) => ({ round, value: 0.5 }))]) {
    const { line, at } = curveOf({ points, baselines: [], rounds: points.length }, SIZE)
    expect(line).not.toMatch(/NaN|Infinity/)
    expect(new Set(at.map(({ y }) => y)).size).toBe(1)
  }
})

test('bars of 100 %: a path a series, a piece where a part is above nothing', () => {
  const rounds = [{ round: 1, parts: [0.5, 0.25, 0.25] }, { round: 2, parts: [1, 0, 0] }, { round: 3, parts: [0, 0, 0] }]
  const { paths, at, plot } = stacksOf({ rounds, series: 3, last: 10 }, SIZE)
  expect(paths.map((path) => count(path, 'z'))).toEqual([2, 1, 1])
  expect(at).toHaveLength(3)
  const heights = paths.map((path) => Number(/v([\d.]+)/.exec(path)![1]))
  expect(heights.reduce((sum, each) => sum + each + 1, 0)).toBeCloseTo(plot.bottom - plot.top, 0)
})

test('steps stay level until the next one, and end at the sum', () => {
  const points = [{ time: 100, sum: 10 }, { time: 160, sum: 30 }, { time: 220, sum: 60 }]
  const { line, at, plot, up, marks, across } = stepsOf({ points, marks: [{ time: 100, name: 'Job 1' }, { time: 220, name: 'Job 2' }] }, SIZE)
  expect(line).toBe(`M${plot.left} ${plot.bottom}${at.map(({ x, y }) => `H${x}V${y}`).join('')}H${plot.right}`)
  expect(at.at(-1)!.y).toBe(plot.top)
  expect(up.map(({ label }) => label)).toEqual(['0', '20', '40', '60'])
  expect(marks.map(({ after }) => after)).toEqual([true, false])
  expect(across.map(({ label }) => label)).toEqual(['00:02:00', '00:02:30', '00:03:00', '00:03:30'])
})

test('times are named by the clock of a short span, by the day of a long one', () => {
  const x = (time: number) => time / 1000
  expect(timeTicks(0, 3 * 86_400, (time) => time / 600).map(({ label }) => label)).toEqual(['1 Jan', '2 Jan', '3 Jan', '4 Jan'])
  expect(timeTicks(0, 400_000, x).length).toBeLessThan(6)
  expect(timeTicks(0, 2e9, (time) => time / 1e7).length).toBeLessThan(4)
})

test('ticks are round numbers within the span', () => {
  expect(ticks(0.31, 0.72, 5)).toEqual({ values: [expect.closeTo(0.4), expect.closeTo(0.5), expect.closeTo(0.6), expect.closeTo(0.7)], decimals: 1 })
  expect(ticks(0.6631, 0.6649, 4).decimals).toBe(4)
  expect(roundTicks(200, (round) => 3 * round).map(({ label }) => label)).toEqual(['20', '40', '60', '80', '100', '120', '140', '160', '180', '200'])
  expect([nearest([10, 20, 30], 14), nearest([10, 20, 30], 16), nearest([10, 20, 30], -5), nearest([10, 20, 30], 99)]).toEqual([0, 1, 0, 2])
})

test('a sparkline ends in its dot', () => {
  const { line, end } = sparkOf([1, 3, 2], { width: 96, height: 28 })
  expect(line.endsWith(`L${end!.x} ${end!.y}`)).toBe(true)
  expect(sparkOf([5], { width: 96, height: 28 }).end).toEqual({ x: 93, y: 14 })
})

test('a strip’s cells are told apart by how they are filled', () => {
  const { filled, drawn, width } = stripOf(['full', 'half', 'empty', 'cross', 'none'])
  expect([count(filled, 'M'), count(drawn, 'M'), width]).toEqual([2, 5, 40])
  expect(stripOf(Array(200).fill('full')).width).toBe(400)
  expect([20, 200].map((rounds) => count(stripOf(Array(rounds).fill('full')).filled, 'M'))).toEqual([20, 1]) // too narrow for gaps
  expect(stripOf(Array(50).fill('full')).width).toBe(200)
})

const trainer = (name: string, earned: bigint) => ({ address: `0x${name}` as const, earned })

test('six trainers have a colour each, in order of enrolment; of more, those who earn most', () => {
  expect([...coloursOf([trainer('a', 0n), trainer('b', 9n)]).values()]).toEqual(['t1', 't2'])
  const eight = coloursOf([5n, 0n, 7n, 7n, 1n, 9n, 1n, 8n].map((earned, i) => trainer(`${i}`, earned)))
  expect([...eight.values()]).toEqual(['t1', 't7', 't2', 't3', 't4', 't5', 't7', 't6'])
})

test('of a recorded job, parts add up to all, and what an account earns to what its ledger says', async () => {
  const view = await reading(recorded()).job(1)
  const drawn = contributions(view.rounds, coloursOf(view.trainers))
  expect(drawn.series.map(({ trainer }) => trainer)).toEqual(view.trainers.map(({ address }) => address))
  expect(drawn.rounds).toHaveLength(view.finalized)
  for (const { parts } of drawn.rounds) expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 4)
  for (const { address, earned } of view.trainers) expect(summed(earningsOf(view, address)).at(-1)?.sum ?? 0n).toBe(earned)
  for (const member of view.validators) {
    expect(summed(earningsOf(view, member.address)).at(-1)?.sum ?? 0n).toBe(member.fees)
    const marks = validatorStrip(member, view.finalized).map(({ mark }) => mark)
    expect(marks.filter((mark) => mark === 'full')).toHaveLength(member.matched)
    expect(marks).toHaveLength(view.finalized)
  }
})

test('the best one’s label keeps off a baseline above it', () => {
  const with_ = (value: number) => curveOf({ points: ten, baselines: [{ name: 'pooled', value }], rounds: 10 }, SIZE).bestAbove
  expect([with_(0.67), with_(0.5), with_(0.9)]).toEqual([false, true, true])
})
