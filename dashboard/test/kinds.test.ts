import { expect, test } from 'vitest'
import type { Hex } from 'viem'
import { kindOf } from '../src/chain/kinds'
import { readArtifact } from './vectors'

const KINDS = ['AppointedCommittee', 'StakedCommittee', 'TrainerCommittee', 'OpenAdmission', 'CredentialAdmission', 'ReputationAdmission']

/** Code as it is on chain; each immutable has the same value at all its places, or `other` at the last. */
function deployed(name: string, other?: string): Hex {
  const { bytecode, runtime_start, runtime_size, immutables } = readArtifact(name)
  let code: string = bytecode.slice(2 + 2 * runtime_start, 2 + 2 * (runtime_start + runtime_size))
  for (const [i, places] of (Object.values(immutables) as number[][]).entries())
    for (const [n, at] of places.entries()) code = code.slice(0, 2 * at) + (n && other ? other : `${i + 1}`.repeat(64)) + code.slice(2 * at + 64)
  return `0x${code}`
}

test.for(KINDS)('%s is known by its code, whatever its immutables', (name) => {
  const code = deployed(name)
  expect(kindOf(code)).toBe(name)
  expect(kindOf(`0x${code.slice(2).toUpperCase()}`)).toBe(name)
})

test.for(KINDS)('one byte more, or another, and it is not %s', (name) => {
  const code = deployed(name)
  expect(kindOf(`${code}00`)).toBe(null)
  expect(kindOf(`${code.slice(0, -2)}${code.endsWith('00') ? '01' : '00'}` as Hex)).toBe(null)
})

test('an immutable with two values is none of ours', () => {
  expect(kindOf(deployed('StakedCommittee', 'f'.repeat(64)))).toBe(null)
})

test('pools have one code: whether some members are named tells them apart', () => {
  expect(kindOf(deployed('HybridCommittee'))).toBe('StakedCommittee')
})

test('an account without code is nothing of ours', () => {
  expect(kindOf('0x')).toBe(null)
})
