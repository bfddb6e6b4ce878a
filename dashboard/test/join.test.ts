// Commands that a reader pastes into a terminal, and the file that goes with them.

import { expect, test } from 'vitest'
import { deploymentFile, parseDeployment } from '../src/chain/deployment'
import { quoted, taskWords } from '../src/protocol/shell'

test('a task that comes with Hansa needs no further word; one of one’s own is named', () => {
  expect(taskWords('heart')).toEqual([])
  expect(taskWords('my_task.py:Soil')).toEqual(['--task-file', 'my_task.py', '--allow', 'my_task.py'])
  expect(taskWords('soil.tasks:Soil')).toEqual(['--allow', 'soil.tasks'])
})

const HOSTILE = [
  '$(reboot).py:X', '`reboot`.py:X', 'a.py; reboot #.py:X', "a'b.py:X", 'a b.py:X', '-rf.py:X', '../../etc/a.py:X', '~/a.py:X', 'a\n.py:X', '\u202egnp.py:X',
  '$(reboot):X', 'a;reboot:X', '--debug:X', 'a b:X', ':X', 'a..b:X', 'a|b:X', '>x:X', 'a\nreboot:X',
]

test.for(HOSTILE)('nothing of %j gets into a command', (task) => {
  const words = taskWords(task)
  expect([['--task-file', 'TASK.py', '--allow', 'TASK.py'], ['--allow', 'MODULE']]).toContainEqual(words)
})

test('what a reader types stays one word', () => {
  expect(['me', '0', 'rows/of mine.csv', "it's", '$(x)', ''].map(quoted)).toEqual(['me', '0', "'rows/of mine.csv'", "'it'\\''s'", "'$(x)'", "''"])
})

const FILE = {
  name: 'demo', chain_id: 31337, rpc: ['http://127.0.0.1:8545'], federation: `0x${'11'.repeat(20)}`, vault: `0x${'22'.repeat(20)}`,
  token: `0x${'33'.repeat(20)}`, admission: `0x${'44'.repeat(20)}`, first_block: 2,
}

test('the file that is saved names the same federation, and no gateway that is only the page’s', () => {
  const saved = JSON.parse(deploymentFile(parseDeployment(JSON.stringify({ ...FILE, confirmations: 12, explorer: 'https://scan.test/', ws: 'ws://127.0.0.1:1', gateway: '/ipfs/' }))))
  expect(saved).toMatchObject({ ...FILE, confirmations: 12, explorer: 'https://scan.test' })
  expect(saved.store.kind).toBe('kubo')
  expect(saved).not.toHaveProperty('gateway')
})

test('register and credentials are in the file where the deployment has them', () => {
  const save = (fields: object) => JSON.parse(deploymentFile(parseDeployment(JSON.stringify({ ...FILE, ...fields }))))
  const both = { registry: `0x${'55'.repeat(20)}`, credentials: `0x${'66'.repeat(20)}` }
  expect(save(both)).toMatchObject(both)
  expect(Object.keys(save({ registry: null }))).not.toEqual(expect.arrayContaining(['registry']))
  expect(() => save({ registry: '0x12' })).toThrow('registry is missing, or makes no sense')
})
