// The table of those who wait, alone: each is answered once, and a core that answers any caller else is a defect.

import { requestId } from '@mountkeeper/core'
import type { Answer, RequestId } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { createUnanswered } from '../src/unanswered.js'
import { ask, good, virtualTimers } from './world.js'

const STOPPED = { _tag: 'Stopped' } as const

const table = () => {
  const timers = virtualTimers()
  const seen: Answer[] = []
  const passed: RequestId[] = []
  const unanswered = createUnanswered({
    timers,
    observer: { onAnswer: (answer) => void seen.push(answer) },
    lastRequest: 40,
    deadlineMs: 1_000,
    deadlinePassed: (request) => void passed.push(request),
  })
  return { ...unanswered, timers, seen, passed }
}

describe('a request', () => {
  test('that the core answers twice, or that no caller has asked, is a defect by its number', () => {
    const { ask: put, decided } = table()
    const request = put(ask('1'), undefined, () => undefined)
    expect(request).toBe(41)
    decided(good(request))
    expect(() => decided(good(request))).toThrow('the core answered retry 41 twice')
    expect(() => decided(good(requestId(7)))).toThrow('the core answered retry 7, which is not waiting')
    const nameless: Answer = { request: requestId(8), ok: false, error: STOPPED }
    expect(() => decided(nameless)).toThrow('the core answered a request 8, which is not waiting')
  })

  test('has no deadline once it is decided, and its own before that of the settings', async () => {
    const { ask: put, arm, decided, timers, passed } = table()
    const [usual, own, done] = [ask('1'), { ...ask('2'), deadlineMs: 10 }, ask('3')].map((body) =>
      put(body, undefined, () => undefined),
    )
    decided(good(done!))
    for (const request of [usual!, own!, done!]) arm(request)
    expect(timers.waiting()).toBe(2)
    await timers.advance(10)
    expect(passed).toEqual([own])
    decided(good(usual!))
    await timers.advance(1_000_000)
    expect(passed).toEqual([own])
  })

  test('is answered once: what was refused is not answered again', () => {
    const { ask: put, deliver, refuseAll, size, seen } = table()
    const got: Answer[] = []
    const first = put(ask('1'), undefined, (answer) => got.push(answer))
    const second = put({ op: 'release', consumer: 'vm-1' }, undefined, (answer) => got.push(answer))
    deliver(good(first))
    refuseAll(STOPPED)
    deliver(good(second))
    expect([got, seen, size()]).toStrictEqual([
      [good(first), { request: second, op: 'release', ok: false, error: STOPPED }],
      [good(first), { request: second, op: 'release', ok: false, error: STOPPED }],
      0,
    ])
  })

  test('that is turned away repeats as much of itself as there is', () => {
    const { turnAway, seen } = table()
    expect(turnAway({}, STOPPED)).toStrictEqual({ request: 41, ok: false, error: STOPPED })
    expect(turnAway({ id: 'x' }, STOPPED)).toStrictEqual({ request: 42, id: 'x', ok: false, error: STOPPED })
    expect(turnAway({ op: 'status' }, STOPPED)).toStrictEqual({ request: 43, op: 'status', ok: false, error: STOPPED })
    expect(seen).toHaveLength(3)
  })
})
