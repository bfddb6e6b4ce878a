import { expect, test } from 'vitest'
import { escapeUntrusted } from '../src/protocol/text'
import { ago, date } from '../src/dates'
import { brief, exact, milli, nano, parsed, percent } from '../src/ui/format'
import { asAddress, misspelt } from '../src/wallet/requests'
import { read } from './vectors'

test.for(read('protocol').decimals as any[])('$units of 1e-$decimals is shown as $text, as the command line shows it', ({ units, decimals, places, text }) => {
  const shown = (decimals === 6 ? milli : nano)(BigInt(units), places)
  expect(shown.replace('−', '-')).toBe(text)
})

test('parts and multiples are rounded half to even too', () => {
  expect([percent(0.0625), percent(0.1875)]).toEqual(['6.2 %', '18.8 %'])
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

const HANSA = 10n ** 18n

test.for([
  // value, text, table, tile
  [0n, '0', '0.00', '0'],
  [100n * HANSA, '100', '100.00', '100'],
  [(625n * HANSA) / 10n, '62.50', '62.50', '62.50'],
  [1_724_999_999_999_999_999_996n, '1,724.99', '1,724.99', '1,724'],
  [HANSA / 100n, '0.01', '0.01', '0.01'],
  [HANSA / 100n - 1n, '<0.01', '<0.01', '<0.01'],
  [1n, '<0.01', '<0.01', '<0.01'],
  [-1n, '−<0.01', '−<0.01', '−<0.01'],
  [-589_911_842_035_671_154_688n, '−589.91', '−589.91', '−589.91'],
  [1_000n * HANSA, '1,000', '1,000.00', '1,000'],
] as const)('%s is short: %s in a text, %s in a table, %s on a tile', ([value, ...shown]) => {
  expect((['text', 'table', 'tile'] as const).map((form) => brief(value, 18, form))).toEqual(shown)
})

test('an amount is cut, never rounded up, whatever its token’s decimals', () => {
  for (const decimals of [0, 1, 2, 6, 18, 36]) {
    for (let value = 1n; value < 10n ** 30n; value = 7n * value + 3n) {
      const shown = brief(value, decimals)
      if (shown.startsWith('<')) expect(100n * value).toBeLessThan(10n ** BigInt(decimals))
      else {
        const kept = parsed(shown, decimals)!
        expect(kept).toBeLessThanOrEqual(value)
        expect(100n * (value - kept)).toBeLessThan(10n ** BigInt(Math.max(2, decimals)))
      }
      expect(parsed(exact(value, decimals), decimals)).toBe(value)
    }
  }
})

test('dates are to the minute, ages in one unit', () => {
  expect(date(Date.UTC(2026, 10, 26, 21, 22, 59) / 1000)).toBe('26 Nov 2026, 21:22')
  expect([ago(0.4), ago(59.9), ago(60), ago(3599)]).toEqual(['0 s ago', '59 s ago', '1 min ago', '59 min ago'])
})
