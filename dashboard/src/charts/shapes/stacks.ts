/** Who has which part of each round: bars of 100 %, one path for all bars of a colour. */
import { linear, place, roundTicks, type Plot, type Size, type Tick } from './scale'

export interface StacksData {
  rounds: readonly { round: number; parts: readonly number[] }[] // parts of 1, by series
  series: number
  last: number // round in all, those to come too
}

export interface StacksShape {
  plot: Plot
  paths: string[] // by series
  at: number[] // middle of each bar
  bar: number // its width
  across: Tick[]
  up: Tick[]
}

const AXIS = { left: 48, right: 8, top: 8, bottom: 24 }
const FILLED = 0.86 // of a round's width
const WIDEST = 64 // pixels
const LINE = 1 // pixel between two parts, where they are high enough

export function stacksOf({ rounds, series, last }: StacksData, { width, height }: Size): StacksShape {
  const plot = { left: AXIS.left, right: width - AXIS.right, top: AXIS.top, bottom: height - AXIS.bottom }
  const x = linear([0.5, Math.max(last, 1) + 0.5], [plot.left, plot.right])
  const y = linear([0, 1], [plot.bottom, plot.top])
  const bar = place(Math.min(WIDEST, FILLED * (x(2) - x(1))))
  const pieces: string[][] = Array.from({ length: series }, () => [])
  for (const { round, parts } of rounds) {
    const left = place(x(round) - bar / 2)
    let below = 0
    parts.forEach((part, i) => {
      if (part <= 0) return
      const top = y(below + part)
      const size = y(below) - top
      pieces[i]?.push(`M${left} ${place(top)}h${bar}v${place(size > 3 * LINE ? size - LINE : size)}h-${bar}z`)
      below += part
    })
  }
  return {
    plot, bar,
    paths: pieces.map((each) => each.join('')),
    at: rounds.map(({ round }) => place(x(round))),
    across: roundTicks(last, x),
    up: [0, 0.5, 1].map((part) => ({ at: place(y(part)), label: `${100 * part} %` })),
  }
}
