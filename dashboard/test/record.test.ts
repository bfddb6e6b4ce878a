// Writes test/jobs/*.json anew, where the contracts have changed: HANSA_RPC=http://127.0.0.1:8545 npx vitest run test/record.test.ts,
// with a fresh `anvil --accounts 12 --auto-impersonate` there. The acts are those of test/plays.ts; the demo's come from
// test/jobs/demo.acts.json (written by tests/vectors/write/demo_acts.py), the rest is what the contracts and the node make of them.

import { writeFileSync } from 'node:fs'
import { createTestClient, http, publicActions, walletActions } from 'viem'
import { expect, test } from 'vitest'
import { Stage } from './play'
import { peopleOf, PLAYS } from './plays'
import { fileOf } from './recorded'

const { HANSA_RPC: rpc } = process.env

test.skipIf(!rpc)('each job is played on a chain of its own, and written down', async () => {
  const chain = createTestClient({ mode: 'anvil', transport: http(rpc!) }).extend(publicActions).extend(walletActions)
  const accounts = await chain.getAddresses()
  expect(accounts).toHaveLength(12)
  for (const [name, steps] of Object.entries(PLAYS)) {
    const snapshot = await chain.snapshot()
    const stage = await Stage.at(rpc!)
    await stage.play(steps(peopleOf(accounts)))
    writeFileSync(fileOf(name), written(await stage.facts()))
    await chain.revert({ id: snapshot })
  }
})

/** A line for each row of each list. */
function written(facts: object): string {
  const text = (value: unknown) => (Array.isArray(value) && Array.isArray(value[0]) ? `[\n${value.map((row) => ` ${JSON.stringify(row)}`).join(',\n')}\n]` : JSON.stringify(value))
  return `{\n${Object.entries(facts).map(([name, value]) => `"${name}": ${text(value)}`).join(',\n')}\n}\n`
}
