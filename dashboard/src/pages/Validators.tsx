/** The committee's members: how their votes went and what they earned. */
import { Strip, StripKey } from '../charts/Strip'
import { Amount, symbolOf } from '../ui/Amount'
import { Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { Table } from '../ui/Table'
import { JobFrame } from './JobFrame'
import { Later } from './Later'
import { OF_VALIDATORS, validatorStrip } from './marks'

export function Validators({ job }: { job: number }) {
  return (
    <JobFrame job={job} here="validators">
      {(view) => (
        <>
        <Section title="Validators">
          <Table
            caption="Validators"
            empty="No validator has been drawn yet."
            columns={[
              { head: 'Validator' },
              { head: 'Round by round' },
              { head: 'Fees', number: true, title: 'Earned so far' },
              { head: 'Claimable', number: true },
              { head: 'Matched', number: true, title: 'Rounds in which it voted the result that won' },
              { head: 'Wrong', number: true, title: 'Rounds in which it voted another result' },
              { head: 'Missed', number: true, title: 'Rounds that were its own, without a vote' },
            ]}
            rows={view.validators.map((member) => ({
              key: member.address,
              cells: [
                <Name of={member.address} kind="address" />,
                view.finalized ? <Strip cells={validatorStrip(member, view.finalized)} /> : '–',
                <Amount value={member.fees} token={view.token} unit={false} />,
                <Amount value={member.feesClaimable} token={view.token} unit={false} />,
                member.matched,
                member.wrong ? <span class="bad-text">{member.wrong}</span> : 0,
                member.missed,
              ],
            }))}
          />
          {view.finalized > 0 && <StripKey of={OF_VALIDATORS} />}
          <p class="note">A validator earns {<Amount value={view.terms.feePerSeat} token={view.token} />} for each finalised round in which its vote matched. Amounts in {symbolOf(view.token)}.</p>
        </Section>
        <Later>{({ Deciders }) => <Deciders view={view} />}</Later>
        </>
      )}
    </JobFrame>
  )
}
