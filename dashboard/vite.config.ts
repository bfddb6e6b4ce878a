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

interface Abi {
  abi: { type: string; name?: string; inputs?: object[]; outputs?: object[] }[]
}

const UNASKED = [
  ...['permit', 'nonces', 'DOMAIN_SEPARATOR', 'eip712Domain', 'EIP712DomainChanged', 'totalSupply'], // of the token
  ...['historyOf', 'keyOf', 'phaseAt', 'trainerAt', 'roundOf'], // of federation and vault
]
const UNMET = /^Committee_|^Federation_(?!JobRunning|NotSponsor|WrongPhase)/ // errors of calls that the page never makes
const UNREAD = ['internalType', 'stateMutability', 'anonymous']

const unnamed = (parameters?: object[]) => parameters?.map((each) => ({ ...each, name: undefined }))

/** Leaves out of the committed ABIs what the page never reads: constructors, a few fields, the names of parameters that go by
 * their places, and errors, which Refusals.json has. */
function slimAbis(): Plugin {
  return {
    name: 'slim-abis',
    enforce: 'pre',
    transform(code, id) {
      if (!/artifacts\/\w+\.json$/.test(id)) return
      const { abi } = JSON.parse(code, (key, value: unknown) => (UNREAD.includes(key) || value === false ? undefined : value)) as Abi
      const errors = /(Refusals|RewardToken)\.json$/.test(id)
      const read = abi.filter(({ type, name = '' }) => type !== 'constructor' && (errors || type !== 'error') && !UNASKED.includes(name) && !UNMET.test(name))
      return JSON.stringify({
        abi: read.map((one) => (one.type === 'function' ? { ...one, inputs: unnamed(one.inputs), outputs: unnamed(one.outputs) } : one)),
      })
    },
  }
}

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../hansa/cli/page', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  plugins: [slimAbis(), budget()],
  test: { testTimeout: 120_000 }, // ms; a busy machine fails no test
})
