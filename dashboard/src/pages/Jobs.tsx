/** The front page: every job, newest first. */
import { PHASES } from '../protocol/phases'
import { Amount, Measure } from '../ui/Amount'
import { useApp } from '../ui/app'
import { PageProblem } from '../ui/Banner'
import { useLoad } from '../ui/load'
import { Name } from '../ui/Name'
import { Loading } from '../ui/parts'
import { stateOf } from '../ui/states'
import { StateTag } from '../ui/StateTag'
import { Table } from '../ui/Table'

export function Jobs() {
  const { reader, head, deployment } = useApp()
  const { value, error, loading, reload } = useLoad('jobs', () => reader.jobs(), head)
  return (
    <>
      <header class="title">
        <h1>Jobs</h1>
        <p>
          Parties who don’t trust each other train one model together. Every number here is read from chain{' '}
          {deployment.chainId} by this page itself.
        </p>
      </header>
      {error && <PageProblem error={error} retry={reload} />}
      {!value && loading && !error && <Loading what="the jobs" />}
      {value && (
        <Table
          caption="Jobs"
          empty="No job is posted yet. A sponsor posts one with hansa job post, or under Post."
          columns={[
            { head: 'Job' },
            { head: 'State' },
            { head: 'Round', number: true },
            { head: 'Best metric', number: true },
            { head: 'Reward a round', number: true },
            { head: 'Trainers', number: true },
            { head: 'Validators', number: true },
            { head: 'Sponsor' },
          ]}
          rows={[...value]
            .sort((a, b) => b.job - a.job)
            .map((row) => ({
              key: row.job,
              cells: [
                <a href={`#/job/${row.job}`}>Job {row.job}</a>,
                <><StateTag of={row.phase} /> {stateOf(row.phase) === 'running' && <span class="muted">{PHASES[row.phase].title}</span>}</>,
                `${Math.min(row.round, row.maxRounds)} / ${row.maxRounds}`,
                <Measure value={row.metric} />,
                <Amount value={row.rewardPerRound} token={row.token} />,
                row.trainers,
                row.seats,
                <Name of={row.sponsor} kind="address" />,
              ],
            }))}
        />
      )}
    </>
  )
}
