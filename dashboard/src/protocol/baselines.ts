// What a job's metric is compared with, as hansa/protocol/baselines.py reads it.

export interface Baseline {
  name: string
  metric: bigint // 1e-9
}

const PLACES = 9 // of a metric's decimals on chain
const DECIMAL = /^(-?)(0|[1-9][0-9]{0,8})(?:\.([0-9]{0,8}[1-9]))?$/

/** Those of 'NAME=DECIMAL' that can be read; a plain name has no number. */
export function parseBaselines(texts: readonly string[]): Baseline[] {
  return texts.flatMap((text) => {
    const equals = text.lastIndexOf('=')
    const found = DECIMAL.exec(text.slice(equals + 1))
    if (equals < 1 || !found) return []
    const [, sign = '', whole = '', part = ''] = found
    return [{ name: text.slice(0, equals), metric: BigInt(sign + whole + part.padEnd(PLACES, '0')) }]
  })
}
