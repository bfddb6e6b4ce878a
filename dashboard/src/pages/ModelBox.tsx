/** A job's models to take home: bytes that this page has hashed, or none. */
import { useState } from 'preact/hooks'
import { asError } from '../problems'
import { useApp } from '../ui/app'
import { ProblemBanner } from '../ui/Banner'
import { Command } from '../ui/Command'
import { nano } from '../ui/format'
import { Name } from '../ui/Name'
import { Section } from '../ui/parts'
import type { JobView } from '../view/model'
import { bestOf, modelsOf, type PublishedModel } from '../view/sums'
import { download } from './csv'

export function ModelBox({ view }: { view: JobView }) {
  const models = modelsOf(view)
  const newest = models.at(-1)!
  const best = bestOf(models)
  const command = `hansa model get ${view.job}${best ? (best === newest ? '' : ' --round best') : ' --round 0'}`
  return (
    <Section title={newest.round ? `Model of round ${newest.round}` : 'The sponsor’s model'} aside={<span class="muted">safetensors</span>} card>
      <p class="muted">{best === newest ? 'The newest is also the best so far.' : best ? `The best so far is that of round ${best.round}, ${nano(best.metric)}.` : 'No round is settled yet.'}</p>
      <p><Name of={newest.cid} kind="cid" /></p>
      <Downloads job={view.job} of={best && best !== newest ? [newest, best] : [newest]} />
      <p><Command text={command} /></p>
      <p class="note">This page hashes what it downloads and keeps nothing but the bytes that the chain names. <a href={`#/job/${view.job}/terms`}>All models</a></p>
    </Section>
  )
}

function Downloads({ job, of }: { job: number; of: PublishedModel[] }) {
  const { reader } = useApp()
  const [busy, wait] = useState(0)
  const [problem, say] = useState<Error | null>(null)
  const get = async ({ round, cid }: PublishedModel) => {
    say(null)
    wait(1)
    try {
      download(`hansa-job${job}-round${round}.safetensors`, await reader.file(cid), 'application/octet-stream')
    } catch (thrown) {
      say(asError(thrown))
    }
    wait(0)
  }
  return (
    <>
      <div class="buttons">
        {of.map((model, i) => (
          <button key={model.round} type="button" class={i ? '' : 'primary'} disabled={busy > 0} onClick={() => void get(model)}>{of.length > 1 ? `Download ${i ? 'the best' : 'the newest'}` : 'Download'}</button>
        ))}
      </div>
      {problem && <ProblemBanner error={problem} />}
    </>
  )
}
