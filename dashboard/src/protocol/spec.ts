// A job's spec, as hansa/protocol/spec.py. Its bytes are hashed before they come here.

import { RULES } from './tables'

export const MAX_BYTES = 65_536

export interface JobSpec {
  task: string
  settings: Record<string, unknown>
  steps: number
  bits: 8 | 16
  rule: string
  weights: 'equal' | 'bond'
  baselines: string[]
  publishKeys: boolean
  raw: string // canonical JSON
}

/** Throws RangeError, naming the field. */
export function decodeSpec(data: Uint8Array): JobSpec {
  const raw = new TextDecoder().decode(data)
  let fields: unknown
  try {
    fields = JSON.parse(raw)
  } catch {
    throw new RangeError('the job spec is not JSON')
  }
  if (!isObject(fields)) throw new RangeError('the job spec is not a JSON object')
  return {
    task: checked('task', fields.task, isText),
    settings: checked('settings', fields.settings, isObject),
    steps: checked('steps', fields.steps, (value): value is number => Number.isSafeInteger(value)),
    bits: checked('bits', fields.bits, (value): value is 8 | 16 => value === 8 || value === 16),
    rule: checked('rule', fields.rule, (value): value is string => isText(value) && Object.hasOwn(RULES, value)),
    weights: checked('weights', fields.weights, (value): value is 'equal' | 'bond' => value === 'equal' || value === 'bond'),
    baselines: checked('baselines', fields.baselines, (value): value is string[] => Array.isArray(value) && value.every(isText)),
    publishKeys: checked('publish_keys', fields.publish_keys, (value): value is boolean => typeof value === 'boolean'),
    raw,
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function checked<Kind>(name: string, value: unknown, fits: (value: unknown) => value is Kind): Kind {
  if (!fits(value)) throw new RangeError(`the job spec's ${name} is missing, or makes no sense`)
  return value
}
