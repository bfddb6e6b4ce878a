/** Draws the charts of a job's page with made-up numbers, for `python -m benchmarks page`. */
import { render } from 'preact'
import type { Address } from 'viem'
import { Curve } from '../src/charts/Curve'
import { Stacks } from '../src/charts/Stacks'
import { Strip } from '../src/charts/Strip'
import { trainerStrip } from '../src/pages/marks'
import { coloursOf } from '../src/view/colours'
import { contributions } from '../src/view/contributions'
import type { LedgerCell, RoundView } from '../src/view/model'

const MARKS = 7 // of ten rounds, those that pay a trainer

function cellOf(round: number, trainer: number): LedgerCell {
  const update = { included: (round + trainer) % 10 < MARKS + 1 } as LedgerCell['update']
  const pay = (round + trainer) % 10 < MARKS ? BigInt(1 + ((round * trainer) % 17)) : 0n
  return { round, trainer: `0x${trainer.toString(16).padStart(40, '0')}`, update, pay, strike: false, share: null, record: null, reputation: 0, claimed: null }
}

interface View {
  rounds: RoundView[]
  trainers: { address: Address; earned: bigint }[]
}

/** A job, as far as the charts look into it. */
export function viewOf(count: number, trainers: number): View {
  const cells = (round: number) => Array.from({ length: trainers }, (_, i) => cellOf(round, i))
  const rounds = Array.from({ length: count }, (_, i) => ({ round: i + 1, cells: cells(i + 1) }) as RoundView)
  return { rounds, trainers: cells(1).map(({ trainer }, i) => ({ address: trainer, earned: rounds.reduce((sum, { cells }) => sum + cells[i]!.pay, 0n) })) }
}

function Charts({ view: { rounds, trainers } }: { view: View }) {
  const colours = coloursOf(trainers)
  const drawn = contributions(rounds, colours)
  return (
    <>
      <Curve name="Metric" points={rounds.map(({ round }) => ({ round, metric: BigInt(round) * 3_000_000n }))} baselines={[{ name: 'alone', metric: 500_000_000n }]} rounds={rounds.length} />
      <Stacks name="Parts" series={drawn.series.map(({ colour }) => ({ name: colour, colour }))} rounds={drawn.rounds} last={rounds.length} />
      {trainers.map(({ address }, i) => <Strip key={address} cells={trainerStrip(rounds.map(({ cells }) => cells[i]!))} colour={colours.get(address)} />)}
    </>
  )
}

/** Until the frame in which they are there. */
export async function draw(view: View): Promise<void> {
  const place = document.body.appendChild(document.createElement('main'))
  render(<Charts view={view} />, place)
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
}
