/** What was earned by time, in steps; where a job's first pay is, its name. */
import { useCallback, useMemo } from 'preact/hooks'
import { date } from '../dates'
import { Frame } from './Frame'
import { Numbers } from './Numbers'
import { stepsOf, type StepsShape } from './shapes/steps'

interface Props {
  name: string
  points: { time: number; sum: number; said: string; from: string }[] // sum: so far; said: in words
  marks: { time: number; name: string }[]
}

const HEIGHT = 240

export function Steps({ name, points, marks }: Props) {
  const draw = useCallback((shape: StepsShape) => <Drawn shape={shape} />, [points, marks])
  const table = useMemo(() => (
    <Numbers caption={name} heads={['Time', 'From', 'Sum']} rows={() => points.map(({ time, from, said }) => [`${date(time)} UTC`, from, said])} />
  ), [points])
  return (
    <>
      <Frame
        name={name} height={HEIGHT} shape={(width) => stepsOf({ points, marks }, { width, height: HEIGHT })} places={({ at }) => at.map(({ x }) => x)} draw={draw}
        say={(i) => `${date(points[i]?.time ?? 0)}, ${points[i]?.from}: ${points[i]?.said}`}
        mark={({ at }, i) => <circle class="dot" cx={at[i]?.x} cy={at[i]?.y} r="4.5" />}
      />
      {table}
    </>
  )
}

function Drawn({ shape: { plot, line, area, marks } }: { shape: StepsShape }) {
  return (
    <>
      <path class="area" d={area} />
      {marks.map(({ x, name, after }) => (
        <g key={x} class="baseline">
          <path d={`M${x} ${plot.top - 12}V${plot.bottom}`} stroke-dasharray="2 3" />
          <text x={after ? x + 5 : x - 5} y={plot.top - 4} text-anchor={after ? 'start' : 'end'}>{name}</text>
        </g>
      ))}
      <path class="line" d={line} />
    </>
  )
}
