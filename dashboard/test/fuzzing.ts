// Inputs made of valid ones, as benchmarks/fuzzing/mutate.py makes them: blindly, from the corpus that both languages share.

import { readFileSync } from 'node:fs'

export interface Line {
  text?: string
  hex?: string
  accepted: boolean
  told?: string // the value, in the words of the Python decoder
}

/** A decoder's inputs, with what Python makes of them. */
export function corpusOf(name: string): Line[] {
  const text = readFileSync(new URL(`../../tests/fuzz/corpus/${name}.jsonl`, import.meta.url), 'utf8')
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line)
}

export const bytesOf = ({ text, hex = '' }: Line): Uint8Array => (text === undefined ? Uint8Array.from(Buffer.from(hex, 'hex')) : new TextEncoder().encode(text))

/** Numbers that its seed alone decides (mulberry32). */
export class Dice {
  constructor(private state: number) {}

  below(count: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count)
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }
}

const TOKENS = ['', '\0', '\ud800', '\udfff\ud800', '\ufeff', '\u202e', '\u2028', 'ſ', '١', '0x', 'NaN', '1e999', '-0', 'null', '{}', '[]', '"', '__proto__', 'f'.repeat(300), '0'.repeat(64), '9'.repeat(400)]
const SCALARS: unknown[] = [
  null, true, false, 0, -1, 0.5, 1e308, 2 ** 53, 1e21, '', '0x', '0x0', '-1', 'NaN', '\0', '\ud800', '0x' + '0'.repeat(40), '0x' + 'f'.repeat(64), {}, [], [[]],
  { toString: 1 }, { toString: null, valueOf: null }, { length: 3 }, { '': null }, 'a'.repeat(300), JSON.parse('{"__proto__": 1}'),
]

/** A text with one to three changes; JSON is changed by its values in three of four cases. */
export function mutated(dice: Dice, text: string, others: readonly string[]): string {
  if (dice.below(500) === 0) return dice.of(['['.repeat(1e5), '{"a":'.repeat(1e5), '['.repeat(1e4) + ']'.repeat(1e4), '9'.repeat(1e5), '\0'.repeat(1e5)])
  if (dice.below(4)) {
    try {
      const tree: unknown = JSON.parse(text)
      return JSON.stringify(changed(dice, tree))
    } catch {
      /* it is no JSON */
    }
  }
  let made = text
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const [at, size] = [dice.below(made.length + 1), dice.of([0, 1, 1, 2, 8, 64])]
    const other = dice.of(others)
    const put = dice.of([dice.of(TOKENS), String.fromCharCode(dice.below(256)), made.slice(at, at + size).repeat(2), other.slice(dice.below(other.length + 1)).slice(0, 64)])
    made = made.slice(0, at) + put + made.slice(at + size)
  }
  return made.slice(0, 2 ** 16)
}

function changed(dice: Dice, tree: unknown): unknown {
  if (typeof tree !== 'object' || tree === null || dice.below(50) === 0) return dice.of(SCALARS)
  const of = tree as Record<string, unknown>
  const keys = Object.keys(of)
  const key = keys.length ? dice.of(keys) : '0'
  const value = of[key]
  if (typeof value === 'object' && value !== null && dice.below(3)) of[key] = changed(dice, value)
  else if (typeof value === 'string' && dice.below(3) === 0) of[key] = mutated(dice, value, [value])
  else if (dice.below(6) === 0 && !Array.isArray(tree)) delete of[key]
  else of[key] = dice.of(SCALARS)
  return tree
}
