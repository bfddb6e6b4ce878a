/** Reads a job and frames its pages: title, tabs, what is wrong with it. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { isOver } from '../protocol/phases'
import { escapeUntrusted } from '../protocol/text'
import { useApp } from '../ui/app'
import { Banner, PageProblem } from '../ui/Banner'
import { plural } from '../ui/format'
import { useLoad } from '../ui/load'
import { Name } from '../ui/Name'
import { JobTabs, Loading } from '../ui/parts'
import type { JobPage } from '../ui/router'
import { StateTag } from '../ui/StateTag'
import type { JobGlance, JobView } from '../view/model'
import { troubleOf } from '../view/trouble'
import { metricName, named } from './explained'
import { StopButton } from './StopButton'

interface Props {
  job: number
  here: JobPage | 'round'
  children: (view: JobView) => ComponentChildren
  early?: (glance: JobGlance) => ComponentChildren // while events are still read
}

export function JobFrame({ job, here, children, early }: Props) {
  const { reader, head, tell } = useApp()
  const [glance, show] = useState<JobGlance | null>(null)
  const { value, error, loading, reload } = useLoad(`job ${job}`, () => reader.job(job, show), head)
  const known = value ?? (glance?.job === job ? glance : null)
  const title = named(known?.spec)
  const trouble = value !== null && !isOver(value.phase) && troubleOf(value, value.head.timestamp) !== null
  useEffect(() => tell({ number: job, title, trouble }), [job, title, trouble])
  const differing = value?.rounds.filter((round) => !round.agrees).map((round) => round.round) ?? []
  return (
    <>
      <header class="title">
        <p class="crumb"><a href="#/">Jobs</a> / {job}</p>
        <h1>
          {title || `Job ${job}`} {known && <StateTag of={known.phase} failures={known.failures} />}
        </h1>
        {known && (
          <p class="names">
            <span>Job {job} · posted by</span> <Name of={known.sponsor} kind="address" />
            {known.spec && <span> · task <code>{escapeUntrusted(known.spec.task, 80)}</code> · measured in {metricName(known).toLowerCase()}, more is better</span>}
          </p>
        )}
        {known?.spec?.about && here === 'job' && <p>{escapeUntrusted(known.spec.about.replace(/\s+/g, ' '), 280)}</p>}
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
          {here !== 'rounds' && <a href={`#/job/${job}/rounds`}>Compare round by round</a>}
        </Banner>
      )}
      {!value && loading && !error && <Loading what={known?.finalized ? `and checking all events of ${plural(known.finalized, 'round')}` : `job ${job}`} />}
      {!value && !error && known && early?.(known)}
      {value && children(value)}
    </>
  )
}
