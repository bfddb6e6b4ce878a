// Files by CID from a gateway that nobody has to trust: limited in time and size while they arrive, then hashed again.

import { StoreProblem } from '../problems'
import { digestOf, fromCid, toCid } from '../protocol/cid'

const PATIENCE = 30_000 // ms
const SLOWEST = 1_000 // bytes a ms, of files for which that is longer

interface Fetched {
  data: Uint8Array<ArrayBuffer>
  blocks: number
}

/** The file's bytes, whose CID is the one asked for. Throws StoreProblem, or RangeError for what is no CIDv0.
 * cap: bytes, once decompressed; patience: ms in all. */
export async function fetchFile(gateway: string, cid: string, cap: number, patience = Math.max(PATIENCE, cap / SLOWEST)): Promise<Fetched> {
  fromCid(cid)
  const data = await received(gateway, cid, cap, patience)
  const { digest, blocks } = await digestOf(data)
  const found = toCid(digest)
  if (found !== cid) throw new StoreProblem('wrong-bytes', cid, `${cid}: the gateway's bytes are those of ${found}`, 'Ask another gateway.')
  return { data, blocks }
}

async function received(gateway: string, cid: string, cap: number, patience: number): Promise<Uint8Array<ArrayBuffer>> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), patience)
  try {
    return await body(await answer(gateway, cid, late.signal), cid, cap)
  } catch (error) {
    throw late.signal.aborted ? down(cid, `it did not arrive in ${Math.ceil(patience / 1000)} s`) : error
  } finally {
    clearTimeout(timer)
  }
}

async function answer(gateway: string, cid: string, signal: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`${gateway.replace(/\/$/, '')}/${cid}`, { credentials: 'omit', referrerPolicy: 'no-referrer', signal })
  } catch {
    throw down(cid, 'the gateway does not answer')
  }
  if (response.status === 404) throw new StoreProblem('missing', cid, `${cid} is not in the store`, 'Ask who published it to keep it there.')
  if (!response.ok) throw down(cid, `the gateway answers ${response.status}`)
  return response
}

async function body(response: Response, cid: string, cap: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader()
  if (!reader) return new Uint8Array()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw down(cid, 'the gateway broke off')
    })
    if (done) break
    size += value.length
    if (size > cap) {
      await reader.cancel().catch(() => undefined)
      throw new StoreProblem('too-large', cid, `${cid} is larger than ${cap} bytes`, 'Nothing else was read of it.')
    }
    parts.push(value)
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

function down(cid: string, cause: string): StoreProblem {
  return new StoreProblem('down', cid, `${cid} can't be fetched: ${cause}`, 'Start the store, then reload.')
}
