/** A value by round as a line, beside lines that it is compared with. */
import { linear, place, roundTicks, ticks, type Plot, type Size, type Tick } from './scale'

export interface CurveData {
  points: readonly { round: number; value: number }[] // by round
  baselines: readonly { name: string; value: number }[]
  rounds: number // in all, those to come too
}

export interface CurveShape {
  plot: Plot
  line: string
  area: string
  at: { x: number; y: number }[] // of each point
  best: number // index of the first highest point
  bestAbove: boolean // where its label stands
  baselines: { y: number; name: string; above: boolean }[] // above: where the name stands
  later: { x: number; width: number } | null // rounds to come
  across: Tick[]
  up: Tick[]
}

const AXIS = { left: 44, right: 8, top: 18, bottom: 24 }
const LABEL = 16 // pixels between two names

export function curveOf({ points, baselines, rounds }: CurveData, { width, height }: Size): CurveShape {
  const plot = { left: AXIS.left, right: width - AXIS.right, top: AXIS.top, bottom: height - AXIS.bottom }
  const values = [...points, ...baselines].map(({ value }) => value)
  const [low, high] = spread(Math.min(...values), Math.max(...values))
  const x = linear([0.5, Math.max(rounds, 1) + 0.5], [plot.left, plot.right])
  const y = linear([low, high], [plot.bottom, plot.top])
  const at = points.map(({ round, value }) => ({ x: place(x(round)), y: place(y(value)) }))
  const line = at.map(({ x, y }, i) => `${i ? 'L' : 'M'}${x} ${y}`).join('')
  const [first, last] = [at[0], at.at(-1)]
  const { values: marks, decimals } = ticks(low, high, 5)
  const best = points.reduce((best, { value }, i) => (value > points[best]!.value ? i : best), 0)
  const lines = named(baselines.map(({ name, value }) => ({ name, y: place(y(value)) })))
  const end = last && points.at(-1)!.round < rounds ? last.x : null
  return {
    plot, line, at,
    area: first && last ? `${line}L${last.x} ${plot.bottom}L${first.x} ${plot.bottom}Z` : '',
    best, baselines: lines,
    bestAbove: !lines.some((line) => line.y <= at[best]!.y && at[best]!.y - line.y < 2 * LABEL),
    later: end === null ? null : { x: end, width: place(plot.right - end) },
    across: roundTicks(rounds, x),
    up: marks.map((value) => ({ at: place(y(value)), label: value.toFixed(decimals) })),
  }
}

/** A little more than the values take, and something where they are all the same. */
function spread(low: number, high: number): [number, number] {
  const room = (high - low || Math.abs(high) || 1) * 0.06
  return [low - room, high + room]
}

/** Each name above its line, or below where another stands too near. */
function named(lines: { name: string; y: number }[]): CurveShape['baselines'] {
  const sorted = [...lines].sort((a, b) => a.y - b.y)
  return sorted.map((line, i) => ({ ...line, above: i === 0 || line.y - sorted[i - 1]!.y >= LABEL }))
}
