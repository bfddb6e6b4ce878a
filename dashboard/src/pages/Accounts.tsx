/** The address book: every account that has a name. */
import { useState } from 'preact/hooks'
import { keep, useBook } from '../ui/book'
import { short } from '../ui/format'
import { Copy, Name } from '../ui/Name'
import { Section } from '../ui/parts'
import { NameForm, Rename } from '../ui/Rename'
import { Table } from '../ui/Table'
import { exported, imported } from '../view/book'
import { download } from './csv'

const MOST = 2 ** 20 // bytes of a file that are read

export function Accounts() {
  const { mine, given, problem } = useBook()
  const [said, say] = useState('')
  const take = async (file: File | undefined) => {
    try {
      keep(imported((await file?.slice(0, MOST).text()) ?? '', mine))
      say('The names of the file are in the book.')
    } catch (thrown) {
      say(`Nothing was taken over. ${(thrown as Error).message}`)
    }
  }
  return (
    <>
      <header class="title">
        <h1>Accounts</h1>
        <p>Names that you give are kept in this browser alone: nobody else sees them, and no server is told.</p>
      </header>
      <Section title="Look up an account">
        <form class="row" onSubmit={(event) => { event.preventDefault(); location.hash = `#/account/${encodeURIComponent(String(new FormData(event.currentTarget).get('account')).trim())}` }}>
          <input name="account" aria-label="Address of a trainer, validator or sponsor" placeholder="0x…" spellcheck={false} autocomplete="off" />
          <button type="submit" class="primary">Look up</button>
        </form>
      </Section>
      <Table
        caption="Names of accounts"
        empty="No account has a name yet."
        columns={[{ head: 'Name' }, { head: 'Account' }, { head: 'Named by' }, { head: 'Change' }]}
        rows={[...mine, ...given].map(([account]) => ({
          key: account,
          cells: [
            <Name of={account} kind="address" />,
            <span class="name"><span class="mono" title={account}>{short(account)}</span><Copy text={account} what="address" /></span>,
            mine.has(account) ? 'you' : 'hansa dashboard: its keystore',
            <Rename of={account} />,
          ],
        }))}
      />
      {problem && <p class="note">{problem}</p>}
      <Section title="Name an account"><NameForm /></Section>
      <Section title="Take the book along">
        <p class="note">A file of what you named, as JSON. A name that the file has replaces the book’s.</p>
        <div class="buttons">
          <button type="button" disabled={!mine.size} onClick={() => download('hansa-names.json', exported(mine), 'application/json')}>Export</button>
          <label class="file">
            Import <input type="file" accept=".json" onChange={({ currentTarget: field }) => void take(field.files?.[0]).then(() => (field.value = ''))} />
          </label>
        </div>
        <p role="status" class="wrap">{said}</p>
      </Section>
    </>
  )
}
