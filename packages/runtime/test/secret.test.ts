// What a service that embeds the manager gives as a secret: a reference everywhere, and a password as plain text nowhere (L38).

import { inspect } from 'node:util'
import type { AttachRequest } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MountManager } from '../src/index.js'
import { createMemoryJournal, createMountManager } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'

const VALUE = 'planted-4711'

beforeEach(() => {
  process.env['PLANTED'] = VALUE
})
afterEach(() => {
  delete process.env['PLANTED']
})

/** A manager, and all that its observer sees and its journal keeps. */
const observed = async (): Promise<{ readonly manager: MountManager; readonly seen: () => string }> => {
  const all: unknown[] = []
  const note = (...some: readonly unknown[]): void => void all.push(some)
  const journal = createMemoryJournal()
  const observer = { onBegin: note, onDecision: note, onEffectStarted: note, onReport: note, onAnswer: note }
  const settings = {
    ...SETTINGS,
    types: { cifs: typeRule('cifs', ['//nas/share']) },
    secrets: { directories: ['/etc/secrets'], environment: ['PLANTED'] },
  }
  const made = await createMountManager({ settings, host: createModelHost(['/srv/mounts']), journal, observer })()
  if (made._tag === 'Left') throw new Error(inspect(made.left))
  const up = await made.right.hostUp()()
  expect(up._tag).toBe('Right')
  return {
    manager: made.right,
    seen: () => inspect([all, made.right], { depth: null, maxArrayLength: null, maxStringLength: null }),
  }
}

const cifs = (filesystem: object): Omit<AttachRequest, 'op'> => ({
  mountpoint: '/srv/mounts/a',
  filesystem: { type: 'cifs', source: '//nas/share', options: [], ...filesystem },
  volume: 'v',
  consumer: 'c',
})

test.each([
  ['a file', { name: 'credentials', secretFile: '/etc/secrets/login' }, '/etc/secrets/login'],
  ['a variable', { name: 'credentials', secretEnvironment: 'PLANTED' }, 'PLANTED'],
])('a secret in %s is a reference in all that is seen and kept', async (_, option, reference) => {
  const { manager, seen } = await observed()
  expect(await manager.attach(cifs({ options: [option] }))()).toMatchObject({ right: { mount: 'mounted' } })
  expect(seen()).toContain(reference)
  expect(seen()).not.toContain(VALUE)
  await manager.stop()
})

test.each<[string, object]>([
  ['an option', { options: [`password=${VALUE}`] }],
  ['the user', { options: [`username=bob%${VALUE}`] }],
  ['a source', { source: `//bob:${VALUE}@nas/share` }],
  ['the place of a file', { options: [{ name: 'credentials', secretFile: VALUE }] }],
  ['the name of a secret', { options: [{ name: `pass=${VALUE}`, secretFile: '/etc/secrets/login' }] }],
  ['a key that means nothing', { password: VALUE }],
  ['an object that means nothing', { options: [{ name: 'credentials', password: VALUE }] }],
  ['the place of a list', { options: `password=${VALUE}` }],
])('a password as plain text in %s is refused without a trace of it', async (_, filesystem) => {
  const { manager, seen } = await observed()
  const answer = await manager.attach(cifs(filesystem))()
  expect(answer).toMatchObject({ left: { _tag: 'Invalid' } })
  expect(inspect(answer, { depth: null }) + seen()).not.toContain(VALUE)
  await manager.stop()
})
