// Moments and ages as they are shown. All times are UTC.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** To the minute: 26 Nov 2026, 21:22. */
export function date(seconds: number): string {
  const at = new Date(1000 * seconds)
  return `${day(seconds)} ${at.getUTCFullYear()}, ${at.toISOString().slice(11, 16)}`
}

/** 26 Nov */
export function day(seconds: number): string {
  const at = new Date(1000 * seconds)
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
}

/** An age below an hour: "12 s ago", "3 min ago". */
export const ago = (age: number): string => (age < 60 ? `${Math.floor(age)} s ago` : `${Math.floor(age / 60)} min ago`)
