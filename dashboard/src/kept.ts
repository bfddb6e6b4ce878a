// What this browser remembers for its reader; one that keeps nothing remembers as long as the page is open.

export function recalled(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

/** value: null forgets. */
export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    /* it lasts as long as the page */
  }
}
