/** Numbers and times as they are shown. Amounts are bigint from the chain to the screen. */

const BILLION = 1_000_000_000n

/** Smallest units as a decimal number, exact, thousands grouped: 1234500000000000000n, 18 → "1.2345". */
export function exact(value: bigint, decimals: number): string {
  const sign = value < 0n ? '−' : ''
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0')
  const whole = decimals ? digits.slice(0, -decimals) : digits
  const rest = decimals ? digits.slice(-decimals).replace(/0+$/, '') : ''
  return sign + grouped(whole) + (rest && `.${rest}`)
}

/** text: a sentence or a headline; table: a column; tile: a figure that stands for itself; plain: as the command line writes it, no zeros at the end. */
export type Form = 'text' | 'table' | 'tile' | 'plain'

/** Cut to two decimals, or `most`, never rounded up; "<0.01" where that would leave nothing. What is whole has none in a text, and from 1,000 up nothing in a tile. */
export function brief(value: bigint, decimals: number, form: Form = 'text', most = 2): string {
  const sign = value < 0n ? '−' : ''
  const size = value < 0n ? -value : value
  const places = Math.min(most, decimals)
  const [one, least] = [10n ** BigInt(decimals), 10n ** BigInt(decimals - places)]
  if (size > 0n && size < least) return `${sign}<0.${'0'.repeat(places - 1)}1`
  if (form === 'plain') return sign + exact(size - (size % least), decimals)
  const bare = !places || (form === 'text' && size % one === 0n) || (form === 'tile' && (size % one === 0n || size >= 1000n * one))
  return sign + (bare ? grouped(String(size / one)) : exactly(size / least, places))
}

const grouped = (digits: string) => digits.replace(/\B(?=(\d{3})+$)/g, ',')

/** A decimal number that a person typed, in smallest units; null where it is none, or has too many decimals. */
export function parsed(text: string, decimals: number): bigint | null {
  const match = /^(\d{1,30})(?:\.(\d+))?$/.exec(text.trim().replaceAll(',', ''))
  if (!match || (match[2] ?? '').length > decimals) return null
  return BigInt(match[1] + (match[2] ?? '').padEnd(decimals, '0'))
}

/** Units of 1e-9 with `places` decimals, rounded half to even, as the command line does. */
export function nano(value: bigint | null, places = 3): string {
  return value === null ? '–' : padded(value, 9, places)
}

/** Units of 1e-9 as thousandths. */
export function milli(value: bigint | null, places = 3): string {
  return value === null ? '–' : padded(value, 6, places)
}

/** A trainer's standing on chain, in millionths of 1. */
export const standing = (reputation: number): string => padded(BigInt(reputation), 6, 3)

function padded(value: bigint, decimals: number, places: number): string {
  const size = value < 0n ? -value : value
  const step = 10n ** BigInt(decimals - places)
  const [cut, rest] = [size / step, 2n * (size % step)]
  const kept = rest > step || (rest === step && cut % 2n === 1n) ? cut + 1n : cut
  return (value < 0n && kept ? '−' : '') + exactly(kept, places)
}

function exactly(size: bigint, places: number): string {
  const digits = size.toString().padStart(places + 1, '0')
  return `${grouped(digits.slice(0, -places))}.${digits.slice(-places)}`
}

/** A metric for a plot, whose axis has no more than seven digits. */
export const plotted = (value: bigint) => Number(value) / Number(BILLION)

/** Half to even; dear to make. */
const TENTHS = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false, roundingMode: 'halfEven' })

export const percent = (part: number) => `${TENTHS.format(100 * part)} %`

/** Seconds in words: "45 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  const steps: [number, string, number, string][] = [
    [60, 'min', 1, 's'],
    [3600, 'h', 60, 'min'],
    [86_400, 'd', 3600, 'h'],
  ]
  const [large, name, small, rest] = steps[s < 3600 ? 0 : s < 86_400 ? 1 : 2]!
  const left = Math.floor((s % large) / small)
  return `${Math.floor(s / large)} ${name}${left ? ` ${left} ${rest}` : ''}`
}

export const short = (text: string, head = 6, tail = 4) =>
  text.length > head + tail + 1 ? `${text.slice(0, head)}…${text.slice(-tail)}` : text

/** 'ENROL' → 'Enrol' */
export const capitalised = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).toLowerCase()

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

/** 1, 2, 3, 5 → "1–3, 5". */
export function ranges(numbers: number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const found: [number, number][] = []
  for (const n of sorted) {
    const last = found.at(-1)
    if (last && n === last[1] + 1) last[1] = n
    else found.push([n, n])
  }
  return found.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(', ')
}
