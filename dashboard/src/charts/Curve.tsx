/** A metric by round: the best is marked, what it is compared with named on its line, rounds to come shaded. */
import { useCallback, useMemo } from 'preact/hooks'
import { escapeUntrusted } from '../protocol/text'
import { nano, plotted } from '../ui/format'
import { curveOf, type CurveShape } from './shapes/curve'
import { Frame } from './Frame'
import { Numbers } from './Numbers'

interface Props {
  name: string
  points: { round: number; metric: bigint }[]
  baselines: { name: string; metric: bigint }[]
  rounds: number // in all
}

const HEIGHT = 260

export function Curve({ name, points, baselines, rounds }: Props) {
  const key = JSON.stringify([points.map((p) => [p.round, String(p.metric)]), baselines.map((b) => [b.name, String(b.metric)]), rounds])
  const data = useMemo(() => ({
    points: points.map(({ round, metric }) => ({ round, value: plotted(metric) })),
    baselines: baselines.map((line) => ({ name: `${escapeUntrusted(line.name, 40)} ${nano(line.metric)}`, value: plotted(line.metric) })),
    rounds,
  }), [key])
  const best = useMemo(() => curveOf(data, { width: 1, height: 1 }).best, [data])
  const label = `best ${nano(points[best]?.metric ?? null)}`
  const against = (metric: bigint) => baselines.map((line) => `${signed(metric - line.metric)} against ${escapeUntrusted(line.name, 40)}`)
  const say = (i: number) => {
    const { round, metric } = points[i] ?? { round: 0, metric: 0n }
    return [`Round ${round}: ${nano(metric)}${i === best ? ', the best' : ''}`, ...against(metric)].join('; ')
  }
  const table = useMemo(() => (
    <Numbers
      caption={name} heads={['Round', 'Metric', ...baselines.map((line) => `Against ${escapeUntrusted(line.name, 40)}`)]}
      rows={() => points.map(({ round, metric }) => [round, nano(metric), ...baselines.map((line) => signed(metric - line.metric))])}
    />
  ), [data])
  const draw = useCallback((shape: CurveShape) => <Drawn shape={shape} label={label} />, [data])
  return (
    <>
      <Frame
        name={name} height={HEIGHT} shape={(width) => curveOf(data, { width, height: HEIGHT })} places={({ at }) => at.map(({ x }) => x)} draw={draw} say={say}
        mark={({ at }, i) => <circle class="dot" cx={at[i]?.x} cy={at[i]?.y} r="4.5" />}
      />
      {table}
    </>
  )
}

const signed = (value: bigint) => (value > 0n ? `+${nano(value)}` : nano(value))

const DASHES = ['6 4', '2 3', '10 3 2 3']

function Drawn({ shape: { plot, line, area, at, best, bestAbove, baselines, later }, label }: { shape: CurveShape; label: string }) {
  const top = at[best]
  return (
    <>
      {later && <rect class="later" x={later.x} y={plot.top} width={later.width} height={plot.bottom - plot.top} />}
      <path class="area" d={area} />
      {baselines.map(({ y, name, above }, i) => (
        <g key={name} class="baseline">
          <path d={`M${plot.left} ${y}H${plot.right}`} stroke-dasharray={DASHES[i % DASHES.length]} />
          <text x={plot.right - 2} y={above ? y - 5 : y + 13} text-anchor="end">{name}</text>
        </g>
      ))}
      <path class="line" d={line} />
      {at.length <= 60 && <path class="points" d={at.map(({ x, y }) => `M${x} ${y}h0`).join('')} />}
      {top && (
        <g class="best">
          <circle cx={top.x} cy={top.y} r="4.5" />
          <text x={Math.max(plot.left + 32, Math.min(plot.right - 32, top.x))} y={bestAbove ? top.y - 9 : top.y + 19} text-anchor="middle">{label}</text>
        </g>
      )}
    </>
  )
}
