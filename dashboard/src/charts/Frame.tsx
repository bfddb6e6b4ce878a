/** A drawing as wide as its place, read out round by round: by pointer, or by arrow keys when it has the focus. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { nearest, type Plot, type Tick } from './shapes/scale'

interface Shape {
  plot: Plot
  across: readonly Tick[]
  up: readonly Tick[]
}

interface Props<S extends Shape> {
  name: string
  hint?: string // stands where no round is read out
  height: number
  shape: (width: number) => S
  places: (shape: S) => readonly number[] // x of what is read out
  say: (index: number) => string
  draw: (shape: S) => ComponentChildren
  mark?: (shape: S, index: number) => ComponentChildren
}

export function Frame<S extends Shape>({ name, hint = '', height, shape, places, say, draw, mark }: Props<S>) {
  const box = useRef<HTMLDivElement>(null)
  const [width, measure] = useState(0)
  const [active, choose] = useState<number | null>(null)
  useLayoutEffect(() => {
    const target = box.current
    if (!target) return
    const look = () => measure(Math.floor(target.clientWidth))
    look()
    const watch = new ResizeObserver(look)
    watch.observe(target)
    return () => watch.disconnect()
  }, [])
  const kept = useRef<{ draw: unknown; width: number; shape: S; drawing: ComponentChildren } | undefined>(undefined)
  if (width && (kept.current?.draw !== draw || kept.current.width !== width)) {
    const made = shape(width)
    kept.current = { draw, width, shape: made, drawing: <><Axes of={made} />{draw(made)}</> }
  }
  const made = width ? kept.current : undefined
  const at = made ? places(made.shape) : []
  const last = at.length - 1
  const index = active === null ? null : Math.min(active, last)
  const keys = (event: KeyboardEvent) => {
    const next = moved(event.key, index ?? last, last)
    if (next === null) return
    event.preventDefault()
    choose(next)
  }
  const follow = (event: PointerEvent & { currentTarget: HTMLElement }) => choose(nearest(at, event.clientX - event.currentTarget.getBoundingClientRect().left))
  return (
    <div class="chart">
      <p class="readout" aria-hidden="true">{index === null ? hint : say(index)}</p>
      <div
        ref={box} class="drawing" tabIndex={0} role="slider" aria-readonly="true" aria-label={name} aria-valuemin={0} aria-valuemax={Math.max(0, last)}
        aria-valuenow={index ?? Math.max(0, last)} aria-valuetext={last < 0 ? '' : say(index ?? last)} onKeyDown={keys} onFocus={() => choose((old) => old ?? last)}
        onBlur={() => choose(null)} onPointerMove={follow} onPointerDown={follow} onPointerLeave={() => choose(null)}
      >
        <svg width={width || undefined} height={height} aria-hidden="true">
          {made?.drawing}
          {made && index !== null && (
            <>
              <path class="cross" d={`M${at[index]} ${made.shape.plot.top}V${made.shape.plot.bottom}`} />
              {mark?.(made.shape, index)}
            </>
          )}
        </svg>
      </div>
    </div>
  )
}

const HALF = 3.6 // pixels of half a digit

function Axes({ of: { plot, across, up } }: { of: Shape }) {
  return (
    <g class="axes">
      <path d={up.map(({ at }) => `M${plot.left} ${at}H${plot.right}`).join('')} />
      {up.map(({ at, label }) => <text key={label} x={plot.left - 8} y={at + 4} text-anchor="end">{label}</text>)}
      {across.map(({ at, label }) => <text key={label} x={Math.min(at, plot.right + 8 - HALF * label.length)} y={plot.bottom + 18} text-anchor="middle">{label}</text>)}
    </g>
  )
}

/** Where a key leads; null where it leads nowhere. */
function moved(key: string, from: number, last: number): number | null {
  if (key === 'ArrowLeft' || key === 'ArrowDown') return Math.max(0, from - 1)
  if (key === 'ArrowRight' || key === 'ArrowUp') return Math.min(last, from + 1)
  return key === 'Home' ? 0 : key === 'End' ? last : null
}
