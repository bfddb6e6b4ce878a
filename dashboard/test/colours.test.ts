import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Rgb = readonly [number, number, number]

const CSS = readFileSync(new URL('../src/tokens.css', import.meta.url), 'utf8')
const THEMES = { light: ':root', dark: ":root[data-theme='dark']" }
const THEME_NAMES = ['light', 'dark'] as const
const TRAINERS = ['t1', 't2', 't3', 't4', 't5', 't6']

/** What is written in which colour on which ground. */
const TEXTS: [string, string[]][] = [
  ['ink', ['paper', 'raised', 'running-tint', 'good-tint', 'bad-tint', 'open-tint', 'quiet-tint']],
  ['muted', ['paper', 'raised', 'quiet-tint']],
  ['accent', ['paper', 'raised', 'running-tint', 'good-tint', 'bad-tint', 'open-tint', 'quiet-tint']],
  ['on-accent', ['accent']],
  ['open', ['paper', 'raised', 'open-tint']],
  ['running', ['paper', 'raised', 'running-tint']],
  ['good', ['paper', 'raised', 'good-tint']],
  ['bad', ['paper', 'raised', 'bad-tint']],
  ['quiet', ['paper', 'raised', 'quiet-tint']],
  ['paper', ['bad']],
]

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const SIGHTS: Record<string, readonly number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
}

function tokens(selector: string): Record<string, Rgb> {
  const block = CSS.split(`${selector} {`)[1]!.split('}')[0]!
  return Object.fromEntries([...block.matchAll(/--([\w-]+): #([0-9a-f]{6});/g)].map(([, name, hex]) => [name!, rgb(hex!)]))
}

function rgb(hex: string): Rgb {
  return [0, 2, 4].map((at) => linear(parseInt(hex.slice(at, at + 2), 16) / 255)) as unknown as Rgb
}

function linear(part: number): number {
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}

const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b

function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function times(matrix: readonly number[], of: Rgb): Rgb {
  return [0, 3, 6].map((row) => matrix[row]! * of[0] + matrix[row + 1]! * of[1] + matrix[row + 2]! * of[2]) as unknown as Rgb
}

/** OKLab × 100, Ottosson 2020. */
function lab(colour: Rgb): Rgb {
  const cones = times([0.4122214708, 0.5363325363, 0.0514459929, 0.2119034982, 0.6806995451, 0.1073969566, 0.0883024619, 0.2817188376, 0.6299787005], colour)
  const roots = cones.map((part) => 100 * Math.cbrt(Math.max(0, part))) as unknown as Rgb
  return times([0.2104542553, 0.793617785, -0.0040720468, 1.9779984951, -2.428592205, 0.4505937099, 0.0259040371, 0.7827717662, -0.808675766], roots)
}

function distance(sight: readonly number[], one: Rgb, other: Rgb): number {
  const [a, b] = [one, other].map((colour) => lab(times(sight, colour).map((part) => Math.min(1, Math.max(0, part))) as unknown as Rgb)) as [Rgb, Rgb]
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

const of = (theme: 'light' | 'dark', name: string): Rgb => {
  const found = tokens(THEMES[theme])[name]
  if (!found) throw new Error(`no --${name}`)
  return found
}

test('both themes name the same colours', () => {
  expect(Object.keys(tokens(THEMES.dark))).toEqual(Object.keys(tokens(THEMES.light)))
})

test.for(THEME_NAMES)('%s: every text has a contrast of 4.5 to its ground', (theme) => {
  const weak = TEXTS.flatMap(([text, grounds]) => grounds.map((ground) => ({ pair: `${text} on ${ground}`, found: contrast(of(theme, text), of(theme, ground)) })))
  expect(weak.filter(({ found }) => found < 4.5)).toEqual([])
})

test.for(THEME_NAMES)('%s: every trainer’s colour stands out from the grounds', (theme) => {
  const weak = [...TRAINERS, 't7'].flatMap((name) => ['paper', 'raised'].map((ground) => ({ pair: `${name} on ${ground}`, found: contrast(of(theme, name), of(theme, ground)) })))
  expect(weak.filter(({ found }) => found < 3)).toEqual([])
})

test.for(THEME_NAMES.flatMap((theme) => Object.keys(SIGHTS).map((sight) => [theme, sight] as const)))('%s, %s: no two trainers look alike', ([theme, sight]) => {
  const pairs = TRAINERS.flatMap((one, i) => TRAINERS.slice(i + 1).map((other) => ({ pair: `${one} ${other}`, found: distance(SIGHTS[sight]!, of(theme, one), of(theme, other)) })))
  expect(pairs).toHaveLength(15)
  expect(pairs.filter(({ found }) => found < 10)).toEqual([])
})
