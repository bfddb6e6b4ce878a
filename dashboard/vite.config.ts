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

const READ_BY_TOOLS = ['internalType', 'stateMutability', 'anonymous']
const OF_PERMITS = /permit|nonce|domain|2612|ECDSA|String/i // which the page's token need not have

/** The contracts' ABIs without what the page does not read. */
function bareAbis(): Plugin {
  return {
    name: 'bare-abis',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/artifacts\/\w+\.json$/.test(id)) return null
      const { abi } = JSON.parse(code) as { abi: { name?: string }[] }
      const kept = id.endsWith('RewardToken.json') ? abi.filter(({ name = 'permit' }) => !OF_PERMITS.test(name)) : abi
      return JSON.stringify({ abi: kept }, (key, value: unknown) => (READ_BY_TOOLS.includes(key) ? undefined : value))
    },
  }
}

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../hansa/cli/page', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  plugins: [bareAbis(), budget()],
  test: { testTimeout: 120_000 }, // ms; a busy machine fails no test
})
