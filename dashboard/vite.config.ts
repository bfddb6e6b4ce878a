import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const BUDGET = 90_000 // bytes of gzipped JavaScript

/** Prints each script's gzipped size, and fails the build where together they are over the budget. */
function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle(_, bundle) {
      let total = 0
      for (const item of Object.values(bundle)) {
        if (item.type !== 'chunk') continue
        const size = gzipSync(item.code).length
        total += size
        console.log(`${item.fileName}: ${size} bytes gzipped`)
      }
      console.log(`JavaScript: ${total} of at most ${BUDGET} bytes gzipped`)
      if (total > BUDGET) this.error(`the page has ${total} bytes of gzipped JavaScript; ${BUDGET} at most`)
    },
  }
}

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../hansa/cli/page', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  plugins: [budget()],
  test: { testTimeout: 120_000 }, // ms; a busy machine fails no test
})
