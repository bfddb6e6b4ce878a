/** A sum that grows by time, as steps. */
import { linear, place, ticks, timeTicks, type Plot, type Size, type Tick } from './scale'

export interface StepsData {
  points: readonly { time: number; sum: number }[] // seconds; what it is from then on
  marks: readonly { time: number; name: string }[] // by time
}

export interface StepsShape {
  plot: Plot
  line: string
  area: string
  at: { x: number; y: number }[] // of each point
  marks: { x: number; name: string; after: boolean }[] // after: the name stands right of its line; '' where there is no room for one
  across: Tick[]
  up: Tick[]
}

const NAME = 60 // pixels that a name takes
const AXIS = { left: 60, right: 8, top: 24, bottom: 24 }

export function stepsOf({ points, marks }: StepsData, { width, height }: Size): StepsShape {
  const plot = { left: AXIS.left, right: width - AXIS.right, top: AXIS.top, bottom: height - AXIS.bottom }
  const times = points.map(({ time }) => time)
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const x = linear([from, Math.max(to, from + 1)], [plot.left, plot.right])
  const y = linear([0, points.at(-1)?.sum || 1], [plot.bottom, plot.top])
  const at = points.map(({ time, sum }) => ({ x: place(x(time)), y: place(y(sum)) }))
  const line = `M${plot.left} ${plot.bottom}` + at.map((point) => `H${point.x}V${point.y}`).join('') + `H${plot.right}`
  const { values } = ticks(0, points.at(-1)?.sum || 1, 4)
  return {
    plot, line, at,
    area: `${line}V${plot.bottom}Z`,
    marks: named(marks.map(({ time, name }) => ({ x: place(x(time)), name, after: x(time) < (plot.left + plot.right) / 2 }))),
    across: timeTicks(from, Math.max(to, from + 1), x),
    up: values.map((value) => ({ at: place(y(value)), label: value.toLocaleString('en') })),
  }
}

/** Without the names that would lie on another. */
function named(marks: StepsShape['marks']): StepsShape['marks'] {
  let end = -Infinity
  return marks.map((mark) => {
    const [from, to] = mark.after ? [mark.x, mark.x + NAME] : [mark.x - NAME, mark.x]
    if (from < end) return { ...mark, name: '' }
    end = to
    return mark
  })
}
