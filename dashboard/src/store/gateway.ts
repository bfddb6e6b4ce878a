// Files by CID from a gateway that nobody has to trust: capped in bytes and time while they arrive, then hashed again.

import { StoreProblem } from '../problems'
import { digestOf, fromCid, toCid } from '../protocol/cid'

const SECONDS = 300 // for the whole of a file
const SLOW = 'the gateway takes too long'

interface Fetched {
  data: Uint8Array
  blocks: number
}

/** The file's bytes, whose CID is the one asked for. Throws StoreProblem, or RangeError for what is no CIDv0. */
export async function fetchFile(gateway: string, cid: string, cap: number, seconds = SECONDS): Promise<Fetched> {
  fromCid(cid)
  const end = AbortSignal.timeout(seconds * 1000)
  const data = await body(await answer(gateway, cid, end), cid, cap, end)
  const { digest, blocks } = await digestOf(data)
  const found = toCid(digest)
  if (found !== cid) throw new StoreProblem('wrong-bytes', cid, `${cid}: the gateway's bytes are those of ${found}`, 'Ask another gateway.')
  return { data, blocks }
}

async function answer(gateway: string, cid: string, end: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`${gateway.replace(/\/$/, '')}/${cid}`, { credentials: 'omit', referrerPolicy: 'no-referrer', signal: end })
  } catch {
    throw down(cid, end.aborted ? SLOW : 'the gateway does not answer')
  }
  if (response.status === 404) throw new StoreProblem('missing', cid, `${cid} is not in the store`, 'Ask who published it to keep it there.')
  if (!response.ok) throw down(cid, `the gateway answers ${response.status}`)
  return response
}

async function body(response: Response, cid: string, cap: number, end: AbortSignal): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return new Uint8Array()
  end.addEventListener('abort', () => void reader.cancel().catch(() => undefined))
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw down(cid, end.aborted ? SLOW : 'the gateway broke off')
    })
    if (end.aborted) throw down(cid, SLOW)
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
