/** A name for an account: given, changed and taken away by the reader, and kept in this browser alone. */
import { useState } from 'preact/hooks'
import type { Address } from 'viem'
import { renamed } from '../view/book'
import { asAddress, wrongAddress } from '../wallet/requests'
import { keep, useBook } from './book'
import { short } from './format'

/** A pencil, which opens the form. */
export function Rename({ of }: { of: Address }) {
  const [open, set] = useState(false)
  if (open) return <NameForm of={of} done={() => set(false)} />
  return (
    <button type="button" class="copy" aria-label={`Name ${short(of)}`} title="Name it, in this browser alone" onClick={() => set(true)}>
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2.5 13.5l1-3.5l7-7l2.5 2.5l-7 7zM9 4.5l2.5 2.5" /></svg>
    </button>
  )
}

/** of: the account; without it, the form asks for one. */
export function NameForm({ of, done }: { of?: Address; done?: () => void }) {
  const { mine } = useBook()
  const [wrong, say] = useState('')
  const save = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const form = event.currentTarget
    const said = (name: string) => String(new FormData(form).get(name)).trim()
    const account = of ?? asAddress(said('account'))
    try {
      if (!account) throw new RangeError(wrongAddress(said('account')))
      keep(renamed(mine, account, said('name')))
      say('')
      form.reset()
      done?.()
    } catch (thrown) {
      say((thrown as Error).message)
    }
  }
  return (
    <form class="rename" onSubmit={save}>
      {!of && <input name="account" aria-label="Address" placeholder="0x…" class="mono" spellcheck={false} autocomplete="off" />}
      <input ref={of && ((field) => void field?.focus())} name="name" aria-label="Name" placeholder="Name" defaultValue={of && mine.get(of)} autocomplete="off" />
      <button type="submit" class="primary">Save</button>
      {done && <button type="button" class="plain" onClick={done}>Cancel</button>}
      <p class="bad-text" role="alert">{wrong}</p>
    </form>
  )
}
