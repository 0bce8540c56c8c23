// What is shown of a manager that has ended: each mountpoint with something of ours, and each effect that still runs.

import { effectId, emptyHost } from '@mountkeeper/core'
import type { Answer, Entry, Host, Phase, Request } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { hearAttached } from '../src/attached.js'
import { leftBehind } from '../src/left-behind.js'
import { SETTINGS } from './settings.js'
import { good, look, settled } from './world.js'

const hostWith = (mountpoints: Readonly<Record<string, readonly [Phase, number]>>): Host => {
  const host = emptyHost(SETTINGS)
  for (const [path, [phase, count]] of Object.entries(mountpoints)) {
    const entry = { record: { phase }, holders: { count } } as unknown as Entry
    host.mountpoints.set(path, entry)
  }
  return host
}

const MOUNTED = { mountpoint: '/m/a', phase: 'mounted', holders: 2 }
const DISCOVER = { _tag: 'Discover', effect: effectId(9), roots: [], known: [], deadlineMs: 1 } as const

describe('left behind', () => {
  const host = hostWith({ '/m/a': ['mounted', 2], '/m/b': ['absent', 0], '/m/c': ['vacant', 0] })

  test('is each mountpoint with something of ours, in the order of the records', () => {
    expect(leftBehind(host, [])).toEqual([MOUNTED, { mountpoint: '/m/c', phase: 'vacant', holders: 0 }])
  })

  test('is what runs, before that, with its process where that is known, and each mountpoint once', () => {
    const running = [
      { effect: look(1, '/m/a'), overdue: false, pid: undefined },
      { effect: look(2, '/m/b'), overdue: true, pid: 7 },
      { effect: look(3, '/m/new'), overdue: true, pid: undefined },
      { effect: DISCOVER, overdue: false, pid: 8 },
    ] as const
    expect(leftBehind(host, running as Parameters<typeof leftBehind>[1])).toStrictEqual([
      { ...MOUNTED, running: 'Look' },
      { mountpoint: '/m/b', phase: 'absent', holders: 0, running: 'Look', overdue: true, pid: 7 },
      { mountpoint: '/m/new', phase: 'absent', holders: 0, running: 'Look', overdue: true },
      { mountpoint: undefined, phase: 'absent', holders: 0, running: 'Discover', pid: 8 },
      { mountpoint: '/m/c', phase: 'vacant', holders: 0 },
    ])
  })
})

describe('who hears of attaches', () => {
  const attach = { op: 'attach', mountpoint: '/m/a' } as unknown as Request
  const status: Request = { op: 'status' }
  const attached = { ok: true, result: { _tag: 'Attached' } } as unknown as Answer
  const refused = { ok: false, error: { _tag: 'HostDown' } } as unknown as Answer

  const hear = (answer: Answer): { heard: ReturnType<typeof hearAttached>; said: string[]; complaints: string[] } => {
    const said: string[] = []
    const complaints: string[] = []
    const heard = hearAttached(
      () => Promise.resolve(answer),
      (of, why) => complaints.push(`${of}: ${why}`),
    )
    return { heard, said, complaints }
  }

  test.each([
    ['an attach that is attached', attach, attached, ['/m/a']],
    ['an attach that is refused', attach, refused, []],
    ['an attach with another answer', attach, good(1 as never), []],
    ['another request', status, attached, []],
  ])('%s', async (_, request, answer, expected) => {
    const { heard, said } = hear(answer)
    const end = heard.onAttached((mountpoint) => said.push(mountpoint))
    expect(await heard.submit(request)).toBe(answer)
    await settled()
    end()
    await heard.submit(request)
    await settled()
    expect(said).toEqual(expected)
  })

  test('each listener of its own, until it has ended that, or has thrown too often', async () => {
    const { heard, said, complaints } = hear(attached)
    const endFirst = heard.onAttached(() => said.push('first'))
    const endSecond = heard.onAttached(() => {
      said.push('second')
      endFirst()
      throw new Error('no')
    })
    const endThird = heard.onAttached(() => said.push('third'))
    for (let round = 0; round < 5; round += 1) {
      await heard.submit(attach)
      await settled()
    }
    expect(said.filter((each) => each === 'third')).toHaveLength(5)
    expect(said.filter((each) => each === 'second')).toHaveLength(3)
    expect(said.filter((each) => each === 'first')).toHaveLength(1)
    expect(complaints).toHaveLength(3)
    endSecond()
    endThird()
  })

  test('no function is refused', () => {
    const { heard } = hear(attached)
    expect(() => heard.onAttached('log' as never)).toThrow('onAttached: expected a function')
  })
})
