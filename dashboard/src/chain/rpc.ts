// JSON-RPC over HTTP: the requests of a moment go in one body, to the first of some nodes that answers them.

import { asText } from '../protocol/text'

const TIMEOUT = 15_000 // ms
const [MOST, GATHER] = [100, 4] // requests in a body; ms for which they are gathered
const LARGEST = 10 * 2 ** 20 // bytes of an answer
const PAUSE = 150 // ms before the second try
const PASSING = [-32005, -32603] // errors of a node that may answer later
const REVERTED = 3
const TOO_MUCH = 413 // HTTP: the request, or what it asks for, is too large

/** What a node says instead of a result. */
export class NodeError extends Error {
  constructor(readonly code: unknown, message: string, readonly data: unknown) {
    super(message)
  }
}

/** That nothing came back, or an error page. */
export class Away extends Error {}

/** That the answer, or what was asked, is too large. */
export class TooMuch extends Error {}

export interface Request {
  method: string
  params: unknown[]
}

export interface Client {
  request: (asked: Request) => Promise<unknown>
}

/** Each request goes to the first node that has a result for it; what contracts refuse is refused everywhere. */
export function clientOf(urls: readonly string[]): Client {
  const nodes = urls.map((url) => new Node(url))
  const request = async (asked: Request) => {
    let failed: unknown
    for (const node of nodes) {
      try {
        return await node.ask(asked)
      } catch (error) {
        if (error instanceof NodeError && (error.code === REVERTED || /revert/i.test(error.message))) throw error
        failed = error
      }
    }
    throw failed
  }
  return { request }
}

interface Waiting {
  asked: Request
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

class Node {
  private waiting: Waiting[] = []

  constructor(private readonly url: string) {}

  async ask(asked: Request): Promise<unknown> {
    try {
      return await this.once(asked)
    } catch (error) {
      if (!(error instanceof Away || (error instanceof NodeError && PASSING.includes(error.code as number)))) throw error
      await new Promise((go) => setTimeout(go, PAUSE))
      return this.once(asked)
    }
  }

  private once(asked: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.waiting.length) setTimeout(() => this.send(), GATHER)
      if (this.waiting.push({ asked, resolve, reject }) === MOST) this.send()
    })
  }

  /** Where the answers to all are too large, each is asked alone: one contract's answer hides no other's. */
  private send(sent = this.waiting.splice(0)): void {
    if (!sent.length) return
    const body = JSON.stringify(sent.map(({ asked }, i) => ({ jsonrpc: '2.0', id: i + 1, ...asked })))
    posted(this.url, body).then(
      (answers) => sent.forEach((one, i) => settle(one, answerTo(answers, i + 1))),
      (error: unknown) => sent.forEach((one) => (error instanceof TooMuch && sent[1] ? this.send([one]) : one.reject(error))),
    )
  }
}

type Answer = { id?: unknown; result?: unknown; error?: { code?: unknown; message?: unknown; data?: unknown } } | null | undefined

/** A node that refuses all of them may say so once. */
function answerTo(answers: unknown, id: number): Answer {
  if (!Array.isArray(answers)) return answers as Answer
  return (answers as Answer[]).find((one) => one?.id === id) ?? (answers.length === 1 && (answers[0] as Answer)?.error ? (answers[0] as Answer) : null)
}

function settle({ resolve, reject }: Waiting, answer: Answer): void {
  if (answer?.error) reject(new NodeError(answer.error.code, asText(answer.error.message ?? answer.error), answer.error.data))
  else if (answer?.result === undefined) reject(new Error('no result'))
  else resolve(answer.result)
}

async function posted(url: string, body: string): Promise<unknown> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), TIMEOUT)
  try {
    const given = { method: 'POST', headers: { 'content-type': 'application/json' }, body, credentials: 'omit', referrerPolicy: 'no-referrer', signal: late.signal } as const
    const response = await fetch(url, given).catch(away)
    const text = await textOf(response)
    if (response.ok) return JSON.parse(text)
    if (response.status === TOO_MUCH) throw new TooMuch('too large')
    return refused(text)
  } finally {
    clearTimeout(timer)
  }
}

const away = (): never => {
  throw new Away('no answer')
}

/** The errors in the body of an error page. Throws Away where there are none. */
function refused(text: string): unknown {
  try {
    const found: unknown = JSON.parse(text)
    if (answerTo(found, 1)?.error) return found
  } catch {
    return away()
  }
  return away()
}

async function textOf(response: Response): Promise<string> {
  const [reader, decoder] = [response.body?.getReader(), new TextDecoder()]
  let [text, size] = ['', 0]
  while (reader) {
    const { done, value } = await reader.read().catch(away)
    if (done) break
    size += value.length
    if (size > LARGEST) {
      reader.cancel().catch(() => undefined)
      throw new TooMuch('too large')
    }
    text += decoder.decode(value, { stream: true })
  }
  return text + decoder.decode()
}
