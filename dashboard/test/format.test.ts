import { expect, test } from 'vitest'
import { escapeUntrusted } from '../src/protocol/text'
import { milli, nano, percent, times } from '../src/ui/format'
import { asAddress, misspelt } from '../src/wallet/requests'
import { read } from './vectors'

test.for(read('protocol').decimals as any[])('$units of 1e-$decimals is shown as $text, as the command line shows it', ({ units, decimals, places, text }) => {
  const shown = (decimals === 6 ? milli : nano)(BigInt(units), places)
  expect(shown.replace('−', '-')).toBe(text)
})

test('parts and multiples are rounded half to even too', () => {
  expect([percent(0.0625), percent(0.1875), times(0.125), times(0.375), times(2)]).toEqual(['6.2 %', '18.8 %', '×0.12', '×0.38', '×2.00'])
})

const ADDRESS = '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65'

test('an address is taken with its checksum, or in lower case; a wrong checksum is a typing mistake', () => {
  expect(asAddress(ADDRESS)).toBe(ADDRESS)
  expect(asAddress(ADDRESS.toLowerCase())).toBe(ADDRESS)
  const wrong = ADDRESS.replace('AA', 'Aa')
  expect([asAddress(wrong), misspelt(wrong)]).toEqual([null, true])
  expect([misspelt(ADDRESS), misspelt('0x12'), misspelt('')]).toEqual([false, false, false])
})

test.for(read('text') as [string, string][])('%j is shown as %j, as the command line shows it', ([text, seen]) => {
  expect(escapeUntrusted(text)).toBe(seen)
})
