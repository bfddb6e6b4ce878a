/** A metric by round, with the job's baselines as lines. Its table stands beside it. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { escapeUntrusted } from '../protocol/text'
import { plotted } from './format'

interface Point {
  round: number
  metric: bigint
}

interface Props {
  points: Point[]
  baselines: { name: string; metric: bigint }[]
}

const HEIGHT = 260

export function MetricPlot({ points, baselines }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const key = JSON.stringify([points.map((p) => [p.round, String(p.metric)]), baselines.map((b) => [b.name, String(b.metric)])])
  useEffect(() => {
    const target = box.current
    if (!target || !points.length) return
    let plot = draw(target, points, baselines)
    const resize = () => plot.setSize({ width: target.clientWidth, height: HEIGHT })
    const repaint = () => {
      plot.destroy()
      plot = draw(target, points, baselines)
    }
    const watch = new ResizeObserver(resize)
    watch.observe(target)
    addEventListener('hansa:theme', repaint)
    return () => {
      watch.disconnect()
      removeEventListener('hansa:theme', repaint)
      plot.destroy()
    }
  }, [key])
  return <div class="plot" ref={box} role="img" aria-label="The model's metric by round; the table holds the same numbers" />
}

function draw(target: HTMLElement, points: Point[], baselines: Props['baselines']): uPlot {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: '12px system-ui, sans-serif',
  }
  const dashes = [[6, 4], [2, 3], [10, 3, 2, 3]]
  const series: uPlot.Series[] = [
    { label: 'round' },
    { label: 'metric', stroke: colour('--accent'), width: 2, points: { show: true, size: 6, fill: colour('--accent') } },
    ...baselines.map((line, i) => ({
      label: escapeUntrusted(line.name, 40),
      stroke: colour('--muted'),
      width: 1,
      dash: dashes[i % dashes.length]!,
      points: { show: points.length === 1 }, // of one round there is no line
    })),
  ]
  const data: uPlot.AlignedData = [
    points.map((p) => p.round),
    points.map((p) => plotted(p.metric)),
    ...baselines.map((line) => points.map(() => plotted(line.metric))),
  ]
  const last = points.at(-1)!.round
  const scales = { x: { time: false, range: [0.5, Math.max(last, 2) + 0.5] as [number, number] } }
  const whole = (_: uPlot, splits: number[]) => splits.map((v) => (Number.isInteger(v) ? String(v) : ''))
  const options: uPlot.Options = {
    width: target.clientWidth,
    height: HEIGHT,
    scales,
    series,
    axes: [
      { ...axis, label: 'round', labelSize: 18, labelFont: axis.font, values: whole, incrs: [1, 2, 5, 10, 20, 50, 100, 200] },
      { ...axis, size: 56 },
    ],
    legend: { show: baselines.length > 0, live: false },
    cursor: { show: false },
  }
  return new uPlot(options, data, target)
}
