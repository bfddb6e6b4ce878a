// What the page decodes of strangers: it gives a value or throws its own error, quickly; and it reads what Python reads as Python does.
// The inputs are made blindly from the shared corpus, which Python's fuzzing found by following its own code.

import type { Hex } from 'viem'
import { bytesToHex } from 'viem/utils'
import { expect, test, vi } from 'vitest'
import { decodeEvent, federationAbi } from '../src/chain/abi'
import { decodedAnswer, nonsense, number, word } from '../src/chain/client'
import { parseDeployment } from '../src/chain/deployment'
import { eventIn, readLog, type Log } from '../src/chain/logs'
import { clientOf } from '../src/chain/rpc'
import { ChainProblem } from '../src/problems'
import { parseBaselines } from '../src/protocol/baselines'
import { fromCid } from '../src/protocol/cid'
import { decodeSheet } from '../src/protocol/sheet'
import { decodeSpec } from '../src/protocol/spec'
import { escapeUntrusted } from '../src/protocol/text'
import { parse } from '../src/ui/router'
import { defaults, imported } from '../src/view/book'
import { bytesOf, corpusOf, Dice, mutated, type Line } from './fuzzing'

const INPUTS = Number(process.env.HANSA_FUZZ ?? 10_000)
const MOST_SECONDS = 1

interface Decoder {
  name: string
  corpus: string // whose inputs it starts from
  decode: (text: string) => unknown
  throws: readonly (new (...given: any[]) => Error)[]
}

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null // the endpoint's to refuse
  }
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const hex = (text: string): Hex => bytesToHex(bytes(text))

const DECODERS: Decoder[] = [
  { name: 'CID', corpus: 'cid', decode: fromCid, throws: [RangeError] },
  { name: 'sheet', corpus: 'sheet', decode: (text) => decodeSheet(hex(text.slice(1)), text.charCodeAt(0) % 256 || 0), throws: [RangeError] },
  { name: 'spec', corpus: 'spec', decode: (text) => decodeSpec(bytes(text)), throws: [RangeError] },
  { name: 'baselines', corpus: 'baselines', decode: (text) => parseBaselines(text.split('\n')), throws: [] },
  { name: 'deployment', corpus: 'deployment', decode: parseDeployment, throws: [Error, SyntaxError] },
  { name: 'text', corpus: 'text', decode: (text) => escapeUntrusted(text), throws: [] },
  { name: 'event of a node', corpus: 'log', decode: (text) => readLog(json(text)), throws: [ChainProblem] },
  { name: 'event of the contracts', corpus: 'event', decode: (text) => eventIn({ ...(json(text) as object), topics: topicsOf(text) } as Log), throws: [ChainProblem] },
  { name: 'number and word of a node', corpus: 'rpc-values', decode: (text) => [number(json(text), 'x'), word(json(text), 'x')], throws: [ChainProblem] },
  { name: 'answer of a contract', corpus: 'event', decode: (text) => decodedAnswer(federationAbi, 'stateAt', (json(text) as Log)?.data), throws: [ChainProblem] },
  { name: 'nonsense', corpus: 'log', decode: (text) => nonsense('x', json(text)).message, throws: [] },
  { name: 'names', corpus: 'pinned-keys', decode: (text) => imported(text), throws: [RangeError] },
  { name: 'names of a server', corpus: 'pinned-keys', decode: (text) => defaults(text, new Map()), throws: [RangeError] },
  { name: 'place', corpus: 'did', decode: (text) => parse(`#/${text}`), throws: [] },
]

function topicsOf(text: string): Hex[] {
  const found = (json(text) as { topics?: unknown } | null)?.topics
  return Array.isArray(found) ? found.filter((one): one is Hex => typeof one === 'string') : []
}

test.for(DECODERS)('$name: a value or its own error, quickly', ({ name, corpus, decode, throws }) => {
  const dice = new Dice(name.length)
  const seeds = corpusOf(corpus).map(({ text, hex: raw = '' }) => text ?? Buffer.from(raw, 'hex').toString('latin1'))
  const faults: string[] = []
  for (let i = 0; i < INPUTS && faults.length < 5; i++) {
    const text = i < seeds.length ? seeds[i]! : mutated(dice, dice.of(seeds), seeds)
    const start = process.cpuUsage()
    try {
      decode(text)
    } catch (error) {
      const kind = (error as Error).constructor
      if (!throws.some((one) => kind === one || (one === ChainProblem && error instanceof ChainProblem))) faults.push(`${(error as Error).stack?.split('\n').slice(0, 4).join(' ')} of ${text.slice(0, 200)}`)
    }
    const { user, system } = process.cpuUsage(start)
    if (user + system > MOST_SECONDS * 1e6) faults.push(`${(user + system) / 1e6} s for ${text.length} characters`)
  }
  expect(faults).toEqual([])
})

test.for<unknown>([{ message: { toString: 1 } }, { code: { toString: 1 }, message: 'no' }, { message: 'no', toString: null }])('an error of a node that is no text: every request ends', async (error) => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ id: 1, error }))))
  const client = clientOf(['http://node'])
  const asked = [1, 2].map((each) => client.request({ method: `eth_${each}`, params: [] }))
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  vi.unstubAllGlobals()
})

test('a fault is found', () => {
  const dice = new Dice(1)
  const found = Array.from({ length: 2000 }, () => mutated(dice, '{"a": 1}', ['{"a": 1}'])).filter((text) => {
    try {
      String((json(text) as { a?: unknown } | null)?.a)
      return false
    } catch {
      return true
    }
  })
  expect(found.length).toBeGreaterThan(0)
})

// --- twins

/** tells: the value of an input as Python tells it. lenient: where the page may take what Python, which decides, refuses. */
interface Twin {
  corpus: string
  tells: (line: Line) => string
  lenient: boolean
}

const texts = (value: unknown): string => (typeof value === 'object' && value !== null ? `[${Object.values(value).map(texts).join(',')}]` : String(value).toLowerCase())

function eventTold({ text = '' }: Line): string {
  const found = decodeEvent(topicsOf(text), (json(text) as Log).data)
  if (!found) return 'unknown'
  const values = Object.entries(found.values).sort(([a], [b]) => (a < b ? -1 : 1))
  return [found.name, ...values.map(([name, value]) => `${name}=${texts(value)}`)].join(' ')
}

const TWINS: Twin[] = [
  { corpus: 'cid', lenient: false, tells: ({ text = '' }) => Buffer.from(fromCid(text)).toString('hex') },
  {
    corpus: 'sheet', lenient: false,
    tells: (line) => {
      const data = bytesOf(line)
      return decodeSheet(bytesToHex(data.slice(1)), data[0] ?? 0).map(({ code, gain, news }) => `${code},${gain},${news}`).join(' ')
    },
  },
  {
    corpus: 'spec', lenient: true, // its bytes were hashed: that they are canonical, and within the limits, daemons say
    tells: (line) => {
      const { task, title, steps, bits, rule, privacy, group, shares } = decodeSpec(bytesOf(line))
      return JSON.stringify([task, title, steps, bits, rule, privacy, group, shares])
    },
  },
  {
    corpus: 'deployment', lenient: true, // the public part
    tells: ({ text = '' }) => {
      const of = parseDeployment(text)
      return [of.chainId, of.federation, of.vault, of.token, of.admission, of.committee ?? 'null', of.firstBlock, of.rpc.length].join(' ')
    },
  },
  { corpus: 'baselines', lenient: true, tells: ({ text = '' }) => parseBaselines(text.split('\n')).map(({ name, metric }) => `${Buffer.from(name).toString('hex')},${metric}`).join(' ') },
  { corpus: 'event', lenient: true, tells: eventTold }, // zeros before an address are not looked at: a node that lies could give any
]

test.for(TWINS)('$corpus: as Python reads it', ({ corpus, tells, lenient }) => {
  const lines = corpusOf(corpus).filter((line) => (line.text !== undefined || corpus === 'sheet') && !isNamed(line.text))
  expect(lines.some(({ accepted }) => accepted) && lines.some(({ accepted }) => !accepted)).toBe(true)
  const differ = lines.flatMap((line) => {
    let told: string | null
    try {
      told = tells(line)
    } catch {
      told = null
    }
    const same = line.accepted ? told === normal(corpus, line.told) : lenient || told === null
    return same ? [] : [{ input: (line.text ?? line.hex)!.slice(0, 300), python: line.accepted ? line.told : null, page: told }]
  })
  expect(differ).toEqual([])
})

/** A deployment whose `confirmations` is the name of a block: `hansa dashboard` hands a count to the page. */
const isNamed = (text = ''): boolean => typeof (json(text) as { confirmations?: unknown } | null)?.confirmations === 'string'

/** Python's JSON has spaces, and escapes what is not ASCII. */
const normal = (corpus: string, told = ''): string => (corpus === 'spec' ? JSON.stringify(JSON.parse(told)) : told)
