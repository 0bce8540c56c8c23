// A service's view of a keeper, on the simulated host: both styles, errors, cancelling, crashes, and what is refused at opening.

import * as TE from 'fp-ts/lib/TaskEither.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { MountkeeperError, explain, isMountkeeperError } from '../src/index.js'
import type { Keeper } from '../src/index.js'
import { openSimulatedMountkeeper } from '../src/simulated.js'

const ROOT = '/data/volumes'
const configuration = {
  roots: [ROOT],
  types: { tmpfs: { sources: ['*'] }, nfs: { sources: ['server:/export/*'] } },
  deadlines: { mountMs: 2_000, requestMs: 20_000 },
}
const open = () => openSimulatedMountkeeper({ configuration })

const scratch = (source = 'scratch', consumer = 'vm-1') => ({
  mountpoint: `${ROOT}/a`,
  filesystem: { type: 'tmpfs', source, options: [] },
  volume: 'vol-1',
  consumer,
})

const refusal = async (asked: Promise<unknown>): Promise<MountkeeperError> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof MountkeeperError)) throw new Error('it was not refused', { cause: error })
  return error
}

describe('promises', () => {
  test('give results, and the host comes up with the roots that are configured', async () => {
    await using keeper = await open()
    expect(await keeper.attach(scratch())).toMatchObject({ holder: 'added', mount: 'mounted' })
    expect(await keeper.attach(scratch('scratch', 'vm-2'))).toMatchObject({ holder: 'added', mount: 'shared' })
    expect((await keeper.status()).mountpoints[0]?.holders).toHaveLength(2)
    expect(await keeper.detach(scratch())).toMatchObject({ mount: 'held', holdersLeft: 1 })
    expect((await keeper.release({ consumer: 'vm-2' })).attachments).toHaveLength(1)
    expect(keeper.host.at(`${ROOT}/a`).layers).toEqual([])
  })

  test('reject with an Error that says what, why, what to do, and whether to repeat it', async () => {
    await using keeper = await open()
    await keeper.attach(scratch())
    const error = await refusal(keeper.attach(scratch('other', 'vm-2')))
    expect(error).toBeInstanceOf(Error)
    expect(error.code).toBe('Conflict')
    expect(error.retryable).toBe(false)
    expect(error.message).toBe(
      `attach ${ROOT}/a: Conflict: tmpfs scratch is mounted there for other holders; use another mountpoint, or wait until the holders of the other filesystem have detached`,
    )
    expect(isMountkeeperError(error, 'Invalid')).toBe(false)
    if (!isMountkeeperError(error, 'Conflict')) throw error
    expect(error.refusal.mounted?.source).toBe('scratch')
  })

  test('refuse what TypeScript would not let through, and go on', async () => {
    await using keeper = await open()
    for (const value of [undefined, null, 7, 'attach', {}, { ...scratch(), consumer: 7 }]) {
      expect((await refusal(keeper.attach(value as never))).code).toBe('Invalid')
    }
    expect(await keeper.attach(scratch())).toMatchObject({ holder: 'added' })
  })

  test('give a plan', async () => {
    await using keeper = await open()
    const [planned] = await keeper.plan([{ op: 'attach', ...scratch() }])
    expect(planned?.answer).toMatchObject({ ok: true })
    expect((await refusal(keeper.plan([{ op: 'attach' } as never]))).code).toBe('Invalid')
  })
})

describe('an AbortSignal', () => {
  const hanging = async (): Promise<Awaited<ReturnType<typeof open>>> => {
    const keeper = await open()
    keeper.host.inject({ effect: 'Mount', fault: { _tag: 'Hangs', worked: false, endsAfterMs: undefined } })
    return keeper
  }

  test('withdraws a request that waits', async () => {
    const keeper = await hanging()
    const first = refusal(keeper.attach(scratch()))
    const aborting = new AbortController()
    const waiting = refusal(keeper.attach(scratch('scratch', 'vm-2'), { signal: aborting.signal }))
    await keeper.host.timers.settle()
    aborting.abort(new Error('shutting down'))
    await keeper.host.timers.settle()
    const error = await waiting
    expect(error.code).toBe('Cancelled')
    expect(error.cause).toEqual(new Error('shutting down'))
    await keeper.host.timers.pass(60_000)
    expect((await first).retryable).toBe(true)
  })

  test('that is aborted already lets nothing be asked', async () => {
    await using keeper = await open()
    const error = await refusal(keeper.attach(scratch(), { signal: AbortSignal.abort() }))
    expect(error.code).toBe('Cancelled')
    expect(keeper.host.ran.filter((effect) => effect.startsWith('Mount'))).toEqual([])
  })

  test('leaves no listener behind', async () => {
    await using keeper = await open()
    const { signal } = new AbortController()
    let listeners = 0
    const counting = {
      get aborted() {
        return signal.aborted
      },
      addEventListener: () => void (listeners += 1),
      removeEventListener: () => void (listeners -= 1),
    } as unknown as AbortSignal
    await keeper.attach(scratch(), { signal: counting })
    expect(listeners).toBe(0)
  })
})

describe('tasks', () => {
  test('compose, and give a refusal as a Left', async () => {
    await using keeper = await open()
    const both = (first: ReturnType<typeof scratch>, second: ReturnType<typeof scratch>) =>
      pipe(
        keeper.task.attach(first),
        TE.chainW(() => keeper.task.attach(second)),
        TE.map(({ generation }) => generation),
      )
    expect(await both(scratch(), scratch('scratch', 'vm-2'))()).toEqual({ _tag: 'Right', right: 1 })
    expect(await both(scratch(), scratch('other', 'vm-3'))()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'Conflict' },
    })
  })

  test('ask nothing until they are called', async () => {
    await using keeper = await open()
    const task = keeper.task.attach(scratch())
    expect(keeper.host.ran.filter((effect) => effect.startsWith('Mount'))).toEqual([])
    expect(await task()).toMatchObject({ _tag: 'Right' })
  })

  test('that are awaited without a call do not compile, and are rejected at once', async () => {
    const forgotten = async (keeper: Keeper): Promise<unknown> =>
      // @ts-expect-error: the task is not called
      // eslint-disable-next-line @typescript-eslint/await-thenable, @typescript-eslint/return-await
      await keeper.task.attach(scratch())
    await using keeper = await open()
    const error = await refusal(forgotten(keeper))
    expect(error.code).toBe('NotCalled')
    expect(error.message).toContain('await keeper.task.attach(request)()')
  })
})

describe('a crash', () => {
  test('loses no holder that was answered', async () => {
    const keeper = await open()
    await keeper.attach(scratch())
    const next = await keeper.crash()
    expect(await next.attach(scratch())).toMatchObject({ holder: 'already-held', mount: 'shared' })
    expect(await next.detach(scratch())).toMatchObject({ mount: 'unmounted' })
  })
})

describe('opening', () => {
  test.each([
    ['no root', { configuration: {} }, 'no managed root is configured; give a root'],
    ['an unknown key', { configuration: { root: ROOT } as object, root: ROOT }, 'root'],
    ['a root that is no path', { root: 'volumes' }, '--root'],
    ['a root that is no text', { root: 7 as never }, '--root'],
    ['a source that is no pattern', { root: ROOT, allow: ['nfs'] }, 'TYPE=PATTERN'],
    ['a file that is not there', { configuration: '/nonexistent/config.json' }, 'does not exist'],
  ])('is refused with %s', async (_, options, why) => {
    const error = await refusal(openSimulatedMountkeeper(options))
    expect(error.code).toBe('NotOpened')
    expect(error.retryable).toBe(false)
    expect(error.message).toContain(why)
  })

  test('takes a root alone, and what is allowed besides', async () => {
    await using keeper = await openSimulatedMountkeeper({ root: ROOT, allow: ['nfs=server:/export/*'] })
    const filesystem = { type: 'nfs', source: 'server:/export/a', options: [] }
    expect(await keeper.attach({ ...scratch(), filesystem })).toMatchObject({ mount: 'mounted' })
  })
})

describe('closing', () => {
  test('refuses what comes later, as often as it is closed', async () => {
    const keeper = await open()
    await keeper.close()
    await keeper.close()
    const error = await refusal(keeper.attach(scratch()))
    expect([error.code, error.retryable]).toEqual(['Stopped', true])
  })
})

test('every refusal has a sentence of its own and says what to do', () => {
  const found = { _tag: 'NoDirectory' } as const
  const all = [
    { _tag: 'Invalid', field: 'volume', why: 'is empty' },
    { _tag: 'MountFailed', step: 'helper', why: 'mount.nfs is not installed', found, rollback: [] },
    { _tag: 'Uncertain', why: 'the look timed out' },
    { _tag: 'Unreachable', why: 'no answer' },
  ] as const
  const explained = all.map((each) => explain(each))
  expect(new Set(explained.map(({ sentence }) => sentence)).size).toBe(all.length)
  expect(explained.map(({ retryable }) => retryable)).toEqual([false, false, true, true])
  expect(explained.every(({ advice }) => advice.length > 10)).toBe(true)
})
