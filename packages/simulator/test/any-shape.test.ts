// Requests of any shape against the whole manager, between requests that have to be served.

import type { Answer } from '@mountkeeper/core'
import { restore } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyValue, createSimulatedHost } from '../src/index.js'
import { numRuns, seed } from './corpus.js'

const VALUES = numRuns(100_000)
const BATCH = 500

type Method = (value: never) => () => Promise<unknown>

/** The ways in, one after the other. */
const waysOf = (manager: MountManager): readonly ((value: unknown) => Promise<unknown>)[] => {
  const methods = [manager.attach, manager.detach, manager.cancel, manager.retry, manager.forget, manager.allowNew]
  return [
    manager.submit,
    ...methods.map((method) => (value: unknown) => (method as Method)(value as never)()),
    (value) => manager.plan(value as never)(),
    manager.submit,
    (value) => Promise.resolve().then(() => manager.observed(value as never)),
  ]
}

test('values of any shape get one prompt answer each, and all requests between them are served', async () => {
  const host = createSimulatedHost()
  const defects: string[] = []
  const manager = await host.start({ onDefect: ({ why }) => void defects.push(why) })
  const ways = waysOf(manager)
  const values = fc.sample(anyValue, { numRuns: VALUES, seed: seed() })
  let invalid = 0
  for (let from = 0; from < values.length; from += BATCH) {
    let answered = 0
    const mine: Promise<unknown>[] = []
    const served = (asked: Promise<{ readonly _tag: string }>): void =>
      void mine.push(asked.then(({ _tag }) => expect(_tag).toBe('Right')))
    const disk = { mountpoint: `/srv/mounts/${from}`, volume: 'v', consumer: 'c' }
    served(manager.attach({ ...disk, filesystem: { type: 'tmpfs', source: 't', options: [] } })())
    const batch = values.slice(from, from + BATCH)
    for (const [index, make] of batch.entries()) {
      void ways[index % ways.length]!(make()).then((answer) => {
        answered += 1
        if (JSON.stringify(answer ?? null).includes('"Invalid"')) invalid += 1
      })
    }
    served(manager.detach(disk)())
    await host.timers.settle()
    await Promise.all(mine)
    await host.timers.settle()
    expect(answered).toBe(batch.length)
  }
  expect(defects).toEqual([])
  expect(invalid).toBeGreaterThan(VALUES / 2)
  // What became durable is what a restart reads.
  const facts = host.journal.facts
  expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
  expect(restore(host.settings, facts).mountpoints.size).toBe(manager.state.mountpoints.size)
  expect((await manager.stop()).ending._tag).toBe('Drained')
}, 120_000)

const INVALID: readonly (readonly [name: string, value: unknown, field: string])[] = [
  ['nothing', undefined, 'request'],
  ['an empty object', {}, 'op'],
  ['an operation that does not exist', { op: 'nonsense' }, 'op'],
  ['an attach without anything', { op: 'attach' }, 'mountpoint'],
  ['a number as consumer', { op: 'release', consumer: 7 }, 'consumer'],
  ['a time as text', { op: 'status', deadlineMs: '5s' }, 'deadlineMs'],
  ['a key that means nothing', { op: 'status', strange: 1 }, 'strange'],
  ['two targets of maintenance', { op: 'refuse-new', server: 's', mountpoint: '/srv/mounts/a' }, 'mountpoint'],
  ['no target of maintenance', { op: 'refuse-new' }, 'mountpoint'],
  [
    'a list of options that is a text',
    { op: 'attach', mountpoint: '/srv/mounts/a', filesystem: { type: 'tmpfs', source: 't', options: 'size=1m' } },
    'filesystem.options',
  ],
  [
    'an option without a file',
    {
      op: 'attach',
      mountpoint: '/srv/mounts/a',
      filesystem: { type: 'tmpfs', source: 't', options: ['ro', { name: 'n' }] },
    },
    'filesystem.options[1].secretFile',
  ],
  [
    'more than 64 KiB',
    {
      op: 'attach',
      mountpoint: '/srv/mounts/a',
      filesystem: { type: 'tmpfs', source: 't', options: Array.from({ length: 20 }, () => 'x'.repeat(4_000)) },
      volume: 'v',
      consumer: 'c',
    },
    'request',
  ],
]

test.each(INVALID)('%s is answered Invalid at once, with the field', async (_, value, field) => {
  const manager = await createSimulatedHost().start()
  const answer: Answer = await manager.submit(value)
  expect(answer).toMatchObject({ ok: false, error: { _tag: 'Invalid', field } })
})

test('a value that changes after it was submitted changes nothing that was asked', async () => {
  const host = createSimulatedHost()
  const manager = await host.start()
  const request = {
    op: 'attach',
    mountpoint: '/srv/mounts/a',
    filesystem: { type: 'tmpfs', source: 't', options: ['size=1m'] },
    volume: 'v',
    consumer: 'c',
  }
  const answer = manager.submit(request)
  request.filesystem.options.push('suid')
  request.filesystem.source = 'other'
  request.consumer = 'another consumer'
  expect(await answer).toMatchObject({ ok: true })
  request.filesystem.options.push('dev')
  expect(await manager.status()()).toMatchObject({
    right: {
      mountpoints: [
        { filesystem: { source: 't', options: ['size=1m'] }, holders: [{ consumer: 'c' }], layer: { source: 't' } },
      ],
    },
  })
  expect(JSON.stringify(host.journal.facts)).not.toMatch(/"suid"|other|somebody|"dev"/)
})

test('a method takes a wider value, and refuses a key that no request has', async () => {
  const manager = await createSimulatedHost().start()
  const disk = {
    mountpoint: '/srv/mounts/a',
    filesystem: { type: 'tmpfs', source: 't', options: [] },
    volume: 'v',
    consumer: 'c',
  }
  expect(await manager.attach(disk)()).toMatchObject({ right: { holder: 'added' } })
  expect(await manager.detach(disk)()).toMatchObject({ right: { holder: 'removed' } })
  const misspelt = { ...disk, deadlineMS: 5 }
  expect(await manager.attach(misspelt)()).toMatchObject({ left: { _tag: 'Invalid', field: 'deadlineMS' } })
})

test('a stop of any shape stops', async () => {
  for (const how of [
    null,
    7,
    { hard: 'yes', graceMs: 'long' },
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('no')
        },
      },
    ),
  ]) {
    const manager = await createSimulatedHost().start()
    expect((await manager.stop(how as never)).ending._tag).toBe('Drained')
  }
})
