/** Reads a job and frames its pages: title, tabs, what is wrong with it. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { escapeUntrusted } from '../protocol/text'
import { useApp } from '../ui/app'
import { Banner, PageProblem } from '../ui/Banner'
import { plural } from '../ui/format'
import { useLoad } from '../ui/load'
import { JobTabs, Loading } from '../ui/parts'
import { StateTag } from '../ui/StateTag'
import type { JobGlance, JobView } from '../view/model'
import { StopButton } from './StopButton'

interface Props {
  job: number
  here: 'job' | 'join' | 'ledger' | 'validators' | 'round'
  children: (view: JobView) => ComponentChildren
  early?: (glance: JobGlance) => ComponentChildren // while events are still read
}

export function JobFrame({ job, here, children, early }: Props) {
  const { reader, head, tell } = useApp()
  const [glance, show] = useState<JobGlance | null>(null)
  const { value, error, loading, reload } = useLoad(`job ${job}`, () => reader.job(job, show), head)
  const known = value ?? (glance?.job === job ? glance : null)
  const title = escapeUntrusted(known?.spec?.title || (known?.spec?.task ?? ''), 80)
  useEffect(() => tell({ number: job, title }), [job, title])
  const differing = value?.rounds.filter((round) => !round.agrees).map((round) => round.round) ?? []
  return (
    <>
      <header class="title">
        <h1>
          Job {job} {known && <StateTag of={known.phase} />}
        </h1>
        {known?.spec && <p>{escapeUntrusted(known.spec.task, 80)}</p>}
        {known && <StopButton view={known} />}
      </header>
      <JobTabs job={job} here={here} open={known?.phase === 'ENROL'} />
      {error && <PageProblem error={error} retry={reload} />}
      {value?.specProblem && (
        <Banner tone="warn" title="The ledger can't be worked out without the job's spec">
          <p>{escapeUntrusted(value.specProblem, 400)}</p>
        </Banner>
      )}
      {differing.length > 0 && (
        <Banner tone="bad" title={`The validators voted other pay than the rules give: round ${differing.join(', ')}`}>
          <p>
            The measurements on chain lead to one payment, the validators’ vote to another. What this page shows follows the
            measurements; pay of such a round can’t be claimed by it.
          </p>
          {here !== 'ledger' && <a href={`#/job/${job}/ledger`}>Compare in the ledger</a>}
        </Banner>
      )}
      {!value && loading && !error && <Loading what={known?.finalized ? `and checking all events of ${plural(known.finalized, 'round')}` : `job ${job}`} />}
      {!value && !error && known && early?.(known)}
      {value && children(value)}
    </>
  )
}
