/** Claims what jobs owe, one transaction after the other, and says what came of it. */
import { useState } from 'preact/hooks'
import { asError, Problem } from '../problems'
import { escapeUntrusted } from '../protocol/text'
import { sum } from '../protocol/exact'
import type { Due } from '../view/dues'
import type { Token } from '../view/model'
import type { Step } from '../wallet/act'
import { claim, type Paid } from '../wallet/claim'
import { refusal } from '../wallet/requests'
import { Amount } from './Amount'
import { useApp } from './app'
import { Banner } from './Banner'
import { Command } from './Command'
import { Linked, Name } from './Name'

interface Props {
  of: readonly Pick<Due, 'job' | 'kind'>[]
  label: string
  token: Token
  primary?: boolean
  open?: boolean // whether there is anything to claim; a receipt stays when there is not
}

export function ClaimButton({ of, label, token, primary = false, open = true }: Props) {
  const app = useApp()
  const { wallet } = app
  const [step, setStep] = useState<Step | null>(null)
  const [paid, setPaid] = useState<Paid[]>([])
  const [problem, setProblem] = useState<Error | null>(null)
  const run = async () => {
    setProblem(null)
    setPaid([])
    try {
      if (!wallet.rightChain && !(await wallet.switchChain())) return
      const done: Paid[] = []
      for (const { job, kind } of of) {
        done.push(await claim(app, job, kind, setStep))
        setPaid([...done])
      }
    } catch (thrown) {
      setProblem(asError(thrown))
    } finally {
      setStep(null)
      app.refresh()
    }
  }
  if (!open && !paid.length && !problem && !step) return null
  return (
    <div class="claimed">
      {!paid.length && open && !wallet.account && (
        <>{label} with the key on your machine: <Command text={`hansa wallet claim ${of.length === 1 ? `--job ${of[0]!.job} ` : ''}--account ${wallet.me}`} /></>
      )}
      {wallet.account && (open || step) && (
        <button type="button" class={primary ? 'primary' : ''} disabled={step !== null} onClick={() => void run()}>
          {step ? `${step}…` : label}
        </button>
      )}
      {paid.length > 0 && (
        <Banner tone="good" title="Paid" action={{ label: 'Show the token in the wallet', run: () => void wallet.watch(token) }}>
          <p class="paid">
            <Amount value={sum(paid.map(({ amount }) => amount))} token={token} /> in {paid.length === 1 ? 'transaction' : 'transactions'}{' '}
            {paid.map(({ tx }) => <Name key={tx} of={tx} kind="transaction" />)}
          </p>
        </Banner>
      )}
      {problem && <RefusalBanner problem={problem} />}
    </div>
  )
}

export function RefusalBanner({ problem }: { problem: Error }) {
  const known = problem instanceof Problem ? problem : refusal(problem, 'to send')
  return (
    <Banner tone="warn" title={<Linked text={escapeUntrusted(known.message, 300)} />}>
      <p class="next">{escapeUntrusted(known.next, 300)}</p>
    </Banner>
  )
}
