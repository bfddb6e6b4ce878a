/** Fetches any CID and hashes its bytes in this page. */
import { useState } from 'preact/hooks'
import { isCid } from '../protocol/cid'
import { useApp } from '../ui/app'
import { Banner, ProblemBanner } from '../ui/Banner'
import { plural } from '../ui/format'
import { useLoad } from '../ui/load'
import { Name } from '../ui/Name'

export function Verify({ cid }: { cid: string }) {
  const [text, type] = useState(cid)
  return (
    <>
      <header class="title">
        <h1>Verify</h1>
        <p>A CID is the hash of a file. This page fetches the file, and hashes its bytes itself.</p>
      </header>
      <form
        class="ask"
        onSubmit={(event) => {
          event.preventDefault()
          location.hash = `#/verify/${encodeURIComponent(text.trim())}`
        }}
      >
        <label for="cid">CID of a model, update or spec</label>
        <div class="row">
          <input id="cid" value={text} onInput={(event) => type(event.currentTarget.value)} spellcheck={false} autocomplete="off" placeholder="Qm…" />
          <button type="submit" class="primary">Verify</button>
        </div>
      </form>
      {cid && (isCid(cid) ? <Result key={cid} cid={cid} /> : <Banner tone="bad" title="This is not a CID of Hansa">It begins with Qm and has 46 characters.</Banner>)}
    </>
  )
}

const KINDS = { model: 'A model', update: 'A sealed update', spec: 'A job spec', other: 'A file of another kind' }

function Result({ cid }: { cid: string }) {
  const { reader } = useApp()
  const { value, error, reload } = useLoad(`verify ${cid}`, () => reader.verify(cid))
  if (error) return <ProblemBanner error={error} retry={reload} />
  if (!value) return <p class="loading" role="status">Fetching and hashing…</p>
  return (
    <Banner tone="good" title="The bytes are those that the CID names">
      <p>
        {KINDS[value.kind]}: {value.bytes.toLocaleString('en')} bytes in {plural(value.blocks, 'block')}, hashed in this page.
      </p>
      <p class="whole"><Name of={cid} kind="cid" whole /></p>
    </Banner>
  )
}
