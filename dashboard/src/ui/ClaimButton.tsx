/** Claims one kind of what a job owes, and says what came of it. */
import { useState } from 'preact/hooks'
import { asError, Problem } from '../problems'
import { escapeUntrusted } from '../protocol/text'
import type { Token } from '../view/model'
import type { Step } from '../wallet/act'
import { claim, type Kind, type Paid } from '../wallet/claim'
import { refusal } from '../wallet/requests'
import { Amount } from './Amount'
import { useApp } from './app'
import { Banner } from './Banner'
import { Command } from './Command'
import { Linked, Name } from './Name'

interface Props {
  job: number
  kind: Kind
  label: string
  token: Token
  primary?: boolean
  open?: boolean // whether there is anything to claim; a receipt stays when there is not
}

export function ClaimButton({ job, kind, label, token, primary = false, open = true }: Props) {
  const app = useApp()
  const { wallet } = app
  const [step, setStep] = useState<Step | null>(null)
  const [paid, setPaid] = useState<Paid | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  const run = async () => {
    setProblem(null)
    setPaid(null)
    try {
      if (!wallet.rightChain && !(await wallet.switchChain())) return
      setPaid(await claim(app, job, kind, setStep))
    } catch (thrown) {
      setProblem(asError(thrown))
    } finally {
      setStep(null)
      app.refresh()
    }
  }
  if (!open && !paid && !problem && !step) return null
  return (
    <div class="claimed">
      {!paid && open && !wallet.account && (
        <>{label} with the key on your machine: <Command text={`hansa wallet claim --job ${job} --account ${wallet.me}`} /></>
      )}
      {!paid && wallet.account && (open || step) && (
        <button type="button" class={primary ? 'primary' : ''} disabled={step !== null} onClick={() => void run()}>
          {step ? `${step}…` : label}
        </button>
      )}
      {paid && (
        <Banner tone="good" title="Paid" action={{ label: 'Show the token in the wallet', run: () => void wallet.watch(token) }}>
          <p class="paid">
            <Amount value={paid.amount} token={token} /> in transaction <Name of={paid.tx} kind="transaction" />
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
