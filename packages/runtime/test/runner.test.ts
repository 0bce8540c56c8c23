// The runner alone: one outcome for each effect and one end for what was overdue, whatever its port does and whenever.

import { effectId } from '@mountkeeper/core'
import type { Discover, Effect, Input, MountpointEffect } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { REPORT_GRACE_MS } from '../src/index.js'
import type { HostPort, Observer } from '../src/index.js'
import { createRunner } from '../src/runner.js'
import { delay, look, settled, virtualTimers } from './world.js'

const PATH = '/srv/mounts/a'
const TIMED_OUT = { found: { _tag: 'Unknown', why: 'TimedOut' } } as const
const DISCOVER: Discover = { _tag: 'Discover', effect: effectId(1), roots: [], known: [], deadlineMs: 10_000 }

const effectOf = (tag: string): MountpointEffect | Discover =>
  tag === 'Discover' ? DISCOVER : ({ ...look(1, PATH), _tag: tag } as never)

interface Call {
  readonly report: (report: unknown) => Promise<void>
  readonly reject: (error: unknown) => Promise<void>
  readonly started: (pid: unknown) => void
}

const running = (observer?: Observer) => {
  const timers = virtualTimers()
  const inputs: Input[] = []
  const complaints: string[] = []
  const calls: Call[] = []
  const run = (_effect: unknown, started: (pid: unknown) => void): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const then =
        (act: (value: unknown) => void) =>
        async (value: unknown): Promise<void> => {
          act(value)
          await settled()
        }
      calls.push({ report: then(resolve), reject: then(reject), started })
    })
  const runner = createRunner({
    port: { run } as unknown as HostPort,
    timers,
    observer,
    put: (input) => void inputs.push(input),
    complain: (of, why) => void complaints.push(`${of}: ${why}`),
  })
  const begin = (effect: Effect): Call => {
    runner.start(effect)
    return calls.at(-1)!
  }
  /** What was put since this was last asked. */
  const since = (): readonly string[] =>
    inputs.splice(0).map((input) => {
      if (input._tag !== 'Outcome') return input._tag
      const { found } = input
      return `${found._tag}${'why' in found ? ` ${found.why}` : ''}`
    })
  return { ...runner, begin, timers, inputs, since, complaints }
}

const CHANGING = ['Mount', 'Unmount', 'MakeDirectory', 'RemoveDirectory']

describe('what is overdue and whose end is not seen', () => {
  test.each(['Look', 'Probe', 'Discover'])('is over where it changes nothing: %s', async (tag) => {
    const { begin, timers, since, running: all, complaints } = running()
    const call = begin(effectOf(tag))
    await timers.advance(10_000 + REPORT_GRACE_MS)
    expect([since(), all().map(({ overdue }) => overdue)]).toEqual([['Unknown TimedOut'], [true]])
    await call.report({ ...TIMED_OUT, ended: Promise.reject(new Error('gone')) })
    expect([since(), all()]).toEqual([['Ended'], []])
    const where = tag === 'Discover' ? 'of the host' : PATH
    expect(complaints).toEqual([
      `effect: the host port did not report within ${REPORT_GRACE_MS} ms of the deadline of ${tag} ${where} (effect 1)`,
      `effect: the host port lost sight of the overdue ${tag} ${where} (effect 1)`,
    ])
  })

  test.each(CHANGING)('is not over where it could still change the host: %s', async (tag) => {
    const { begin, since, running: all } = running()
    await begin(effectOf(tag)).report({ ...TIMED_OUT, ended: Promise.reject(new Error('gone')) })
    expect([since(), all().map(({ overdue }) => overdue)]).toEqual([['Unknown TimedOut'], [true]])
  })
})

describe('a report after the runner has given the outcome', () => {
  const late = async (act: (call: Call) => Promise<void>): Promise<readonly string[]> => {
    const { begin, timers, since } = running()
    const call = begin(effectOf('Mount'))
    await timers.advance(10_000 + REPORT_GRACE_MS)
    expect(since()).toEqual(['Unknown TimedOut'])
    await act(call)
    return since()
  }

  const throwing = {
    get ended(): never {
      throw new Error('no')
    },
  }

  test.each([
    undefined,
    null,
    7,
    'then',
    {},
    { ended: null },
    { ended: 'then' },
    { ended: 7 },
    { ended: {} },
    throwing,
  ])('is the end, where it promises none: case %#', async (report) => {
    expect(await late((call) => call.report(report))).toEqual(['Ended'])
  })

  test('is no end where it promises one, until that comes', async () => {
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    expect(await late((call) => call.report({ ...TIMED_OUT, ended }))).toEqual([])
    expect(
      await late(async (call) => {
        await call.report({ ...TIMED_OUT, ended })
        end()
        await settled()
      }),
    ).toEqual(['Ended'])
  })

  test('that is an error is the end', async () => {
    expect(await late((call) => call.reject(new Error('lost')))).toEqual(['Ended'])
  })
})

test('what is inconclusive for another reason than the time is not overdue', async () => {
  const { begin, since, running: all, complaints } = running()
  await begin(effectOf('Look')).report({ found: { _tag: 'Unknown', why: 'Unreadable' } })
  expect([since(), all(), complaints]).toEqual([['Unknown Unreadable'], [], []])
})

test('a discovery that was not made is reported at once, and its end is not waited for', async () => {
  const { begin, inputs, running: all, complaints } = running()
  await begin(DISCOVER).report({ found: { _tag: 'NotDiscovered', reason: 'no table' } })
  expect([inputs.length, all(), complaints]).toEqual([1, [], []])
  expect(inputs[0]).toMatchObject({ mountpoint: undefined, found: { _tag: 'NotDiscovered', reason: 'no table' } })
})

test.each([
  [undefined, 'gave no report of the kind of Look'],
  [{}, 'gave no report of the kind of (found) Look'],
  [{ found: { _tag: 'Mounted', layers: [{}] } }, 'gave no report of the kind of (found.layers[0]'],
])('a report that is none is named by its place: %j', async (report, said) => {
  const { begin, complaints, since } = running()
  await begin(effectOf('Look')).report(report)
  expect(since()).toEqual(['Unknown Unreadable'])
  expect(complaints).toEqual([expect.stringContaining(`effect: the host port ${said}`) as string])
})

test('what was found with an end that is promised counts as overdue, and is named', async () => {
  const { begin, complaints, since } = running()
  await begin(effectOf('Look')).report({ found: { _tag: 'Directory' }, ended: Promise.resolve() })
  expect(since()).toEqual(['Unknown TimedOut', 'Ended'])
  expect(complaints).toEqual([`effect: the host port found something and promised an end of Look ${PATH} (effect 1)`])
})

test('what runs is named with the latest process, and whether it is overdue', async () => {
  const { begin, timers, running: all, unreported } = running()
  const { started, report } = begin(effectOf('Look'))
  expect(all()).toEqual([{ effect: effectOf('Look'), overdue: false, pid: undefined }])
  started(7)
  started(8)
  started('9')
  expect(all()).toEqual([{ effect: effectOf('Look'), overdue: false, pid: 8 }])
  expect(unreported()).toBe(1)
  await timers.advance(10_000 + REPORT_GRACE_MS)
  expect(all()).toEqual([{ effect: effectOf('Look'), overdue: true, pid: 8 }])
  expect(unreported()).toBe(0)
  await report({})
  expect(all()).toEqual([])
})

test('an observer is shown when an effect began and when it was reported', async () => {
  const shown: number[] = []
  const { begin, timers } = running({
    onReport: (_effect, _report, startedAt, endedAt) => void shown.push(startedAt, endedAt),
  })
  const began = timers.now()
  const { report } = begin(effectOf('Look'))
  await timers.advance(30)
  await report({ found: { _tag: 'Directory' } })
  expect(shown).toEqual([began, began + 30])
})

test('delays that were called off do not elapse, and nothing settles any more', async () => {
  const { start, timers, since, isSettling, callOffDelays } = running()
  start(delay(1, 100, PATH, 'settle'))
  start(delay(2, 100, undefined))
  expect([isSettling(), timers.waiting()]).toEqual([true, 2])
  callOffDelays()
  expect([isSettling(), timers.waiting()]).toEqual([false, 0])
  await timers.advance(1_000)
  expect(since()).toEqual([])
})
