/** How a round goes. */
import { Section } from '../ui/parts'

const STEPS = [
  ['Train.', 'Each party trains on its own rows, which never leave it, and registers a sealed update.'],
  ['Measure.', 'Validators test each update on rows of their own, in secret from each other.'],
  ['Agree.', 'They reveal their measurements and vote the next model’s hash.'],
  ['Pay.', 'The round’s reward is booked to whoever helped, by a rule that anybody can work out again.'],
] as const

export function HowSteps() {
  return (
    <ol class="how">
      {STEPS.map(([word, text]) => <li key={word}><b>{word}</b> {text}</li>)}
    </ol>
  )
}

export function How() {
  return (
    <>
      <header class="title">
        <h1>How it works</h1>
        <p>Parties who don’t trust each other improve one model together, and are paid for what each one’s update is worth.</p>
      </header>
      <Section title="How a round goes" card>
        <HowSteps />
      </Section>
      <Section title="Who needs to be trusted" card>
        <p>Who gets what follows from what stands on the chain: this page reads it there and works every payment out again, round by round. A group of validators can spoil a round of its own, at worst end the job; what earlier rounds paid stays.</p>
        <p>When a phase runs out with too few answers, the attempt fails and is made again; a few failures in a row end the job, and the sponsor can take back what is left.</p>
      </Section>
    </>
  )
}
