/** Accounts by the name that the reader's book has for them; addresses, hashes and CIDs: shortened for the eye, whole on copy. By keyboard, what opens a page is copied there. */
import { useEffect, useState } from 'preact/hooks'
import { useBook } from './book'
import { short } from './format'

type Kind = 'address' | 'cid' | 'hash' | 'transaction'

interface Props {
  of: string
  kind: Kind
  whole?: boolean
}

const PLACES: Record<Kind, string | null> = { address: 'account', cid: 'verify', transaction: 'tx', hash: null }

export function Name({ of, kind, whole = false }: Props) {
  const name = useBook().called(of)
  const called = kind === 'address' && !whole ? name : undefined
  const text = called ?? (whole ? of : kind === 'cid' ? short(of, 6, 6) : short(of))
  const href = PLACES[kind] && `#/${PLACES[kind]}/${of}`
  return (
    <span class="name">
      {href ? (
        <a href={href} title={of} class={called ? 'called' : 'mono'} translate={false}>
          {text}
        </a>
      ) : (
        <span title={of} class="mono" translate={false}>
          {text}
        </span>
      )}
      <Copy text={of} what={kind} stop={whole || !href} />
    </span>
  )
}

export const BlockLink = ({ of }: { of: number }) => <a href={`#/block/${of}`}>block {of}</a>

const HASH = /(0x[0-9a-f]{64})/i

/** A text whose hashes of transactions are links. */
export const Linked = ({ text }: { text: string }) => <>{text.split(HASH).map((part, i) => (i % 2 ? <Name key={i} of={part} kind="transaction" /> : part))}</>

/** stop: whether Tab stops at it. */
export function Copy({ text, what, stop = true }: { text: string; what: string; stop?: boolean }) {
  const [said, say] = useState<'copied' | 'not copied' | null>(null)
  useEffect(() => {
    if (!said) return
    const timer = setTimeout(() => say(null), 1500)
    return () => clearTimeout(timer)
  }, [said])
  const copy = () =>
    navigator.clipboard?.writeText(text).then(
      () => say('copied'),
      () => say('not copied'),
    ) ?? say('not copied')
  return (
    <button type="button" class="copy" tabIndex={stop ? 0 : -1} onClick={copy} aria-label={`Copy ${what} ${short(text)}`} title={`Copy ${text}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {said === 'copied' ? (
          <path d="M3 8.5l3.5 3.5L13 4.5" />
        ) : (
          <path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z" />
        )}
      </svg>
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </button>
  )
}
