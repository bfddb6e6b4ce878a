// A job's spec, as hansa/protocol/spec.py. Its bytes are hashed before they come here.

import { filled, PRIVACY, RULES } from './tables'

export const MAX_BYTES = 65_536

export interface JobSpec {
  version: 1 | 2
  title: string
  about: string
  metric: string | null // what the task's metric measures
  frozen: Record<string, string> // SHA-256 by name of the files that nobody trains
  task: string
  settings: Record<string, unknown>
  steps: number
  bits: 8 | 16
  rule: string
  weights: 'equal' | 'bond'
  baselines: string[]
  publishKeys: boolean
  privacy: string
  group: number // least updates that are opened together
  shares: number // validators that it takes to open an update
  validation: string
  raw: string // canonical JSON
}

const NEUTRAL = { title: '', about: '', metric: null, frozen: {}, group: 0, shares: 0, validation: 'dealt', validation_set: null } // what version 1 lacks

/** Of version 2, or 1. Throws RangeError, naming the field. */
export function decodeSpec(data: Uint8Array): JobSpec {
  const raw = new TextDecoder().decode(data)
  const fields = { ...parsed(raw) }
  if (fields.version === 1) for (const [name, value] of Object.entries(NEUTRAL)) fields[name] ??= value
  checked('validation_set', fields.validation_set, (value): value is null => value === null)
  return {
    version: checked('version', fields.version, (value): value is 1 | 2 => value === 1 || value === 2),
    title: checked('title', fields.title, isText),
    about: checked('about', fields.about, isText),
    metric: checked('metric', fields.metric, (value): value is string | null => value === null || isText(value)),
    frozen: checked('frozen', fields.frozen, isTexts),
    task: checked('task', fields.task, isText),
    settings: checked('settings', fields.settings, isObject),
    steps: checked('steps', fields.steps, isCount),
    bits: checked('bits', fields.bits, (value): value is 8 | 16 => value === 8 || value === 16),
    rule: checked('rule', fields.rule, (value): value is string => isText(value) && Object.hasOwn(RULES, value)),
    weights: checked('weights', fields.weights, (value): value is 'equal' | 'bond' => value === 'equal' || value === 'bond'),
    baselines: checked('baselines', fields.baselines, (value): value is string[] => Array.isArray(value) && value.every(isText)),
    publishKeys: checked('publish_keys', fields.publish_keys, (value): value is boolean => typeof value === 'boolean'),
    privacy: checked('privacy', fields.privacy, (value): value is string => PRIVACY.some(({ name }) => name === value)),
    group: checked('group', fields.group, isCount),
    shares: checked('shares', fields.shares, isCount),
    validation: checked('validation', fields.validation, (value): value is string => value === 'dealt' || value === 'own'),
    raw,
  }
}

/** Who can see one update, as hansa/protocol/privacy.py. */
export const whoSees = ({ privacy: mode, group, shares }: JobSpec, seats: number): string =>
  filled(PRIVACY.find(({ name }) => name === mode)!.sees, { group, shares, seats })

function parsed(raw: string): Record<string, unknown> {
  let fields: unknown
  try {
    fields = JSON.parse(raw)
  } catch {
    throw new RangeError('the job spec is not JSON')
  }
  if (!isObject(fields)) throw new RangeError('the job spec is not a JSON object')
  return fields
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): value is number => Number.isSafeInteger(value)
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown): value is Record<string, string> => isObject(value) && Object.values(value).every(isText)

function checked<Kind>(name: string, value: unknown, fits: (value: unknown) => value is Kind): Kind {
  if (!fits(value)) throw new RangeError(`the job spec's ${name} is missing, or makes no sense`)
  return value
}
