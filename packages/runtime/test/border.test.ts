// Options of any shape: a manager is made, or refused with the option that cannot be used.

import { describe, expect, test } from 'vitest'
import { PLANNED_MAX, readOptions, readPlan, readStop } from '../src/border.js'
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

const none = (): undefined => undefined

const refusal = (options: unknown): string => {
  const read = readOptions(options)
  return read._tag === 'Right' ? 'read' : `${read.left.field}: ${read.left.why}`
}

test.each([
  [undefined, 'options: expected an object with settings, host and journal'],
  [null, 'options: expected an object with settings, host and journal'],
  [{ ...good(), host: undefined }, 'host: expected an object with run'],
  [{ ...good(), host: { run: 'now' } }, 'host: expected an object with run'],
  [{ ...good(), journal: undefined }, 'journal: expected an object with read and append'],
  [{ ...good(), journal: { read: none } }, 'journal: expected an object with append'],
  [{ ...good(), journal: { append: none } }, 'journal: expected an object with read'],
  [{ ...good(), inventory: { ask: none } }, 'inventory: expected an object with watch'],
  [{ ...good(), inventory: { watch: none } }, 'inventory: expected an object with ask'],
  [{ ...good(), timers: 7 }, 'timers: expected an object with now and after'],
  [{ ...good(), timers: { after: none } }, 'timers: expected an object with now'],
  [{ ...good(), timers: { now: none } }, 'timers: expected an object with after'],
  [{ ...good(), observer: 'all' }, 'observer: expected an object with hooks'],
  [{ ...good(), onDefect: {} }, 'onDefect: expected a function'],
])('options %# are refused with what was expected', (options, why) => {
  expect(refusal(options)).toBe(why)
})

test('ports may be functions with functions, or instances of classes, and what is optional may be left out', () => {
  const all = (): undefined => undefined
  const port = Object.assign(all, { run: all, read: all, append: all, ask: all, watch: all, now: all, after: all })
  const timers = Object.create(port) as unknown
  expect(refusal({ ...good(), host: port, journal: port, inventory: port, timers, observer: {}, onDefect: all })).toBe(
    'read',
  )
  expect(refusal({ ...good(), inventory: undefined, timers: undefined, onDefect: undefined })).toBe('read')
  expect(refusal(Object.assign(all, good()))).toBe('read')
})

describe('a plan of any shape', () => {
  const request = { op: 'release', consumer: 'vm-1' }
  const planned = (value: unknown): unknown => {
    const read = readPlan(value)
    return read._tag === 'Right' ? read.right : `${read.left.field}: ${read.left.why}`
  }

  test('that is right is copied', () => {
    expect(planned([])).toEqual([])
    expect(planned([request, request])).toEqual([request, request])
  })

  test('says which of its requests is wrong, and where', () => {
    expect(planned([request, { op: 'release' }])).toMatch(/^requests\[1\]\.consumer: /)
    expect(planned([request, request, 7])).toMatch(/^requests\[2\]: /)
  })

  test.each([undefined, null, {}, 'release', { length: 1, 0: request }])('%j is no list', (value) => {
    expect(planned(value)).toBe('requests: expected a list of requests')
  })

  test('has a limit', () => {
    const many: unknown[] = Array.from({ length: PLANNED_MAX })
    many[0] = 7
    expect(planned(many)).toMatch(/^requests\[0\]: /)
    expect(planned([...many, 7])).toBe(`requests: has more than ${PLANNED_MAX} entries`)
  })

  test('that throws when it is read is refused', () => {
    const list = new Proxy([], {
      get: () => {
        throw new Error('no')
      },
    })
    expect(planned(list)).toBe('requests: cannot be read: reading it threw an error; give a plain list')
  })
})

describe('how to stop', () => {
  test.each([
    [undefined, {}],
    [null, {}],
    [7, {}],
    ['hard', {}],
    [{}, { hard: false }],
    [{ hard: true }, { hard: true }],
    [{ hard: 1 }, { hard: false }],
    [{ graceMs: 0 }, { hard: false, graceMs: 0 }],
    [
      { hard: true, graceMs: 5 },
      { hard: true, graceMs: 5 },
    ],
    [{ graceMs: -1 }, { hard: false }],
    [{ graceMs: '5' }, { hard: false }],
    [{ graceMs: Number.NaN }, { hard: false }],
    [{ graceMs: Number.POSITIVE_INFINITY }, { hard: false }],
  ])('%j is read as %j', (value, options) => {
    expect(readStop(value)).toEqual(options)
  })

  test('that throws when it is read is none', () => {
    const options = Object.defineProperty({}, 'hard', {
      get: () => {
        throw new Error('no')
      },
    })
    expect(readStop(options)).toEqual({})
  })
})

test('options whose getters throw are refused', async () => {
  const options = Object.defineProperty({ ...good() }, 'settings', {
    get: () => {
      throw new Error('no')
    },
  })
  expect(await made(options)).toMatchObject({
    _tag: 'Invalid',
    field: 'options',
    why: 'cannot be read: reading one of them threw an error',
  })
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
