/** What is wrong, why, and what to do. */
import type { ComponentChildren } from 'preact'
import { ChainProblem, Problem } from '../problems'
import { escapeUntrusted } from '../protocol/text'
import { useApp } from './app'

type Tone = 'bad' | 'warn' | 'good' | 'note'

interface Props {
  tone: Tone
  title: ComponentChildren
  children?: ComponentChildren
  action?: { label: string; run: () => void }
}

export function Banner({ tone, title, children, action }: Props) {
  return (
    <div class={`banner ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <div>
        <strong>{title}</strong>
        {children && <div class="detail">{children}</div>}
      </div>
      {action && (
        <button type="button" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  )
}

/** A problem of chain or store with cause and next step. `retry` is offered where trying again may help. */
export function ProblemBanner({ error, retry }: { error: Error; retry?: () => void }) {
  const known = error instanceof Problem ? error : null
  const reset = error instanceof ChainProblem && error.kind === 'reset'
  const action = reset ? { label: 'Reload the page', run: () => location.reload() } : retry && { label: 'Try again', run: retry }
  return (
    <Banner tone="bad" title={known?.title ?? 'This could not be worked out'} action={action}>
      <p>{sentence(escapeUntrusted(error.message, 400))}</p>
      {known && <p class="next">{escapeUntrusted(known.next, 400)}</p>}
    </Banner>
  )
}

/** The same on a page, where its frame does not say it already. */
export function PageProblem({ error, retry }: { error: Error; retry: () => void }) {
  const { problem } = useApp()
  const said = error instanceof ChainProblem && problem instanceof ChainProblem && error.kind === problem.kind
  return said ? null : <ProblemBanner error={error} retry={retry} />
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.')
