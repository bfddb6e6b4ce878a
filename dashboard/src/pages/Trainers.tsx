/** Who trains, what each was paid and for which rounds. */
import { useMemo } from 'preact/hooks'
import { Stacks } from '../charts/Stacks'
import { Strip, StripKey } from '../charts/Strip'
import { sum } from '../protocol/exact'
import { Amount, symbolOf } from '../ui/Amount'
import { useBook } from '../ui/book'
import { percent, plural } from '../ui/format'
import { Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { Table } from '../ui/Table'
import { coloursOf } from '../view/colours'
import { contributions } from '../view/contributions'
import type { JobView } from '../view/model'
import { OF_TRAINERS, trainerStrip } from './marks'

/** rounds: in all. */
export function Trainers({ view, rounds }: { view: JobView; rounds: number }) {
  const known = view.spec !== null // without it nobody can say who earned what
  const total = sum(view.trainers.map((each) => each.earned))
  const colours = useMemo(() => coloursOf(view.trainers), [view])
  return (
    <Section title="Who contributes" aside={<a href={`#/job/${view.job}/rounds`}>Round by round</a>} card>
      {view.rounds.length > 0 && <Parts view={view} colours={colours} rounds={rounds} />}
      <Table
        caption="Trainers"
        empty="Nobody has enrolled yet."
        columns={[
          { head: 'Trainer' },
          { head: 'Earned', number: true },
          { head: 'Of all', number: true },
          { head: 'Round by round' },
          { head: 'Used', number: true, title: 'Rounds whose model has its update' },
          { head: 'Last round' },
        ]}
        rows={view.trainers.map((trainer, place) => {
          const cells = view.rounds.flatMap((round) => round.cells[place] ?? [])
          const colour = colours.get(trainer.address)
          return {
            key: trainer.address,
            cells: [
              <span class="name"><span class={`swatch ${colour}`} /><Name of={trainer.address} kind="address" /></span>,
              known ? <Amount value={trainer.earned} token={view.token} unit={false} /> : '–',
              total ? percent(Number((trainer.earned * 10_000n) / total) / 10_000) : '–',
              cells.length ? <Strip cells={trainerStrip(cells)} colour={colour} /> : '–',
              known ? `${cells.filter(({ update }) => update?.included).length} of ${view.rounds.length}` : '–',
              cells.length ? trainerStrip(cells).at(-1)?.word : '–',
            ],
          }
        })}
      />
      {view.rounds.length > 0 && <StripKey of={OF_TRAINERS} />}
      <p class="note">
        Amounts in {symbolOf(view.token)}. {view.rounds.length > 0 && view.rounds.every(({ agrees }) => agrees) && `${plural(view.rounds.length, 'round')} worked out again in this page from the validators’ measurements: equal to what was voted.`}
      </p>
    </Section>
  )
}

function Parts({ view, colours, rounds }: { view: JobView; colours: ReturnType<typeof coloursOf>; rounds: number }) {
  const { mine, given, told } = useBook()
  const drawn = useMemo(() => {
    const { series, rounds } = contributions(view.rounds, colours)
    return { rounds, series: series.map(({ trainer, colour }) => ({ name: trainer ? told(trainer) : 'others', colour })) }
  }, [view, mine, given])
  return (
    <>
      <p class="key">
        {drawn.series.map(({ name, colour }) => <span key={name}><span class={`swatch ${colour}`} />{name}</span>)}
        <span>part of each round’s pay</span>
      </p>
      <Stacks name="Each trainer’s part of a round’s pay" series={drawn.series} rounds={drawn.rounds} last={rounds} />
    </>
  )
}
