/** A sponsor's form: files from the store, terms, escrow; approval and posting by the sponsor's own wallet. */
import { useState } from 'preact/hooks'
import { asError, Refusal } from '../problems'
import { isCid } from '../protocol/cid'
import { escapeUntrusted } from '../protocol/text'
import { Amount, symbolOf } from '../ui/Amount'
import { useApp } from '../ui/app'
import { Banner } from '../ui/Banner'
import { RefusalBanner } from '../ui/ClaimButton'
import { capitalised, parsed } from '../ui/format'
import { useLoad } from '../ui/load'
import { Section } from '../ui/parts'
import type { Token } from '../view/model'
import { burnOf, escrowOf, PHASES_NEEDED, post, problemsOf, readToken, TIMES, usualQuorum, type Offer } from '../wallet/post'
import { asAddress, MISSPELT, misspelt } from '../wallet/requests'

type Fields = Record<string, string>

const DAY = 86_400
const NUMBERS: [string, string, string][] = [
  ['rounds', 'Rounds', '15'],
  ['trainers', 'Trainers at most', '4'],
  ['minUpdates', 'Least updates a round', '3'],
  ['seats', 'Validators', '3'],
  ['quorum', 'Validators that must agree', '2'],
  ['failures', 'Failed cycles in a row that end the job', '3'],
]
const AMOUNTS: [string, string, string][] = [
  ['reward', 'Reward a round', '100'],
  ['fee', 'Fee a validator and round', '5'],
  ['bond', 'Bond of a trainer', '100'],
  ['penalty', 'Penalty a strike', '25'],
]
const SECONDS: [string, string, string][] = [
  ...PHASES_NEEDED.map(({ name, term }): [string, string, string] => [term, capitalised(name), String(TIMES[term])]),
  ['claimTime', 'Claims after the end', String(365 * DAY)],
  ['slashTime', 'Bonds stay after the end', '600'],
]
const START: Fields = Object.fromEntries([...NUMBERS, ...AMOUNTS, ...SECONDS].map(([name, , value]) => [name, value]))

export function Post() {
  const app = useApp()
  const { wallet, deployment, reader } = app
  const [fields, set] = useState<Fields>({ ...START, spec: '', model: '', committee: deployment.committee ?? '' })
  const [step, setStep] = useState<string | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  const [posted, setPosted] = useState<number | null>(null)
  const { value: token, error } = useLoad('token', () => readToken(app.client, deployment))
  const { offer, problems } = token ? read(fields, token) : { offer: null, problems: [] }
  const change = (name: string, text: string) => {
    setPosted(null)
    set((old) => ({ ...old, [name]: text, ...(name === 'seats' && Number(text) > 0 ? { quorum: String(usualQuorum(Number(text))) } : {}) }))
  }
  const send = async () => {
    if (!offer) return
    setProblem(null)
    try {
      setStep('files: checking')
      await checkFiles(offer)
      if (!wallet.rightChain && !(await wallet.switchChain())) return
      setPosted(await post(app.client, wallet, deployment, offer, setStep))
    } catch (thrown) {
      setProblem(asError(thrown))
    } finally {
      setStep(null)
      app.refresh()
    }
  }
  const checkFiles = async (offer: Offer) => {
    for (const [cid, kind] of [[offer.spec, 'spec'], [offer.model, 'model']] as const) {
      const found = await reader.verify(cid)
      if (found.kind !== kind) throw new Refusal(`${escapeUntrusted(cid, 60)} is no ${kind}`, `Give the CID of a ${kind}; hansa job post makes both files.`)
    }
  }
  const input = ([name, label]: [string, string, string], mono = false) => (
    <label key={name}>
      <span>{label}</span>
      <input class={mono ? 'mono' : ''} value={fields[name]} onInput={(event) => change(name, event.currentTarget.value)} spellcheck={false} autocomplete="off" inputMode={mono ? 'text' : 'decimal'} />
    </label>
  )
  return (
    <>
      <header class="title">
        <h1>Post a job</h1>
        <p>
          Spec and model 0 are files in the store and the committee is a contract: <code>hansa job post</code> makes all three. This form posts a
          further job on them with terms of its own, and escrows the reward.
        </p>
      </header>
      {error && <RefusalBanner problem={error} />}
      <form
        class="post"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <Section title="Files and committee">
          <div class="fields wide">
            {input(['spec', 'CID of the spec', ''], true)}
            {input(['model', 'CID of model 0', ''], true)}
            {input(['committee', 'Committee contract', ''], true)}
          </div>
        </Section>
        <Section title="Who and how long"><div class="fields">{NUMBERS.map((one) => input(one))}</div></Section>
        <Section title="Money">
          <p class="note">In {token ? symbolOf(token) : 'the token'}; a cycle that the committee fails, or in which it
            agrees that no update can be used, burns half a round{offer && token && !problems.length && <>: at most <Amount value={burnOf(offer)} token={token} /> in a row</>}.</p>
          <div class="fields">{AMOUNTS.map((one) => input(one))}</div>
        </Section>
        <details>
          <summary>Longest phases, in seconds</summary>
          <div class="fields">{SECONDS.map((one) => input(one))}</div>
        </details>
        {problems.length > 0 && (
          <Banner tone="note" title="Still to be filled in or mended">
            <ul>{problems.map((text) => <li key={text}>{text}</li>)}</ul>
          </Banner>
        )}
        <div class="total">
          <span>Escrow in all: {offer && token ? <strong><Amount value={escrowOf(offer)} token={token} /></strong> : '–'}</span>
          <button type="submit" class="primary" disabled={!offer || problems.length > 0 || !wallet.account || step !== null}>
            {step ? `${step}…` : wallet.account ? 'Approve and post' : 'Connect a wallet first'}
          </button>
        </div>
      </form>
      {problem && <RefusalBanner problem={problem} />}
      {posted !== null && <Banner tone="good" title={`Job ${posted} is posted`}><a href={`#/job/${posted}`}>Open it</a></Banner>}
    </>
  )
}

/** The offer that the fields name, and what is wrong with it. */
function read(fields: Fields, token: Token): { offer: Offer | null; problems: string[] } {
  const problems: string[] = []
  const text = (name: string) => (fields[name] ?? '').trim()
  const whole = (name: string) => (/^\d{1,10}$/.test(text(name)) ? Number(text(name)) : NaN)
  const amount = (name: string, label: string) => {
    const value = parsed(text(name), token.decimals)
    if (value === null) problems.push(`${label}: a number with at most ${token.decimals} decimals`)
    return value ?? 0n
  }
  const committee = asAddress(text('committee'))
  if (!isCid(text('spec'))) problems.push('Spec: a CID, Qm and 44 characters')
  if (!isCid(text('model'))) problems.push('Model 0: a CID, Qm and 44 characters')
  if (!committee) problems.push(`Committee: ${misspelt(text('committee')) ? MISSPELT : 'the address of a contract'}`)
  const [reward, fee, bond, penalty] = AMOUNTS.map(([name, label]) => amount(name, label)) as [bigint, bigint, bigint, bigint]
  const offer = {
    spec: text('spec'), model: text('model'), committee: committee ?? '0x',
    trainers: whole('trainers'), minUpdates: whole('minUpdates'), seats: whole('seats'), quorum: whole('quorum'),
    rounds: whole('rounds'), failures: whole('failures'), reward, fee, bond, penalty,
    times: Object.fromEntries(PHASES_NEEDED.map(({ term }) => [term, whole(term)])),
    claimTime: whole('claimTime'), slashTime: whole('slashTime'),
  } satisfies Offer
  problems.push(...problemsOf(offer))
  return { offer: Number.isNaN(offer.rounds) || Number.isNaN(offer.seats) ? null : offer, problems }
}
