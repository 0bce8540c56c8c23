// The examples of the README, and of the guide to ports, do what they say; the first one is run on real mounts, in test-host.

import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSimulatedMountkeeper } from '../src/simulated.js'
import { attach } from './examples/attach.js'
import { rehearse } from './examples/rehearse.js'

const pages = ['../README.md', '../docs/write-a-port.md']
  .map((page) => readFileSync(new URL(page, import.meta.url), 'utf8'))
  .join('\n')
const folder = new URL('./examples/', import.meta.url)

test.each(readdirSync(folder))('%s stands in its page as it is run here', (name) => {
  expect(pages).toContain(
    `\`\`\`${name.endsWith('.ts') ? 'ts' : 'js'}\n${readFileSync(new URL(name, folder), 'utf8')}\`\`\`\n`,
  )
})

const disk = {
  mountpoint: '/srv/mounts/scratch',
  filesystem: { type: 'tmpfs', source: 'scratch', options: [] },
  volume: 'scratch',
  consumer: 'vm-1',
}

test('attach tries again what may pass, and says what is in the way', async () => {
  const keeper = await openSimulatedMountkeeper({ root: '/srv/mounts' })
  keeper.host.inject({ effect: 'Mount', fault: { _tag: 'Fails', worked: false } })
  expect(await attach(keeper, disk)).toBe('added, mounted')
  const other = { ...disk, filesystem: { ...disk.filesystem, source: 'other' }, consumer: 'vm-2' }
  expect(await attach(keeper, other)).toBe('in use by scratch')
})

test('rehearse sees a mount that fails, one that does not, and a holder after a crash', async () => {
  expect(await rehearse()).toEqual(['MountFailed', 'mounted', 'already-held'])
})
