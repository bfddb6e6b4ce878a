/** Where a text leads that somebody types into the header's field. */
import { looks } from '../view/book'

/** A hash route; null where nothing has this name. names: of accounts. */
export function placeOf(text: string, names: Iterable<readonly [string, string]>): string | null {
  const asked = text.trim()
  const [, digits] = /^(?:0x)?([0-9a-f]+)$/i.exec(asked) ?? []
  if (digits?.length === 40) return `#/account/0x${digits}`
  if (digits?.length === 64) return `#/tx/0x${digits}`
  const [, job] = /^#?0*([1-9]\d{0,8})$/.exec(asked) ?? []
  if (job) return `#/job/${job}`
  if (/^Qm\w+$/.test(asked)) return `#/verify/${asked}`
  const seen = asked.length < 200 && looks(asked)
  for (const [account, name] of names) if (seen && looks(name) === seen) return `#/account/${account}`
  return null
}
