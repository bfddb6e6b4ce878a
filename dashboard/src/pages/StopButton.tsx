/** The sponsor's way to end a job; asks once more before it sends. */
import { useState } from 'preact/hooks'
import { asError } from '../problems'
import { isOver } from '../protocol/phases'
import { useApp } from '../ui/app'
import { RefusalBanner } from '../ui/ClaimButton'
import type { JobGlance } from '../view/model'
import { act, type Step } from '../wallet/act'
import { stopCall } from '../wallet/post'

export function StopButton({ view }: { view: JobGlance }) {
  const app = useApp()
  const [sure, ask] = useState(false)
  const [step, setStep] = useState<Step | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  if (app.wallet.account !== view.sponsor || isOver(view.phase) || view.stopping) return null
  const stop = async () => {
    setProblem(null)
    try {
      if (!app.wallet.rightChain && !(await app.wallet.switchChain())) return
      await act(app.client, app.wallet, stopCall(app.deployment, view.job), 'to stop the job', setStep)
    } catch (thrown) {
      setProblem(asError(thrown))
    } finally {
      setStep(null)
      ask(false)
      app.refresh()
    }
  }
  return (
    <div class="buttons">
      {!sure && <button type="button" onClick={() => ask(true)}>Stop the job</button>}
      {sure && (
        <>
          <span>{view.phase === 'ENROL' || view.phase === 'OPEN' ? 'It ends at once.' : view.phase === 'LAPSED' ? 'It ends at once, or with the attempt that ran out.' : 'It ends with the attempt under way.'} This can’t be taken back.</span>
          <button type="button" class="danger" disabled={step !== null} onClick={() => void stop()}>{step ? `${step}…` : 'Yes, stop it'}</button>
          <button type="button" class="plain" onClick={() => ask(false)}>Keep it</button>
        </>
      )}
      {problem && <RefusalBanner problem={problem} />}
    </div>
  )
}
