/** A row of cells, one a round, told apart by how they are filled. */
import { place } from './scale'

/** full: filled; half: its lower half; empty: outline; cross: crossed out; none: a line where a cell would be. */
export type Mark = 'full' | 'half' | 'empty' | 'cross' | 'none'

export interface StripShape {
  width: number
  filled: string
  drawn: string // outlines
  pitch: number // from one cell to the next
}

export const HEIGHT = 14
const WIDEST = 8
const ROOM = 200 // pixels that all cells share
const NARROW = 4 // below it, like cells beside each other are one

/** A row that is no wider than its room, down to two pixels a cell. */
export function stripOf(marks: readonly Mark[]): StripShape {
  const pitch = Math.max(2, Math.min(WIDEST, ROOM / Math.max(1, marks.length)))
  const gap = Math.min(1.5, pitch / 4)
  const filled: string[] = []
  const drawn: string[] = []
  for (const { mark, from, count } of runs(marks, pitch < NARROW)) {
    const [x, width] = [place(from * pitch), place(count * pitch - gap)]
    if (mark === 'full') filled.push(box(x, 0, width, HEIGHT))
    if (mark === 'half') filled.push(box(x, HEIGHT / 2, width, HEIGHT / 2))
    if (mark === 'half' || mark === 'empty' || mark === 'cross') drawn.push(box(x + 0.5, 0.5, width - 1, HEIGHT - 1))
    if (mark === 'cross') drawn.push(`M${x + 0.5} ${HEIGHT - 0.5}L${place(x + width - 0.5)} 0.5`)
    if (mark === 'none') drawn.push(`M${x} ${HEIGHT - 0.5}h${width}`)
  }
  return { width: Math.ceil(marks.length * pitch), filled: filled.join(''), drawn: drawn.join(''), pitch }
}

/** Cells, or like ones that stand beside each other. */
function runs(marks: readonly Mark[], joined: boolean): { mark: Mark; from: number; count: number }[] {
  const found: { mark: Mark; from: number; count: number }[] = []
  marks.forEach((mark, from) => {
    const last = found.at(-1)
    if (joined && last?.mark === mark) last.count++
    else found.push({ mark, from, count: 1 })
  })
  return found
}

const box = (x: number, y: number, width: number, height: number) => `M${x} ${y}h${place(width)}v${height}h-${place(width)}z`
