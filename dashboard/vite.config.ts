import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { keccak256 } from 'viem/utils'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const BUDGETS = { first: 90_000, late: 12_000 } // bytes of gzipped JavaScript: all that loads with the page, and what it fetches later

/** Prints each script's gzipped size, and fails the build where those that load at first, or those that come later, are over their budget. */
function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((item) => item.type === 'chunk')
      const first = new Set(chunks.filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName))
      for (const name of first) for (const each of chunks.find((chunk) => chunk.fileName === name)?.imports ?? []) first.add(each)
      const total = { first: 0, late: 0 }
      for (const { fileName, code } of chunks) {
        const size = gzipSync(code).length
        total[first.has(fileName) ? 'first' : 'late'] += size
        console.log(`${fileName}: ${size} bytes gzipped`)
      }
      console.log(`JavaScript: ${total.first} of at most ${BUDGETS.first} bytes gzipped at first, ${total.late} of at most ${BUDGETS.late} later`)
      for (const when of ['first', 'late'] as const) {
        if (total[when] > BUDGETS[when]) this.error(`the page has ${total[when]} bytes of gzipped JavaScript (${when}); ${BUDGETS[when]} at most`)
      }
    },
  }
}

/** StakedCommittee: HybridCommittee's code is the same. */
const KINDS = ['AppointedCommittee', 'StakedCommittee', 'TrainerCommittee', 'OpenAdmission', 'CredentialAdmission', 'ReputationAdmission']

/** `virtual:deciders`: what only later scripts need, so that it is in none that loads at first. By which a contract is known to be one of ours, as
 * hansa/runtime/chain/bytecode.py does, but in a few bytes: the hash of its runtime code without the values of its immutables, and where these
 * stand; and the sentences of hansa/protocol/tables.json about such contracts. */
function deciders(): Plugin {
  const id = 'virtual:deciders'
  const read = (path: string) => JSON.parse(readFileSync(new URL(`../hansa/${path}.json`, import.meta.url), 'utf8'))
  const of = (name: string) => {
    const made: Made = read(`runtime/chain/artifacts/${name}`)
    const start = 2 + 2 * made.runtime_start
    let code = made.bytecode.slice(start, start + 2 * made.runtime_size)
    const gaps = Object.values(made.immutables)
    for (const place of gaps.flat()) code = code.slice(0, 2 * place) + '0'.repeat(64) + code.slice(2 * place + 64)
    return { name, size: made.runtime_size, gaps, hash: keccak256(`0x${code}`) }
  }
  const sentences = ['admissions', 'committees', 'standing']
  const load = () => {
    const tables = read('protocol/tables')
    return [['KINDS', KINDS.map(of)], ...sentences.map((name) => [name, tables[name]])].map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`).join('\n')
  }
  return { name: 'deciders', resolveId: (asked) => (asked === id ? `\0${id}` : null), load: (asked) => (asked === `\0${id}` ? load() : null) }
}

/** Loads a later script by `import` alone: it has no styles and nothing else to fetch. */
function plainImport(): Plugin {
  const helper = '\0vite/preload-helper.js'
  return { name: 'plain-import', enforce: 'pre', load: (id) => (id === helper ? 'export const __vitePreload = (load) => load()' : null) }
}

interface Made {
  bytecode: string
  runtime_start: number
  runtime_size: number
  immutables: Record<string, number[]>
}

interface Abi {
  abi: { type: string; name?: string; inputs?: object[]; outputs?: object[] }[]
}

const UNASKED = [
  ...['deposit', 'bond', 'bookRound', 'bookFees', 'burn', 'close'], // of the vault, by the federation alone
  ...['permit', 'nonces', 'DOMAIN_SEPARATOR', 'eip712Domain', 'EIP712DomainChanged', 'totalSupply', 'name', 'Approval', 'Transfer'], // of the token
  ...['historyOf', 'keyOf', 'phaseAt', 'trainerAt', 'roundOf'], // of federation and vault
]
/** Of contracts that not every job has: what is asked of them, and their events that are read. */
const READ: Record<string, string[]> = {
  StakedCommittee: ['poolTerms', 'appointed', 'stakeOf', 'stakers', 'weightAt', 'Staked', 'Slashed'],
  CredentialAdmission: ['credentials', 'schema', 'issuers'],
  ReputationAdmission: ['federation', 'minimum', 'jobs'],
  DidRegistry: ['changed', 'identityOwner', 'DIDOwnerChanged', 'DIDDelegateChanged', 'DIDAttributeChanged'],
  Credentials: ['credentialOf', 'latest', 'CredentialIssued'],
}
const UNMET = /^Committee_|^Federation_(?!JobRunning|NotSponsor|WrongPhase)|^ECDSA|^ERC2612|^Invalid|^StringTooLong|NotFederation$/ // errors of calls that the page never makes
const UNREAD = ['internalType', 'stateMutability', 'anonymous']

const unnamed = (parameters?: object[]) => parameters?.map((each) => ({ ...each, name: undefined }))

/** Leaves out of the committed ABIs what the page never reads: constructors, a few fields, the names of parameters that go by
 * their places, and errors, which Refusals.json has. */
function slimAbis(): Plugin {
  return {
    name: 'slim-abis',
    enforce: 'pre',
    transform(code, id) {
      const [, contract] = /artifacts\/(\w+)\.json$/.exec(id) ?? []
      if (!contract) return
      const { abi } = JSON.parse(code, (key, value: unknown) => (UNREAD.includes(key) || value === false ? undefined : value)) as Abi
      const errors = contract === 'Refusals' || contract === 'RewardToken'
      const usual = ({ type, name = '' }: Abi['abi'][number]) => type !== 'constructor' && (errors || type !== 'error') && !UNASKED.includes(name) && !UNMET.test(name)
      const read = abi.filter(READ[contract] ? ({ name }) => READ[contract]!.includes(name ?? '') : usual)
      return JSON.stringify({
        abi: read.map((one) => (one.type === 'function' ? { ...one, inputs: unnamed(one.inputs), outputs: unnamed(one.outputs) } : one)),
      })
    },
  }
}

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../hansa/cli/page', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false },
  plugins: [slimAbis(), deciders(), plainImport(), budget()],
  test: { testTimeout: 120_000 }, // ms; a busy machine fails no test
})
