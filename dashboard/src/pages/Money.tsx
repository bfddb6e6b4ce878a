/** A job's escrow: what became of it, and the vault's books. */
import { Amount } from '../ui/Amount'
import { Facts, Section } from '../ui/parts'
import type { JobGlance } from '../view/model'
import { partsOfEscrow } from '../view/sums'
import { restOf } from './explained'
import { JobFrame } from './JobFrame'
import { Until } from './Now'

export function Money({ job }: { job: number }) {
  const inside = (view: JobGlance) => <Inside view={view} />
  return <JobFrame job={job} here="money" early={inside}>{inside}</JobFrame>
}

const WIDTH = 1000

function Inside({ view }: { view: JobGlance }) {
  const { books, token } = view
  const parts = partsOfEscrow(view)
  const lines = [
    ['Escrowed', 'escrowed'], ['Not yet taken', 'left'], ['Taken by rounds', 'booked'], ['Paid', 'paid'], ['Burnt', 'burnt'], ['Refunded', 'refunded'],
    ['Bonds held', 'bonded'], ['Penalties', 'forfeited'],
  ] as const
  let x = 0
  return (
    <>
      <Section title="Where the escrow is" aside={<Amount value={books.escrowed} token={token} />} card>
        <svg class="money" viewBox={`0 0 ${WIDTH} 12`} preserveAspectRatio="none" aria-hidden="true">
          {parts.map(({ name, amount, kind }) => {
            const from = x
            x += (Number((amount * 1_000_000n) / (books.escrowed || 1n)) / 1_000_000) * WIDTH
            return <rect key={name} class={kind} x={from} width={Math.max(0, x - from)} height="12" />
          })}
        </svg>
        <p class="key money">{parts.map(({ name, amount, kind }) => <span key={name}><span class={`swatch ${kind}`} />{name} <Amount value={amount} token={token} /></span>)}</p>
        {restOf(view).map((sentence) => <p key={sentence}>{sentence}</p>)}
        <Until view={view} />
      </Section>
      <Section title="Books">
        <Facts of={lines.map(([name, of]) => [name, <Amount value={books[of]} token={token} form="tile" />])} />
      </Section>
    </>
  )
}
