/** An account: what it has, what it can claim, how it did in each job. */
import { useMemo } from 'preact/hooks'
import type { Address } from 'viem'
import { Steps } from '../charts/Steps'
import { Strip, StripKey } from '../charts/Strip'
import { date } from '../dates'
import { isOver } from '../protocol/phases'
import { Amount, symbolOf } from '../ui/Amount'
import { useApp } from '../ui/app'
import { Banner, PageProblem } from '../ui/Banner'
import { useBook } from '../ui/book'
import { ClaimButton } from '../ui/ClaimButton'
import { brief, plural, ranges, standing } from '../ui/format'
import { useLoad } from '../ui/load'
import { Copy, Name } from '../ui/Name'
import { ClaimedIn, Facts, Loading, More, Section, VerdictTag } from '../ui/parts'
import { Rename } from '../ui/Rename'
import { Table } from '../ui/Table'
import { claimsOpen } from '../view/claims'
import { coloursOf } from '../view/colours'
import { summed } from '../view/earnings'
import type { AccountView, JobView, Token } from '../view/model'
import { asAddress, wrongAddress } from '../wallet/requests'
import { OF_TRAINERS, trainerStrip } from './marks'
import { Movements } from './Movements'
import { Why } from './Why'

const ETHER = { symbol: 'ETH', decimals: 18 }

export function Account({ address }: { address: string }) {
  const known = asAddress(address)
  if (known) return <Inside address={known} />
  return <Banner tone="bad" title="This is not an address">{wrongAddress(address)}</Banner>
}

function Inside({ address }: { address: Address }) {
  const { reader, head, wallet } = useApp()
  const { called } = useBook()
  const { value, error, loading, reload } = useLoad(`account ${address}`, () => reader.account(address), head)
  return (
    <>
      <header class="title">
        <p><a href="#/accounts">Accounts</a></p>
        <h1><span class="wrap">{called(address) ?? 'Account'}</span> <Rename of={address} /> {wallet.account === address && <span class="tag">yours</span>}</h1>
        <p class="whole">
          <Name of={address} kind="address" whole />
        </p>
      </header>
      {error && <PageProblem error={error} retry={reload} />}
      {!value && loading && !error && <Loading what="the account" />}
      {value && (
        <>
          <Facts
            of={[
              ['DID', <span class="name"><span class="mono wrap">{value.did}</span><Copy text={value.did} what="DID" /></span>],
              ['For fees', <Amount value={value.native} token={ETHER} />],
              ...value.tokens.map(({ token, balance }): [string, preact.JSX.Element] => ['Balance', balance === null ? <>the token does not say</> : <Amount value={balance} token={token} />]),
            ]}
          />
          {value.tokens.map(({ token }) => <Earned key={token.address} account={value} token={token} />)}
          {!value.jobs.length && <p class="empty">This account takes part in no job yet.</p>}
          {[...value.jobs].reverse().map((part) => (
            <Part key={part.job} part={part} address={address} />
          ))}
          <Movements account={value} />
        </>
      )}
    </>
  )
}

/** By time, over all jobs that pay in a token. */
function Earned({ account, token }: { account: AccountView; token: Token }) {
  const drawn = useMemo(() => {
    const mine = summed(account.jobs.filter((job) => job.token.address === token.address).flatMap(({ earnings }) => earnings))
    const seen = new Set<number>()
    return {
      points: mine.map(({ job, round, time, sum }) => ({
        time, sum: Number(sum) / 10 ** token.decimals, said: `${brief(sum, token.decimals)} ${symbolOf(token)}`, from: `job ${job}, round ${round}`,
      })),
      marks: mine.flatMap(({ job, time }) => (seen.has(job) ? [] : [seen.add(job) && { time, name: `Job ${job}` }])),
      sum: mine.at(-1)?.sum ?? 0n,
    }
  }, [account])
  if (!drawn.points.length) return null
  return (
    <Section title="Earned in all" aside={<Amount value={drawn.sum} token={token} />}>
      <Steps name={`Earned by time, in ${symbolOf(token)}`} points={drawn.points} marks={drawn.marks} />
    </Section>
  )
}

function Part({ part, address }: { part: AccountView['jobs'][number]; address: Address }) {
  const { reader, head } = useApp()
  const { value: view, error, reload } = useLoad(`job ${part.job}`, () => reader.job(part.job), head)
  return (
    <Section title={`Job ${part.job}`} aside={<span>{part.roles.join(', ')} · <a href={`#/job/${part.job}`}>open</a></span>}>
      {error && <PageProblem error={error} retry={reload} />}
      {!view && !error && <Loading what={`job ${part.job}`} />}
      {view && part.trainer && <AsTrainer trainer={part.trainer} view={view} />}
      {view && part.validator && <AsValidator member={part.validator} view={view} address={address} />}
      {view && part.roles.includes('sponsor') && (
        <>
          <Facts of={[['Sponsor’s rest', <Amount value={part.rest} token={view.token} />]]} />
          <Mine of={address}><ClaimButton job={part.job} kind="rest" label="Take back the rest" token={view.token} open={part.rest > 0n} /></Mine>
        </>
      )}
    </Section>
  )
}

function Mine({ of, children }: { of: Address; children: preact.ComponentChildren }) {
  const { wallet } = useApp()
  return wallet.account === of ? <>{children}</> : null
}

function AsTrainer({ trainer, view }: { trainer: NonNullable<AccountView['jobs'][number]['trainer']>; view: JobView }) {
  const open = trainer.claimable.filter((due) => due.amount > 0n)
  const due = open.reduce((sum, one) => sum + one.amount, 0n)
  const { slashUntil } = view.books
  const known = view.spec !== null
  const free = isOver(view.phase) && view.head.timestamp >= slashUntil
  const late = !claimsOpen(view.books, view.head.timestamp)
  return (
    <>
      <Facts
        of={[
          ['Earned', known ? <Amount value={trainer.earned} token={view.token} /> : 'not known without the spec'],
          ['Claimed', <Amount value={trainer.claimed} token={view.token} />],
          ['Claimable', known ? <><Amount value={due} token={view.token} />{open.length > 0 && ` (round ${ranges(open.map((o) => o.round))})`}</> : '–'],
          ['Bond held', <Amount value={trainer.bondLeft} token={view.token} />],
          ['Strikes', !known ? '–' : trainer.strikes ? <span class="bad-text">{trainer.strikes}</span> : 'none'],
          ['Reputation', known ? standing(trainer.reputation) : '–'],
        ]}
      />
      <Mine of={trainer.address}>
        <div class="buttons">
          <ClaimButton job={view.job} kind="rounds" label="Claim the rewards" token={view.token} primary open={due > 0n} />
          <ClaimButton job={view.job} kind="bond" label="Take back the bond" token={view.token} open={trainer.bondLeft > 0n && free} />
        </div>
      </Mine>
      {late && known && <TooLate amount={trainer.earned - trainer.claimed} view={view} />}
      {trainer.bondLeft > 0n && !free && (
        <p class="note">{slashUntil ? `The bond is free from ${date(slashUntil)}.` : 'The bond is free some time after the job’s end.'}</p>
      )}
      <Rounds view={view} address={trainer.address} />
      <Why view={view} trainer={trainer.address} />
      {view.rounds.length > 0 && (
        <More summary={`Every round, one by one: ${plural(view.rounds.length, 'round')}`}>{() => <History view={view} address={trainer.address} />}</More>
      )}
    </>
  )
}

function TooLate({ amount, view }: { amount: bigint; view: JobView }) {
  if (amount <= 0n) return null
  return (
    <p class="note">
      <Amount value={amount} token={view.token} /> was not claimed until {date(view.books.claimUntil)}, the end of the time to claim: it is lost.
    </p>
  )
}

function Rounds({ view, address }: { view: JobView; address: Address }) {
  const cells = view.rounds.flatMap((round) => round.cells.filter(({ trainer }) => trainer === address))
  if (!cells.length) return null
  return (
    <>
      <Strip cells={trainerStrip(cells)} colour={coloursOf(view.trainers).get(address)} />
      <StripKey of={OF_TRAINERS} />
    </>
  )
}

function History({ view, address }: { view: JobView; address: Address }) {
  const rows = [...view.rounds].reverse().flatMap((round) => {
    const cell = round.cells.find((one) => one.trainer === address)
    if (!cell) return []
    return [{
      key: round.round,
      cells: [
        <a href={`#/job/${view.job}/round/${round.round}`}>{round.round}</a>,
        <>
          {cell.update ? <VerdictTag of={cell.update.verdict} update={cell.update} /> : <span class="tag quiet">absent</span>}
          {cell.strike && <span class="tag bad">strike</span>}
          {!round.agrees && <span class="tag bad">differs</span>}
        </>,
        <Amount value={cell.pay} token={view.token} form="table" />,
        <ClaimedIn cell={cell} view={view} />,
        standing(cell.reputation),
      ],
    }]
  })
  return (
    <Table
      caption={`History in job ${view.job}`}
      empty="No round is finalised yet."
      columns={[{ head: 'Round' }, { head: 'Verdict' }, { head: 'Pay', number: true }, { head: 'Claimed in' }, { head: 'Reputation', number: true }]}
      rows={rows}
    />
  )
}

function AsValidator({ member, view, address }: { member: NonNullable<AccountView['jobs'][number]['validator']>; view: JobView; address: Address }) {
  return (
    <>
      <Facts
        of={[
          ['Matched', member.matched],
          ['Wrong', member.wrong ? <span class="bad-text">{member.wrong}</span> : 0],
          ['Missed', member.missed],
          ['Fees', <Amount value={member.fees} token={view.token} />],
          ['Claimable', <Amount value={member.feesClaimable} token={view.token} />],
        ]}
      />
      {!claimsOpen(view.books, view.head.timestamp) && <TooLate amount={member.fees - member.feesPaid} view={view} />}
      <Mine of={address}><ClaimButton job={view.job} kind="fees" label="Claim the fees" token={view.token} open={member.feesClaimable > 0n} /></Mine>
    </>
  )
}
