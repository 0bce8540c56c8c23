// Functions of an embedder that throw or reject, one guard at a time; and timers that fail.

import { describe, expect, test } from 'vitest'
import type { Observer, Timers } from '../src/index.js'
import { ERRORS_MAX, errorWords, guardedListener, guardedObserver, soundTimers } from '../src/guard.js'
import { downReason } from '../src/follow.js'
import { settled, virtualTimers } from './world.js'

const complaints = (): { said: string[]; causes: unknown[]; complain: Parameters<typeof guardedListener>[1] } => {
  const said: string[] = []
  const causes: unknown[] = []
  return { said, causes, complain: (of, why, cause) => void (said.push(`${of}: ${why}`), causes.push(cause)) }
}

const UNSHOWN = {
  toString: () => {
    throw new Error('no')
  },
}

test('what an error says', () => {
  expect([new Error('no'), 'late', 7, undefined, UNSHOWN].map(errorWords)).toEqual([
    'no',
    'late',
    '7',
    'undefined',
    'a value that cannot be shown',
  ])
})

describe('a listener', () => {
  test('that throws is reported each time, the last time with what follows, and is over once', () => {
    const { said, causes, complain } = complaints()
    let calls = 0
    let over = 0
    const wrong = new Error('no')
    const listener = guardedListener(
      () => {
        calls += 1
        throw wrong
      },
      complain,
      () => (over += 1),
    )
    for (let call = 0; call < 10; call += 1) {
      listener('news')
      expect(over).toBe(call < ERRORS_MAX - 1 ? 0 : 1)
    }
    expect({ calls, over }).toEqual({ calls: ERRORS_MAX, over: 1 })
    expect(said).toEqual([
      ...Array.from({ length: ERRORS_MAX - 1 }, () => 'listener: a listener threw: no'),
      'listener: a listener threw: no; it has thrown 3 times and is no longer called',
    ])
    expect(causes).toEqual(Array.from({ length: ERRORS_MAX }, () => wrong))
  })

  test('whose promises are rejected together is reported no more often', async () => {
    const { said, complain } = complaints()
    let over = 0
    const rejecting: (news: string) => unknown = (news) => Promise.reject(new Error(news))
    const listener = guardedListener(rejecting, complain, () => (over += 1))
    for (let call = 0; call < 10; call += 1) listener('late')
    await settled()
    expect({ over, said: said.length }).toEqual({ over: 1, said: ERRORS_MAX })
  })

  test.each([undefined, null, 7, 'text', {}, { then: 7 }, () => 7])('may give %s back', async (result) => {
    const { said, complain } = complaints()
    const giving: (news: string) => unknown = () => result
    guardedListener(giving, complain, () => undefined)('news')
    await settled()
    expect(said).toEqual([])
  })

  test('that gives anything with a rejecting `then` is reported', async () => {
    const { said, complain } = complaints()
    const promised = { then: (_: unknown, reject: (why: Error) => void) => reject(new Error('no')) }
    const giving: (news: string) => unknown = () => promised
    guardedListener(giving, complain, () => undefined)('news')
    await settled()
    expect(said).toEqual(['listener: a listener threw: no'])
  })
})

describe('an observer', () => {
  test('that is absent stays absent, and so do its hooks', () => {
    const { complain } = complaints()
    expect(guardedObserver(undefined, complain)).toBeUndefined()
    expect(Object.keys(guardedObserver({ onAnswer: () => undefined }, complain) ?? {})).toEqual(['onAnswer'])
    expect(guardedObserver({ onAnswer: 'log' } as unknown as Observer, complain)).toEqual({})
  })

  test('hears all that it is given, as itself', () => {
    const { complain } = complaints()
    const heard: unknown[] = []
    const note = function (this: unknown, ...all: unknown[]): void {
      heard.push([this === observer, ...all])
    }
    const names = ['onBegin', 'onDecision', 'onEffectStarted', 'onReport', 'onAnswer', 'onInventory'] as const
    const observer = Object.fromEntries(names.map((name) => [name, note]))
    const guarded = guardedObserver(observer, complain) as Record<string, (...all: unknown[]) => void>
    for (const name of names) guarded[name]?.(name, 2, 3, 4)
    expect(heard).toEqual(names.map((name) => [true, name, 2, 3, 4]))
  })

  test('whose hook cannot even be read goes without it', () => {
    const { said, complain } = complaints()
    const observer = Object.defineProperty({ onAnswer: () => undefined }, 'onBegin', {
      get: () => {
        throw new Error('no')
      },
    })
    expect(Object.keys(guardedObserver(observer, complain) ?? {})).toEqual(['onAnswer'])
    expect(said).toEqual(['observer: an observer threw: no'])
  })
})

describe('timers', () => {
  const broken = (own: Partial<Timers>): { readonly timers: Timers; readonly said: readonly string[] } => {
    const { said, complain } = complaints()
    return { timers: soundTimers({ ...virtualTimers(), ...own }, complain), said }
  }
  const throwing = (): never => {
    throw new Error('no')
  }

  test('that work are asked, and nothing is said', () => {
    const inner = virtualTimers()
    const { said, complain } = complaints()
    const timers = soundTimers(inner, complain)
    expect(timers.now()).toBe(inner.now())
    const callOff = timers.after(5, () => undefined)
    expect(inner.waiting()).toBe(1)
    callOff()
    const letGo = timers.hold?.()
    expect([inner.waiting(), inner.held()]).toEqual([0, 1])
    letGo?.()
    expect(inner.held()).toBe(0)
    expect(said).toEqual([])
  })

  test('that hold nothing hold nothing', () => {
    const { now, after } = virtualTimers()
    expect(soundTimers({ now, after }, () => undefined)).not.toHaveProperty('hold')
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '7', undefined])('that say it is %s are not believed', (now) => {
    const { timers, said } = broken({ now: () => now as number })
    expect(Math.abs(timers.now() - Date.now())).toBeLessThan(60_000)
    expect(said).toEqual([`timers: the timers give the time ${now}, which is not a time`])
  })

  test('that throw are replaced by those of the system', async () => {
    const { timers, said } = broken({ now: throwing, after: throwing })
    expect(Math.abs(timers.now() - Date.now())).toBeLessThan(60_000)
    await new Promise<void>((over) => timers.after(0, over))
    timers.after(0, throwing)()
    await new Promise((over) => setTimeout(over, 5))
    expect(said).toEqual([
      'timers: the timers do not give the time: no',
      'timers: the timers did not accept a delay: no',
      'timers: the timers did not accept a delay: no',
    ])
  })
})

test('a reason for a host-down has no more characters than the core accepts, and none that a terminal acts on', () => {
  expect(downReason('lost:\n\u001b[1mwhy')).toBe('lost:  [1mwhy')
  expect(downReason('x'.repeat(1_000))).toBe('x'.repeat(340))
})
