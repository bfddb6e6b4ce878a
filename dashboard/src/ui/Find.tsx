/** One field for jobs, accounts, transactions, files and names; the key / leads there. On a narrow screen an icon until it is used. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { useBook } from './book'
import { placeOf } from './find'

const FIELDS = 'input, textarea, select, [contenteditable]'

export function Find() {
  const { mine, given } = useBook()
  const field = useRef<HTMLInputElement>(null)
  const [missing, say] = useState(false)
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || (event.target as Element).closest(FIELDS)) return
      event.preventDefault()
      field.current?.focus()
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [])
  const go = (event: Event) => {
    event.preventDefault()
    const to = placeOf(field.current?.value ?? '', [...mine, ...given])
    say(!to)
    if (!to) return
    field.current!.value = ''
    field.current!.blur()
    location.hash = to
  }
  return (
    <form class="find" role="search" onSubmit={go}>
      <label for="find" title="Find (/)">
        <svg viewBox="0 0 16 16" aria-hidden="true" class="icon"><path d="M10.5 10.5L14 14M11.5 7a4.5 4.5 0 1 0-9 0a4.5 4.5 0 1 0 9 0z" /></svg>
        <span class="visually-hidden">Find a job, account, transaction or file</span>
      </label>
      <input
        ref={field} id="find" placeholder="Job, account, transaction or file" spellcheck={false} autocomplete="off" maxLength={200}
        onInput={() => say(false)} onBlur={() => say(false)}
      />
      <p role="status">{missing && 'Nothing here has this name. Found are a job by its number, an account or a transaction by its 0x…, a file by its Qm…, and names of your accounts.'}</p>
    </form>
  )
}
