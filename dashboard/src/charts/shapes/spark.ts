/** A line without axes, small enough for a row of a list. */
import { linear, place, type Size } from './scale'

export interface SparkShape {
  line: string
  end: { x: number; y: number } | null
}

const ROOM = 3 // pixels for the dot at the end

/** values: oldest first. */
export function sparkOf(values: readonly number[], { width, height }: Size): SparkShape {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const x = linear([0, Math.max(1, values.length - 1)], [ROOM, width - ROOM])
  const y = low === high ? () => height / 2 : linear([low, high], [height - ROOM, ROOM])
  const at = values.map((value, i) => ({ x: place(values.length > 1 ? x(i) : width - ROOM), y: place(y(value)) }))
  return { line: at.map(({ x, y }, i) => `${i ? 'L' : 'M'}${x} ${y}`).join(''), end: at.at(-1) ?? null }
}
