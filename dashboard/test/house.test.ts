import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))
const LAYERS = [['problems.ts', 'pause.ts', 'dates.ts', 'kept.ts'], ['protocol'], ['chain', 'store'], ['view'], ['wallet'], ['ui'], ['charts'], ['pages'], ['Root.tsx'], ['main.tsx']]
const MAX_LINES = 300

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).map((name) => name.split(sep).join('/')).filter((name) => /\.tsx?$/.test(name)).sort()

const layerOf = (file: string) => LAYERS.findIndex((names) => names.includes(file.split('/')[0] ?? ''))

/** The project's own files that one imports, types too. */
function importsOf(file: string, read = (name: string) => readFileSync(join(SRC, name), 'utf8')): string[] {
  const found = [...read(file).matchAll(/^(?:import|export)\b[^'"]*?['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/gm)]
  return found.flatMap(([, plain, late]) => {
    const name = relative(SRC, join(SRC, dirname(file), plain ?? late ?? '')).split(sep).join('/')
    return name.startsWith('..') || /\.(css|json)$/.test(name) ? [] : [files.find((each) => [`${name}.ts`, `${name}.tsx`, name].includes(each)) ?? `${name}?`]
  })
}

/** A way from a file back to itself; null where there is none. */
function circle(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>()
  const from = (file: string, way: string[]): string[] | null => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return null
    for (const next of imports.get(file) ?? []) {
      const found = from(next, [...way, file])
      if (found) return found
    }
    done.add(file)
    return null
  }
  for (const file of imports.keys()) {
    const found = from(file, [])
    if (found) return found
  }
  return null
}

const IMPORTS = new Map(files.map((file) => [file, importsOf(file)]))

test('every file has its layer, and imports files that are there', () => {
  expect(files.filter((file) => layerOf(file) < 0)).toEqual([])
  expect([...IMPORTS].flatMap(([file, imported]) => imported.filter((name) => !files.includes(name)).map((name) => `${file} → ${name}`))).toEqual([])
})

test('a twin names the Python file that it follows', () => {
  const named = files.flatMap((file) => [...readFileSync(join(SRC, file), 'utf8').matchAll(/hansa\/[\w/]+\.(?:py|json)/g)].map(([path]) => path))
  expect(named).toContain('hansa/protocol/links.py')
  expect(named.filter((path) => !existsSync(join(SRC, '../..', path)))).toEqual([])
})

test('no circle of imports', () => {
  expect(circle(IMPORTS)?.join(' → ') ?? null).toBe(null)
})

test('no import runs up', () => {
  const up = [...IMPORTS].flatMap(([file, imported]) => imported.filter((name) => layerOf(name) > layerOf(file)).map((name) => `${file} → ${name}`))
  expect(up).toEqual([])
})

test('a circle is named, whatever leads into it', () => {
  const imports = new Map([['a', ['b']], ['b', ['c', 'd']], ['c', []], ['d', ['e']], ['e', ['b']]])
  expect(circle(imports)).toEqual(['b', 'd', 'e', 'b'])
  expect(circle(new Map([['a', ['b', 'c']], ['b', ['c']], ['c', []]]))).toBe(null)
})

test('imports of types, of several lines and again exported are seen', () => {
  const text = "import type { A } from './cid'\nimport {\n  b,\n  type C,\n} from '../problems'\nexport * from './exact'\nimport '../style.css'\nconst late = import('./pay')\n"
  expect(importsOf('protocol/x.ts', () => text)).toEqual(['protocol/cid.ts', 'problems.ts', 'protocol/exact.ts', 'protocol/pay.ts'])
})

test('phases that a job may do without are spelt out where their words, hashes and events are', () => {
  const spelt = /attest|sharesreleased|release_?time/i
  expect(files.filter((file) => spelt.test(readFileSync(join(SRC, file), 'utf8')))).toEqual(['chain/history/cycle.ts', 'protocol/hashes.ts', 'protocol/phases.ts'])
})

test('files stay short', () => {
  expect(files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > MAX_LINES)).toEqual([])
})
