// Text that comes from strangers, made fit to be shown, as hansa/protocol/text.py without what only terminals need.

/** What leaves no ink that tells it from a space, but for the plain space. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\u{16fe4}\u{1d159}]|(?! )\p{Zs}/gu

/** Every character that can't be seen, or changes direction, as \u{hexadecimal}; at most `most` characters, and how many there were. */
export function escapeUntrusted(text: string, most = 256): string {
  const points = Array.from(text)
  const cut = points.length > most ? [...points.slice(0, most), `… (${points.length} characters)`] : points
  return cut
    .map((point) => point.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`))
    .join('')
}

/** What somebody else's JSON holds, as text; an object's own toString, which may be anything, is not asked. */
export function asText(value: unknown, indent = 0): string {
  try {
    return typeof value === 'string' ? value : String(JSON.stringify(value, null, indent))
  } catch {
    return '[[…' // deeper than the stack
  }
}
