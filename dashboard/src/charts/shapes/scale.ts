/** From numbers to places on a drawing. */
import { day } from '../../dates'

export interface Size {
  width: number
  height: number
}

/** The part of a drawing that holds the data; the rest is for what stands at its axes. */
export interface Plot {
  left: number
  right: number
  top: number
  bottom: number
}

export interface Tick {
  at: number
  label: string
}

export const linear = (from: readonly [number, number], to: readonly [number, number]) => {
  const slope = from[1] === from[0] ? 0 : (to[1] - to[0]) / (from[1] - from[0])
  return (value: number) => to[0] + (value - from[0]) * slope
}

/** Tenths of a pixel are enough for any path. */
export const place = (value: number): number => Math.round(10 * value) / 10

/** The smallest of 1, 2, 5, 10 … that divides a span into `most` steps or fewer. */
function stepOf(span: number, most: number): number {
  const least = span / Math.max(1, most)
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5].find((step) => step * power >= least * (1 - 1e-9)) ?? 10) * power
}

/** Round numbers from low to high, both within, and the decimals that tell them apart. */
export function ticks(low: number, high: number, most: number): { values: number[]; decimals: number } {
  if (!(high > low)) return { values: [low], decimals: 3 }
  const step = stepOf(high - low, most)
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  return { values: Array.from({ length: count }, (_, i) => (first + i) * step), decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
}

const PER_LABEL = 44 // pixels

/** Rounds that are named below a drawing, by the place of each. */
export function roundTicks(rounds: number, x: (round: number) => number): Tick[] {
  const most = Math.max(1, Math.floor(Math.abs(x(rounds) - x(0)) / PER_LABEL))
  const step = Math.max(1, stepOf(rounds, most))
  return Array.from({ length: Math.floor(rounds / step) }, (_, i) => ({ at: place(x((i + 1) * step)), label: String((i + 1) * step) }))
}

const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000]

/** Times, in seconds, that are named below a drawing. */
export function timeTicks(from: number, to: number, x: (time: number) => number): Tick[] {
  const most = Math.max(1, Math.floor((x(to) - x(from)) / 84))
  const step = SPANS.find((span) => (to - from) / span <= most) ?? stepOf((to - from) / 31_536_000, most) * 31_536_000
  const first = Math.ceil(from / step)
  const count = Math.max(0, Math.floor(to / step) - first + 1)
  return Array.from({ length: count }, (_, i) => (first + i) * step).map((time) => ({ at: place(x(time)), label: clock(time, step) }))
}

function clock(time: number, step: number): string {
  const text = new Date(1000 * time).toISOString()
  if (step < 60) return text.slice(11, 19)
  if (step < 86_400) return text.slice(11, 16)
  return day(time)
}

/** The index of the place that is nearest, of places in ascending order. */
export function nearest(places: readonly number[], at: number): number {
  const after = places.findIndex((each) => each >= at)
  if (after <= 0) return after < 0 ? places.length - 1 : 0
  return at - places[after - 1]! < places[after]! - at ? after - 1 : after
}
