// Integer arithmetic as hansa/protocol/exact.py has it. Python's // rounds towards −∞, BigInt's / towards 0.

export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

export const abs = (value: bigint): bigint => (value < 0n ? -value : value)
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const sum = (values: Iterable<bigint>): bigint => [...values].reduce((total, value) => total + value, 0n)

export function ascending(values: readonly bigint[]): bigint[] {
  return [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** The smallest value with 2 * (weight of the values up to it) >= the total weight. */
export function weightedLowerMedian(weighted: readonly (readonly [value: bigint, weight: bigint])[]): bigint {
  const total = sum(weighted.map(([, weight]) => weight))
  let below = 0n
  for (const [value, weight] of [...weighted].sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0))) {
    below += weight
    if (2n * below >= total) return value
  }
  throw new RangeError('no median of nothing')
}

/** The smallest value with 2 * (weight of the values up to it) > the total weight. */
export function weightedUpperMedian(weighted: readonly (readonly [value: bigint, weight: bigint])[]): bigint {
  return -weightedLowerMedian(weighted.map(([value, weight]) => [-value, weight] as const))
}

/** Of two middle values the one nearer 0, the lower of −v and v. */
export function measurementMedian(values: readonly bigint[]): bigint {
  const ordered = ascending(values)
  const lower = at(ordered, (ordered.length - 1) >> 1)
  const upper = at(ordered, ordered.length >> 1)
  return abs(upper) < abs(lower) ? upper : lower
}

function at(values: readonly bigint[], index: number): bigint {
  const value = values[index]
  if (value === undefined) throw new RangeError('no median of nothing')
  return value
}
