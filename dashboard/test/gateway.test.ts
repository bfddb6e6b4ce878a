import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { digestOf, toCid } from '../src/protocol/cid'
import { fetchFile } from '../src/store/gateway'

const DATA = new Uint8Array(600_000).fill(7)
const CID = toCid((await digestOf(DATA)).digest)

const gives = (answer: () => Response) => vi.stubGlobal('fetch', vi.fn(async () => answer()))

afterEach(() => vi.unstubAllGlobals())

test('a file of several blocks is taken', async () => {
  gives(() => new Response(DATA))
  expect(await fetchFile('/ipfs/', CID, 1_000_000)).toEqual({ data: DATA, blocks: 4 })
  expect(fetch).toHaveBeenCalledWith(`/ipfs/${CID}`, expect.anything())
})

test.for([
  ['wrong-bytes', () => new Response(DATA.slice(1)), 1_000_000],
  ['too-large', () => new Response(DATA), 599_999],
  ['missing', () => new Response('', { status: 404 }), 1_000_000],
  ['down', () => new Response('', { status: 502 }), 1_000_000],
  ['down', () => { throw new TypeError('refused') }, 1_000_000],
] as const)('%s', async ([kind, answer, cap]) => {
  gives(answer)
  await expect(fetchFile('/ipfs/', CID, cap)).rejects.toMatchObject({ name: 'StoreProblem', kind, cid: CID })
})

/** What fetchFile makes of a gateway that answers so, in so many ms. */
async function asked(answer: Parameters<typeof createServer>[1], cap: number, patience: number) {
  const server = createServer(answer).listen(0)
  try {
    return await fetchFile(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, CID, cap, patience).then(() => null, (error) => error)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test.for([['headers', false], ['bytes', true]] as const)('a gateway whose %s come one by one is waited for no longer than one that is away', async ([, begins]) => {
  const begun = performance.now()
  const problem = await asked(({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${DATA.length}\r\n${begins ? '\r\n' : 'slow: '}`)
    const more = setInterval(() => (socket.destroyed ? clearInterval(more) : socket.write('x')), 20)
  }, DATA.length, 300)
  expect(problem).toMatchObject({ kind: 'down', message: expect.stringContaining('did not arrive in 1 s') })
  expect(performance.now() - begun).toBeLessThan(5_000)
})

test('what is small and grows when it is decompressed is no larger than the cap', async () => {
  const problem = await asked((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(new Uint8Array(50_000_000)))
  }, 1_000_000, 30_000)
  expect(problem).toMatchObject({ kind: 'too-large' })
})

test('what is no CIDv0 is never asked for', async () => {
  gives(() => new Response(DATA))
  await expect(fetchFile('/ipfs/', '../deployment.json', 10)).rejects.toThrow(RangeError)
  expect(fetch).not.toHaveBeenCalled()
})
