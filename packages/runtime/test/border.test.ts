// Options of any shape: a manager is made, or refused with the option that cannot be used.

import { expect, test } from 'vitest'
import { createMemoryJournal, createMountManager } from '../src/index.js'
import type { MountManagerOptions } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'

const good = (): MountManagerOptions => ({
  settings: SETTINGS,
  host: createModelHost(['/srv/mounts']),
  journal: createMemoryJournal(),
})

const made = async (options: unknown): Promise<unknown> => {
  const created = await createMountManager(options as MountManagerOptions)()
  return created._tag === 'Right' ? 'made' : created.left
}

const wrong: readonly (readonly [field: string, options: unknown])[] = [
  ['options', undefined],
  ['options', 'all'],
  ['settings', {}],
  ['settings.roots', { ...good(), settings: { ...SETTINGS, roots: '/srv/mounts' } }],
  ['settings.roots[0].path', { ...good(), settings: { ...SETTINGS, roots: [{ path: 'srv', ladder: 'off' }] } }],
  ['settings.slots.local', { ...good(), settings: { ...SETTINGS, slots: { ...SETTINGS.slots, local: 0 } } }],
  [
    'settings.policies.lost',
    { ...good(), settings: { ...SETTINGS, policies: { ...SETTINGS.policies, lost: 'mount' } } },
  ],
  ['settings.types.tmpfs.options', { ...good(), settings: { ...SETTINGS, types: { tmpfs: { sources: ['*'] } } } }],
  ['settings.deadlineMs', { ...good(), settings: { ...SETTINGS, deadlineMs: {} } }],
  ['host', { ...good(), host: undefined }],
  ['journal', { ...good(), journal: { read: () => undefined } }],
  ['timers', { ...good(), timers: { now: 7 } }],
  ['inventory', { ...good(), inventory: null }],
  ['onDefect', { ...good(), onDefect: 'log' }],
]

test.each(wrong)('%s that cannot be used is refused by its name', async (field, options) => {
  expect(await made(options)).toMatchObject({ _tag: 'Invalid', field })
})

test('options whose getters throw are refused', async () => {
  const options = Object.defineProperty({ ...good() }, 'settings', {
    get: () => {
      throw new Error('no')
    },
  })
  expect(await made(options)).toMatchObject({ _tag: 'Invalid', field: 'options' })
})

test('settings that change later change nothing', async () => {
  const roots = [{ path: '/srv/mounts', ladder: 'off' as const }]
  const created = await createMountManager({ ...good(), settings: { ...SETTINGS, roots } })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  roots.pop()
  expect(created.right.state.settings.roots).toHaveLength(1)
})

test('a journal that throws when it is read has failed', async () => {
  const read = (): never => {
    throw new Error('no such disk')
  }
  expect(await made({ ...good(), journal: { ...createMemoryJournal(), read } })).toMatchObject({
    _tag: 'JournalFailed',
    why: 'the journal threw: Error: no such disk',
  })
})
