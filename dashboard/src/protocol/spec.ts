// A job's spec, as hansa/protocol/spec.py and hansa/protocol/baselines.py read it. Its bytes are hashed before they come here.

import type { Spec } from '../view/model'

export const MAX_BYTES = 65_536
const RULES = new Set(['validated_mean', 'mean', 'median', 'trimmed_mean', 'nnm_trimmed_mean'])
const LARGEST_WEIGHT = 255n
const DECIMAL = /^(-?)(0|[1-9][0-9]{0,8})(?:\.([0-9]{0,8}[1-9]))?$/
const PLACES = 9

/** Throws RangeError, naming the field. */
export function parseSpec(data: Uint8Array): Spec {
  const raw = new TextDecoder().decode(data)
  let fields: unknown
  try {
    fields = JSON.parse(raw)
  } catch {
    throw new RangeError('the job spec is not JSON')
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new RangeError('the job spec is not a JSON object')
  const of = fields as Record<string, unknown>
  return {
    task: checked('task', of.task, isText),
    settings: checked('settings', of.settings, isObject),
    steps: checked('steps', of.steps, (value): value is number => Number.isSafeInteger(value)),
    bits: checked('bits', of.bits, (value): value is 8 | 16 => value === 8 || value === 16),
    rule: checked('rule', of.rule, (value): value is string => isText(value) && RULES.has(value)),
    weights: checked('weights', of.weights, (value): value is 'equal' | 'bond' => value === 'equal' || value === 'bond'),
    baselines: checked('baselines', of.baselines, (value): value is string[] => Array.isArray(value) && value.every(isText)),
    publishKeys: checked('publish_keys', of.publish_keys, (value): value is boolean => typeof value === 'boolean'),
    raw,
  }
}

/** What a trainer's update weighs in the mean and in pay: 1, or its bond in units of the least bond. */
export function weightOf(weights: Spec['weights'], bond: bigint, minBond: bigint): bigint {
  if (weights === 'equal') return 1n
  const units = bond / minBond
  return units < LARGEST_WEIGHT ? units : LARGEST_WEIGHT
}

/** Those of 'NAME=DECIMAL' that can be read, in units of 1e-9; a plain name has no number. */
export function parseBaselines(texts: readonly string[]): { name: string; metric: bigint }[] {
  return texts.flatMap((text) => {
    const equals = text.lastIndexOf('=')
    const found = DECIMAL.exec(text.slice(equals + 1))
    if (equals < 1 || !found) return []
    const [, sign = '', whole = '', part = ''] = found
    return [{ name: text.slice(0, equals), metric: BigInt(sign + whole + part.padEnd(PLACES, '0')) }]
  })
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function checked<Kind>(name: string, value: unknown, fits: (value: unknown) => value is Kind): Kind {
  if (!fits(value)) throw new RangeError(`the job spec's ${name} is missing, or makes no sense`)
  return value
}
