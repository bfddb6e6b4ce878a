// Requests of a moment in one body; several nodes; answers that are too large or come too late.

import { afterEach, expect, test, vi } from 'vitest'
import { Away, clientOf, NodeError, TooMuch } from '../src/chain/rpc'

afterEach(() => vi.unstubAllGlobals())

type Body = { id: number; method: string }[]

/** Nodes by URL: what each answers to a body. */
function nodes(answers: Record<string, (body: Body) => Response>) {
  const bodies: [string, Body][] = []
  vi.stubGlobal('fetch', async (url: string, { body }: { body: string }) => {
    const asked: Body = JSON.parse(body)
    bodies.push([url, asked])
    return answers[url]!(asked)
  })
  return { bodies, client: clientOf(Object.keys(answers)) }
}

const echo = (body: Body) => Response.json([...body].reverse().map(({ id, method }) => ({ id, result: method })))
const fails = (code: number, message = 'no') => (body: Body) => Response.json(body.map(({ id }) => ({ id, error: { code, message, data: '0x12' } })))
const ask = (method: string) => ({ method, params: [] })

test('requests of a moment go in one body, each gets its answer, and no body has more than a hundred', async () => {
  const { bodies, client } = nodes({ a: echo })
  const names = Array.from({ length: 120 }, (_, i) => `m${i}`)
  expect(await Promise.all(names.map((name) => client.request(ask(name))))).toEqual(names)
  expect(bodies.map(([, body]) => body.length)).toEqual([100, 20])
})

test('another node is asked where one is away, or refuses', async () => {
  for (const broken of [() => new Response('', { status: 502 }), fails(-32000), () => new Response('<html>')]) {
    const { client } = nodes({ a: broken, b: echo })
    expect(await client.request(ask('x'))).toBe('x')
  }
})

test('what contracts refuse is refused at once, with its data', async () => {
  const { bodies, client } = nodes({ a: fails(3, 'execution reverted'), b: echo })
  await expect(client.request(ask('x'))).rejects.toMatchObject({ code: 3, data: '0x12' })
  expect(bodies).toHaveLength(1)
})

test('a node that is away is asked twice', async () => {
  let times = 0
  const { client } = nodes({ a: (body) => (times++ ? echo(body) : new Response('', { status: 503 })) })
  expect(await client.request(ask('x'))).toBe('x')
  const { client: gone, bodies } = nodes({ a: () => new Response('', { status: 503 }) })
  await expect(gone.request(ask('x'))).rejects.toBeInstanceOf(Away)
  expect(bodies).toHaveLength(2)
})

test('errors in an error page, or one for all, are those of each request', async () => {
  const error = { error: { code: -32600, message: 'batch refused' } }
  for (const answer of [() => Response.json(error, { status: 400 }), () => Response.json(error), () => Response.json([error])]) {
    const { client } = nodes({ a: answer })
    const found = await Promise.allSettled([client.request(ask('x')), client.request(ask('y'))])
    expect(found.map((each) => each.status === 'rejected' && each.reason instanceof NodeError && each.reason.message)).toEqual(['batch refused', 'batch refused'])
  }
})

test('an answer that is too large hides no other', async () => {
  const { client } = nodes({ a: (body) => (body.some(({ method }) => method === 'huge') ? new Response('x'.repeat(11 * 2 ** 20)) : echo(body)) })
  const [small, huge] = await Promise.allSettled([client.request(ask('x')), client.request(ask('huge'))])
  expect(small).toMatchObject({ value: 'x' })
  expect(huge).toMatchObject({ reason: expect.any(TooMuch) })
})

test('too much is said so: by the node, or of its answer', async () => {
  await expect(nodes({ a: () => new Response('', { status: 413 }) }).client.request(ask('x'))).rejects.toBeInstanceOf(TooMuch)
  await expect(nodes({ a: () => new Response('x'.repeat(11 * 2 ** 20)) }).client.request(ask('x'))).rejects.toBeInstanceOf(TooMuch)
})
