import type { Answer, Input, RequestId } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { INPUTS_PER_RUN_MAX, STOP_GRACE_MS } from '../src/index.js'
import { ask, delay, good, look, nameOf, settled, world } from './world.js'
import type { Part, World } from './world.js'

const stopped = (request: RequestId): Answer => ({ request, op: 'retry', ok: false, error: { _tag: 'Stopped' } })

/** Serves `a` until its look ends, lets `b` wait, and refuses what waits when it is to stop. */
const serving = (): World => {
  const waiting: RequestId[] = []
  let served: RequestId | undefined
  return world((input: Input): Part => {
    switch (input._tag) {
      case 'Requested':
        if (nameOf(input) === 'a') {
          served = input.request
          return { effects: [look(1)] }
        }
        waiting.push(input.request)
        return {}
      case 'Stopped':
        return { answers: waiting.splice(0).map(stopped) }
      case 'Outcome':
      case 'Deadline': {
        const request = served
        served = undefined
        return request === undefined ? {} : { answers: [good(request)] }
      }
      case 'Ended':
      case 'Granted':
      case 'Observed':
        return {}
    }
  })
}

const DIRECTORY = { found: { _tag: 'Directory' } } as const

describe('a stop', () => {
  test('awaits those being served, makes the core drain, and ends when all is quiet', async () => {
    const { loop, log, core, port, submit, timers } = serving()
    void submit('a')
    void submit('b')
    await settled()
    const stop = loop.stop()
    await settled()
    expect(log).toEqual(['start Look 1', 'answer b Stopped'])
    expect(core.inputs.at(-1)).toMatchObject({ _tag: 'Stopped', how: 'drain' })
    expect(timers.held()).toBe(1)
    port.running.get(1)!.report(DIRECTORY)
    expect(await stop).toEqual({ ending: { _tag: 'Drained' }, leftBehind: [] })
    expect(log.at(-1)).toBe('answer a Retried')
    expect([timers.held(), timers.waiting()]).toEqual([0, 0])
    expect(await loop.submit(ask('late'))).toMatchObject({ ok: false, error: { _tag: 'Stopped' } })
  })

  test('waits for facts that are not durable yet, although no caller waits for an answer', async () => {
    const { loop, journal, timers } = world((input) => (input._tag === 'Observed' ? { facts: ['f'] } : {}), {
      journal: 'by hand',
    })
    loop.observed('/srv/mounts/a')
    await settled()
    let report: unknown
    void loop.stop().then((told) => (report = told))
    await settled()
    await timers.advance(STOP_GRACE_MS * 10)
    expect({ report, held: timers.held() }).toEqual({ report: undefined, held: 1 })
    await journal.keep()
    expect(report).toEqual({ ending: { _tag: 'Drained' }, leftBehind: [] })
    expect(journal.durable).toHaveLength(1)
  })

  test('of an idle manager ends at once, and again', async () => {
    const { loop } = serving()
    expect((await loop.stop()).ending).toEqual({ _tag: 'Drained' })
    expect((await loop.stop({ hard: true })).ending).toEqual({ _tag: 'Drained' })
    expect((await loop.stop()).ending).toEqual({ _tag: 'Drained' })
  })

  test('gives what no caller waits for a grace, and names it with its process', async () => {
    const { loop, port, timers, submit } = serving()
    const answer = submit('a')
    await settled()
    const error = { command: ['stat'], stderr: '', pid: 4711 }
    port.running.get(1)!.report({
      found: { _tag: 'Unknown', why: 'TimedOut' },
      error,
      ended: new Promise(() => undefined),
    })
    await answer
    let report: unknown
    void loop.stop().then((told) => (report = told))
    await settled()
    await timers.advance(STOP_GRACE_MS - 1)
    expect([report, timers.held()]).toEqual([undefined, 1])
    await timers.advance(1)
    expect(report).toEqual({
      ending: { _tag: 'Drained' },
      leftBehind: [
        { mountpoint: '/srv/mounts/a', phase: 'absent', holders: 0, running: 'Look', overdue: true, pid: 4711 },
      ],
    })
  })

  test('ends before the grace is over when the overdue effect ends', async () => {
    const { loop, port, timers, submit } = serving()
    const answer = submit('a')
    await settled()
    let endIt: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (endIt = resolve))
    port.running.get(1)!.report({ found: { _tag: 'Unknown', why: 'TimedOut' }, ended })
    await answer
    const stop = loop.stop({ graceMs: 1e9 })
    await settled()
    endIt()
    expect(await stop).toEqual({ ending: { _tag: 'Drained' }, leftBehind: [] })
    expect(timers.waiting()).toBe(0)
  })

  test.each([
    ['settles', 'settle', 1_000],
    ['backs off', 'back-off', 0],
  ] as const)('awaits the second look where a mount %s, within the grace', async (_, why, waitsMs) => {
    const { loop, port, timers, submit } = world((input) => {
      if (input._tag === 'Requested') {
        return { answers: [good(input.request)], effects: [delay(1, 1_000, '/srv/mounts/a', why)] }
      }
      return input._tag === 'Outcome' && input.found._tag === 'Elapsed' ? { effects: [look(2)] } : {}
    })
    await submit('a')
    let report: unknown
    void loop.stop().then((told) => (report = told))
    await timers.advance(waitsMs)
    port.running.get(2)?.report(DIRECTORY)
    await settled()
    expect(report).toEqual({ ending: { _tag: 'Drained' }, leftBehind: [] })
    expect(port.running.has(2)).toBe(why === 'settle')
  })

  test('that comes a second time is the same one: the grace stays, and the core hears of it once', async () => {
    const { loop, core, port, timers, submit } = serving()
    const answer = submit('a')
    await settled()
    port.running.get(1)!.report({ found: { _tag: 'Unknown', why: 'TimedOut' }, ended: new Promise(() => undefined) })
    await answer
    const both = [loop.stop({ graceMs: 100 }), loop.stop({ graceMs: 1e9 })]
    await settled()
    expect(core.inputs.filter(({ _tag }) => _tag === 'Stopped')).toHaveLength(1)
    await timers.advance(100)
    expect((await Promise.all(both)).map(({ ending }) => ending)).toEqual([{ _tag: 'Drained' }, { _tag: 'Drained' }])
  })

  test('takes all that came before it, however much that is and although no caller waits for an answer', async () => {
    const { loop, core } = serving()
    const count = 2 * INPUTS_PER_RUN_MAX + 10
    for (let index = 0; index < count; index += 1) loop.observed(`/srv/mounts/${index}`)
    expect((await loop.stop()).ending).toEqual({ _tag: 'Drained' })
    expect(core.inputs).toHaveLength(count + 1)
    expect(core.inputs.at(-1)).toMatchObject({ _tag: 'Stopped', how: 'drain' })
  })

  test('is bounded by the deadlines of those being served', async () => {
    const { loop, timers, submit } = serving()
    void submit('a')
    await settled()
    const stop = loop.stop({ graceMs: 10 })
    await settled()
    await timers.advance(180_000)
    await timers.advance(10)
    expect((await stop).leftBehind).toMatchObject([{ running: 'Look' }])
  })

  test('that is hard refuses all at once, also what only waited for the disk', async () => {
    const { loop, log, core, port, submit } = world(
      (input) =>
        input._tag === 'Requested' ? { facts: ['f'], effects: [look(1)], answers: [good(input.request)] } : {},
      { journal: 'by hand' },
    )
    const all = [submit('f'), submit('g')]
    await settled()
    const stop = loop.stop({ hard: true })
    const late = submit('late')
    expect((await stop).ending).toEqual({ _tag: 'StoppedHard' })
    await Promise.all([...all, late])
    expect(log).toEqual(['answer f Stopped', 'answer g Stopped', 'answer late Stopped'])
    expect(core.inputs.at(-1)).toMatchObject({ _tag: 'Stopped', how: 'hard' })
    expect(port.running.size).toBe(0)
  })

  test('that is hard cuts short one that drains', async () => {
    const { loop, log, port, submit } = serving()
    void submit('a')
    await settled()
    port.running.get(1)!.started(4711)
    const drain = loop.stop()
    await settled()
    const hard = loop.stop({ hard: true })
    expect((await drain).ending).toEqual({ _tag: 'StoppedHard' })
    expect((await hard).leftBehind).toMatchObject([{ running: 'Look', pid: 4711 }])
    expect(log.at(-1)).toBe('answer a Stopped')
  })

  test('makes the loop deaf: what ends later is not decided', async () => {
    const { loop, core, port, submit } = serving()
    void submit('a')
    await settled()
    await loop.stop({ hard: true })
    const decided = core.inputs.length
    port.running.get(1)!.report(DIRECTORY)
    loop.observed('/srv/mounts/a')
    await settled()
    expect(core.inputs).toHaveLength(decided)
  })
})
