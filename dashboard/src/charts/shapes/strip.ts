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

/** A row that is no wider than its room, down to two pixels a cell. */
export function stripOf(marks: readonly Mark[]): StripShape {
  const pitch = Math.max(2, Math.min(WIDEST, ROOM / Math.max(1, marks.length)))
  const cell = place(pitch - Math.min(1.5, pitch / 4))
  const filled: string[] = []
  const drawn: string[] = []
  const [full, half, outline] = [box(cell, HEIGHT), box(cell, HEIGHT / 2), box(place(cell - 1), HEIGHT - 1)]
  marks.forEach((mark, i) => {
    const x = place(i * pitch)
    if (mark === 'full') filled.push(`M${x} 0${full}`)
    else if (mark === 'half') filled.push(`M${x} ${HEIGHT / 2}${half}`)
    if (mark === 'none') drawn.push(`M${x} ${HEIGHT - 0.5}h${cell}`)
    else if (mark !== 'full') drawn.push(`M${x + 0.5} 0.5${outline}`)
    if (mark === 'cross') drawn.push(`M${x + 0.5} ${HEIGHT - 0.5}l${place(cell - 1)} ${1 - HEIGHT}`)
  })
  return { width: Math.ceil(marks.length * pitch), filled: filled.join(''), drawn: drawn.join(''), pitch }
}

const box = (width: number, height: number) => `h${width}v${height}h-${width}z`
