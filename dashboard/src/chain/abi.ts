// The committed ABIs, and events decoded by them.

import type { Abi, AbiEvent, AbiParameter, Hex } from 'viem'
import { concat, decodeAbiParameters, toEventSelector } from 'viem/utils'
import { abi as federationJson } from '../../../hansa/runtime/chain/artifacts/Federation.json'
import { abi as tokenJson } from '../../../hansa/runtime/chain/artifacts/RewardToken.json'
import { abi as vaultJson } from '../../../hansa/runtime/chain/artifacts/Vault.json'

export const federationAbi = federationJson as Abi
export const vaultAbi = vaultJson as Abi
export const tokenAbi = tokenJson as Abi
/** Some of the first tokens say their symbol in 32 bytes. */
export const shortSymbolAbi: Abi = [{ type: 'function', name: 'symbol', inputs: [], outputs: [{ name: '', type: 'bytes32' }], stateMutability: 'view' }]

/** An event's fields by name, as viem decodes them: numbers up to 48 bits, bigint above. */
export type Values = Readonly<Record<string, any>>

let known: ReadonlyMap<string, AbiEvent> | null = null // by selector; hashed when the first event comes

/** Name and fields of an event; null for an unknown topic. Throws where topics or data don't fit. */
export function decodeEvent(topics: readonly Hex[], data: Hex): { name: string; values: Values } | null {
  known ??= eventsOf([...federationAbi, ...vaultAbi])
  const event = known.get(topics[0] ?? '')
  return event ? { name: event.name, values: decodedAs(event, topics, data) } : null
}

/** An event's fields by name. Throws where topics or data don't fit. */
export function decodedAs(event: AbiEvent, topics: readonly Hex[], data: Hex): Values {
  const indexed = event.inputs.filter((input) => input.indexed)
  const plain = event.inputs.filter((input) => !input.indexed)
  if (topics.length !== 1 + indexed.length) throw new RangeError(`${topics.length} topics`)
  const values = [...named(plain, decodeAbiParameters(plain, data)), ...named(indexed, decodeAbiParameters(indexed, concat(topics.slice(1))))]
  return Object.fromEntries(values)
}

export function eventOf(abi: Abi, name: string): AbiEvent {
  const event = abi.find((item) => item.type === 'event' && item.name === name)
  if (event?.type !== 'event') throw new RangeError(`no event ${name}`)
  return event
}

/** The first topic of an event. */
export const selectorOf = (abi: Abi, name: string): Hex => toEventSelector(eventOf(abi, name))

/** The one output of a function, as an ABI parameter. */
export function outputOf(abi: Abi, name: string): AbiParameter {
  const found = abi.find((item) => item.type === 'function' && item.name === name)
  const output = found?.type === 'function' ? found.outputs[0] : undefined
  if (!output) throw new RangeError(`no function ${name}`)
  return output
}

function* named(inputs: readonly AbiParameter[], values: readonly unknown[]): Generator<[string, unknown]> {
  for (const [i, input] of inputs.entries()) yield [input.name ?? '', values[i]]
}

function eventsOf(abi: Abi): Map<string, AbiEvent> {
  return new Map(abi.filter((item) => item.type === 'event').map((event) => [toEventSelector(event), event]))
}
