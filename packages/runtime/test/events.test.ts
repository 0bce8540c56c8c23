import type { Decision, Host, Phase } from '@mountkeeper/core'
import { emptyHost } from '@mountkeeper/core'
import type { Mountpoint } from '@mountkeeper/core/state'
import { absentMountpoint, noHolders } from '@mountkeeper/core/state'
import { describe, expect, test } from 'vitest'
import type { HostEvent } from '../src/index.js'
import { createEventWatch } from '../src/index.js'
import { SETTINGS } from './settings.js'
import { ask, settled, world } from './world.js'

const PATH = '/srv/mounts/a'

const decisionOf = (record: Mountpoint | undefined): Decision => ({
  changes: [{ _tag: 'Record', path: PATH, record }],
  append: [],
  then: { answers: [], effects: [] },
})

const put = (host: Host, phase: Phase, instance: number, holders: number): Mountpoint => {
  const record = { ...absentMountpoint(PATH, '/srv/mounts', 0), phase, instance }
  host.mountpoints.set(PATH, { record, holders: { ...noHolders(), count: holders } })
  return record
}

/** Walks a mountpoint through phases; `phase*` is a new instance. */
const walk = (holders: number, ...phases: readonly string[]): readonly string[] => {
  const host = emptyHost(SETTINGS)
  const watch = createEventWatch()
  const told: HostEvent[] = []
  let instance = 0
  for (const word of phases) {
    const phase = word.replace('*', '') as Phase
    if (word.endsWith('*')) instance += 1
    const record = phase === 'absent' ? undefined : { ...absentMountpoint(PATH, undefined, 0), phase, instance }
    told.push(...watch.seen(host, 5, decisionOf(record)))
    if (record === undefined) host.mountpoints.delete(PATH)
    else put(host, phase, instance, holders)
  }
  return told.map((event) => ('was' in event ? `${event._tag} ${event.was} > ${event.is}` : event._tag))
}

describe('events', () => {
  test('report once that a managed root has changed', () => {
    const decision = { ...decisionOf(undefined), changes: [{ _tag: 'RootChanged', root: '/srv/mounts' }] } as const
    const told = createEventWatch().seen(emptyHost(SETTINGS), 5, decision)
    expect(told).toEqual([{ _tag: 'RootChanged', at: 5, root: '/srv/mounts' }])
  })

  test('report nothing of a life without surprises', () => {
    expect(walk(1, 'looking', 'making', 'mounting', 'mounted*', 'looking', 'mounted')).toEqual([])
    expect(walk(0, 'mounted*', 'looking', 'unmounting', 'removing', 'absent')).toEqual([])
  })

  test('report a loss once, and the end of it', () => {
    expect(walk(1, 'mounted*', 'looking', 'lost', 'looking', 'lost', 'looking', 'mounting', 'mounted*')).toEqual([
      'Lost mounted > lost',
      'Remounted lost > mounted',
    ])
  })

  test('report a mount that an attach found gone and renewed', () => {
    expect(walk(2, 'mounted*', 'looking', 'mounting', 'mounted*')).toEqual(['Remounted mounted > mounted'])
  })

  test('report a vacant mountpoint and what became of it', () => {
    expect(walk(0, 'mounted*', 'looking', 'unmounting', 'vacant', 'looking', 'unmounting', 'vacant')).toEqual([
      'Vacant mounted > vacant',
    ])
    expect(walk(0, 'vacant', 'looking', 'unmounting', 'removing', 'absent')).toEqual([
      'Vacant absent > vacant',
      'Settled vacant > absent',
    ])
  })

  test('report uncertainty and its end', () => {
    expect(walk(1, 'mounted*', 'uncertain', 'looking', 'uncertain', 'looking', 'mounted')).toEqual([
      'Uncertain mounted > uncertain',
      'Settled uncertain > mounted',
    ])
  })

  test('begin with what already rests: only its end is reported', () => {
    const host = emptyHost(SETTINGS)
    put(host, 'vacant', 1, 0)
    const watch = createEventWatch()
    const looking = { ...absentMountpoint(PATH, undefined, 0), phase: 'looking' as const, instance: 1 }
    expect(watch.seen(host, 5, decisionOf(looking))).toEqual([])
    put(host, 'looking', 1, 0)
    expect(watch.seen(host, 6, decisionOf(undefined))).toEqual([
      { _tag: 'Settled', at: 6, mountpoint: PATH, was: 'vacant', is: 'absent', instance: 1 },
    ])
  })

  test('report a directory that stays where a vacant mountpoint was', () => {
    expect(walk(0, 'vacant', 'looking', 'unmounting', 'leftover', 'looking', 'removing', 'absent')).toEqual([
      'Vacant absent > vacant',
      'Settled vacant > leftover',
    ])
  })

  test('report a mount that was renewed while its state was uncertain, and none of one without a holder', () => {
    expect(walk(1, 'mounted*', 'uncertain', 'looking', 'mounting', 'mounted*')).toEqual([
      'Uncertain mounted > uncertain',
      'Remounted uncertain > mounted',
    ])
    expect(walk(0, 'mounted*', 'looking', 'mounting', 'mounted*')).toEqual([])
  })

  test.each([
    [1, 'lost', 'Lost mounted > lost'],
    [0, 'vacant', 'Vacant absent > vacant'],
  ] as const)(
    'begin in the middle: with %i holders a mountpoint that is looked at, then %s',
    (holders, phase, said) => {
      const host = emptyHost(SETTINGS)
      put(host, 'looking', 3, holders)
      const record = { ...absentMountpoint(PATH, undefined, 0), phase, instance: 3 }
      const [event, ...more] = createEventWatch().seen(host, 5, decisionOf(record))
      expect(more).toEqual([])
      expect(event).toMatchObject({ at: 5, mountpoint: PATH, instance: 3 })
      expect(event && 'was' in event && `${event._tag} ${event.was} > ${event.is}`).toBe(said)
    },
  )

  test('report drift that a reconcile found, and none where an answer has no differences', () => {
    const difference = { _tag: 'foreign', mountpoint: PATH, text: 'not ours' } as const
    const seen = (answer: object): readonly HostEvent[] =>
      createEventWatch().seen(emptyHost(SETTINGS), 5, {
        ...decisionOf(undefined),
        changes: [],
        then: { answers: [{ request: 1, ...answer } as never], effects: [] },
      })
    const result = { _tag: 'Reconciled', differences: [difference] }
    expect(seen({ op: 'reconcile', ok: true, result })).toEqual([{ _tag: 'Drift', at: 5, difference }])
    expect(seen({ op: 'reconcile', ok: false, error: { _tag: 'HostDown', reason: 'x' } })).toEqual([])
    expect(seen({ op: 'retry', ok: true, result: { _tag: 'Retried' } })).toEqual([])
  })

  test('report drift that a host-up found, when durable, to those who listen then', async () => {
    const difference = { _tag: 'foreign', mountpoint: PATH, text: 'not ours' } as const
    const { loop, journal } = world(
      (input) =>
        input._tag !== 'Requested'
          ? {}
          : {
              facts: ['f'],
              answers: [
                {
                  request: input.request,
                  op: 'host-up',
                  ok: true,
                  result: { _tag: 'Up', generation: 1, drift: [difference], warnings: [] },
                },
              ],
            },
      { journal: 'by hand' },
    )
    const heard: string[] = []
    const off = loop.subscribe((event) => heard.push(`one ${event._tag}`))
    void loop.subscribe((event) => heard.push(`two ${event._tag}`))
    void loop.submit(ask('1'))
    await settled()
    expect(heard).toEqual([])
    await journal.keep()
    expect(heard).toEqual(['one Drift', 'two Drift'])
    off()
    void loop.submit(ask('2'))
    await settled()
    await journal.keep()
    expect(heard.slice(2)).toEqual(['two Drift'])
  })
})
