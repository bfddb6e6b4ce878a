/** Who was paid which part of each round, in the trainers' colours. */
import { useCallback, useMemo } from 'preact/hooks'
import { percent } from '../ui/format'
import { Frame } from './Frame'
import { Numbers } from './Numbers'
import { stacksOf, type StacksShape } from './shapes/stacks'

interface Props {
  name: string
  series: { name: string; colour: string }[] // a class
  rounds: { round: number; parts: number[] }[] // parts of 1, by series
  last: number // round in all
}

const HEIGHT = 160

export function Stacks({ name, series, rounds, last }: Props) {
  const draw = useCallback(({ paths }: StacksShape) => paths.map((path, i) => <path key={i} class={`fill ${series[i]?.colour}`} d={path} />), [series, rounds])
  const say = (i: number) => {
    const paid = (rounds[i]?.parts ?? []).flatMap((part, of) => (part > 0 ? [`${series[of]?.name} ${percent(part)}`] : []))
    return `Round ${rounds[i]?.round}: ${paid.join(', ') || 'nobody was paid'}`
  }
  const table = useMemo(() => (
    <Numbers caption={name} heads={['Round', ...series.map((one) => one.name)]} rows={() => rounds.map(({ round, parts }) => [round, ...parts.map(percent)])} />
  ), [series, rounds])
  return (
    <>
      <Frame
        name={name} height={HEIGHT} shape={(width) => stacksOf({ rounds, series: series.length, last }, { width, height: HEIGHT })} places={({ at }) => at} say={say} draw={draw}
        mark={({ plot, at, bar }, i) => <rect class="chosen" x={(at[i] ?? 0) - bar / 2} y={plot.top} width={bar} height={plot.bottom - plot.top} />}
      />
      {table}
    </>
  )
}
