// Long work in slices: the page draws and answers keys in between.

const SLICE = 12 // ms

let since = 0

/** Lets everything else go first, where the last rest is long enough ago. */
export async function breathe(): Promise<void> {
  if (performance.now() - since < SLICE) return
  await (globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done))) // not every browser has it
  since = performance.now()
}
