// Asked by tests/e2e/test_page.py: writes what the reader says of job 1 behind the page at HANSA_PAGE to HANSA_VIEW.

import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseDeployment } from '../src/chain/deployment'
import { Reader } from '../src/view/reader'

const { HANSA_PAGE: page, HANSA_VIEW: path } = process.env

test.skipIf(!page || !path)('a running page', async () => {
  const deployment = parseDeployment(await (await fetch(`${page}deployment.json`)).text())
  const reader = new Reader({ ...deployment, gateway: `${page}ipfs/` })
  const [{ rows: jobs }, view] = await Promise.all([reader.jobs(20, () => [], () => undefined), reader.job(1)])
  const accounts = await Promise.all([...view.trainers, ...view.validators].map(({ address }) => reader.account(address)))
  for (const { cid } of view.cycles.flatMap((cycle) => cycle.updates)) expect(await reader.verify(cid)).toMatchObject({ kind: 'update' })
  const text = JSON.stringify({ jobs, view, accounts }, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  writeFileSync(path!, text)
})
