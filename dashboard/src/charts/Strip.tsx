/** What became of each round, as a row of cells; by pointer one at a time, in words all together. */
import { useState } from 'preact/hooks'
import { ranges } from '../ui/format'
import { HEIGHT, stripOf, type Mark } from './shapes/strip'

export interface StripCell {
  round: number
  mark: Mark
  word: string
}

/** colour: a class. */
export function Strip({ cells, colour = '' }: { cells: readonly StripCell[]; colour?: string }) {
  const [at, look] = useState<number | null>(null)
  const { width, filled, drawn } = stripOf(cells.map(({ mark }) => mark))
  const cell = at === null ? undefined : cells[at]
  if (!cells.length) return null
  const follow = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const { left, width: shown } = event.currentTarget.getBoundingClientRect()
    look(Math.min(cells.length - 1, Math.max(0, Math.floor(((event.clientX - left) / shown) * cells.length))))
  }
  return (
    <svg class={`strip ${colour}`} role="img" aria-label={inWords(cells)} viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} onPointerMove={follow}>
      {cell && <title>{`Round ${cell.round}: ${cell.word}`}</title>}
      <path class="fill" d={filled} />
      <path class="outline" d={drawn} />
    </svg>
  )
}

/** What the marks mean. */
export function StripKey({ of }: { of: readonly (readonly [Mark, string])[] }) {
  return (
    <p class="key">
      {of.map(([mark, word]) => {
        const { width, filled, drawn } = stripOf([mark])
        return (
          <span key={word}>
            <svg class="strip" aria-hidden="true" viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT}>
              <path class="fill" d={filled} />
              <path class="outline" d={drawn} />
            </svg>
            {word}
          </span>
        )
      })}
    </p>
  )
}

/** "paid in 1–6, 8; left out in 7" */
function inWords(cells: readonly StripCell[]): string {
  const words = new Map<string, number[]>()
  for (const { word, round } of cells) {
    const rounds = words.get(word)
    if (rounds) rounds.push(round)
    else words.set(word, [round])
  }
  return [...words].map(([word, rounds]) => `${word} in ${ranges(rounds)}`).join('; ')
}
