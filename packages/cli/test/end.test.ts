// How a session ends when something it waits for does not: a reader that stands still, locks that are not given, a journal that
// does not open or close. Every wait ends at a stop, and nothing is held while a reader is waited for. And its trace is whole.

import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { right } from 'fp-ts/lib/Either.js'
import type { Locks } from '@mountkeeper/runtime'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { forgetfulJournal } from 'mountkeeper/parts'
import type { Sink, TestStreams } from './drive.js'
import { attach, detach, drive, streamsWith } from './drive.js'
import { createModelHost } from './model-host.js'

const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-cli-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const NEVER = new Promise<never>(() => undefined)
const SIGTERM = { _tag: 'Signal', name: 'SIGTERM' } as const

/** A stdout that takes one write and no more until it is read again, and whether it was given up. */
const stuck = (): { readonly streams: TestStreams; readonly read: () => void; readonly isGivenUp: () => boolean } => {
  let givenUp = false
  let waiting: (() => void) | undefined
  let reads = false
  const chunks: Buffer[] = []
  const stream = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk)
      if (reads) done()
      else waiting = done
    },
  })
  const stdout: Sink = Object.assign(stream, { text: () => Buffer.concat(chunks).toString('utf8') })
  const abandon = (): void => {
    givenUp = true
  }
  const read = (): void => {
    reads = true
    waiting?.()
  }
  return { streams: { ...streamsWith(), stdout, abandon }, read, isGivenUp: () => givenUp }
}

/** Locks that are counted. */
const counted = (): { readonly locks: Locks; readonly held: () => number } => {
  let held = 0
  const release = (): Promise<void> => {
    held -= 1
    return Promise.resolve()
  }
  const acquire = () => () => {
    held += 1
    return Promise.resolve(right({ release, lost: NEVER }))
  }
  return { locks: { acquire }, held: () => held }
}

const until = async (holds: () => boolean): Promise<void> => {
  await vi.waitUntil(holds, { timeout: 20_000, interval: 1 })
}

describe('a reader that stands still', () => {
  const begin = async () => {
    const { streams, read, isGivenUp } = stuck()
    const { locks, held } = counted()
    const run = drive({ streams, locks })
    run.send(attach('1'), attach('2', 'b'))
    await until(() => streams.stdout.text().includes('"id":"1"'))
    return { run, streams, read, isGivenUp, held }
  }

  test('and two signals: ends at once, with nothing held', async () => {
    const { run, held, isGivenUp } = await begin()
    run.stopping.stop(SIGTERM)
    run.stopping.stop(SIGTERM)
    expect(await run.exit).toBe(3)
    expect([held(), isGivenUp()]).toEqual([0, true])
  })

  test('and one signal: nothing is held any more, and the rest is given up after a grace', async () => {
    const { run, held, isGivenUp } = await begin()
    run.stopping.stop(SIGTERM)
    await until(() => held() === 0)
    expect(isGivenUp()).toBe(false)
    expect(await run.exit).toBe(3)
    expect(isGivenUp()).toBe(true)
  })

  test('and one signal, after which it reads on: gets every answer', async () => {
    const { run, streams, read, held, isGivenUp } = await begin()
    run.stopping.stop(SIGTERM)
    await until(() => held() === 0)
    read()
    expect(await run.exit).toBe(3)
    expect(isGivenUp()).toBe(false)
    expect(streams.stdout.text()).toContain('"id":"2"')
  })

  test('at the end of the input: nothing is held while it is waited for; a signal then ends it', async () => {
    const { streams, isGivenUp } = stuck()
    const { locks, held } = counted()
    const run = drive({ streams, locks })
    run.send(attach('1'))
    run.end()
    await until(() => held() === 0 && streams.stdout.text().includes('"id":"1"'))
    run.stopping.stop(SIGTERM)
    run.stopping.stop(SIGTERM)
    expect(await run.exit).toBe(3)
    expect(isGivenUp()).toBe(true)
    expect(run.streams.stderr.text()).toContain('stopped while the reader of stdout was blocked')
  })

  test('is waited for as long as nothing stops the run', async () => {
    const { streams, read, isGivenUp } = stuck()
    const run = drive({ streams })
    run.send(attach('1'), detach('2', '1'))
    run.end()
    await until(() => streams.stdout.text().includes('"id":"1"'))
    read()
    expect(await run.exit).toBe(0)
    expect(isGivenUp()).toBe(false)
    expect(run.answers()).toHaveLength(2)
  })
})

describe('a hard stop', () => {
  test('ends a run whose locks are not given; they are released if they come later', async () => {
    const { locks, held } = counted()
    let give: () => void = () => undefined
    const slow: Locks = {
      acquire: (directories) => async () => {
        await new Promise<void>((resolve) => (give = resolve))
        return locks.acquire(directories)()
      },
    }
    const run = drive({ locks: slow })
    run.stopping.stop(SIGTERM)
    run.stopping.stop(SIGTERM)
    expect(await run.exit).toBe(3)
    expect(run.streams.stderr.text()).toContain('stopped by SIGTERM before the host was up')
    give()
    await until(() => held() === 0)
  })

  test.each([
    ['is not read', { read: () => NEVER }],
    ['takes nothing', { append: () => () => NEVER }],
    ['does not close', { close: () => NEVER }],
  ])('ends a run whose journal %s, with nothing held', async (_, part) => {
    const { locks, held } = counted()
    const run = drive({ locks, journal: () => ({ ...forgetfulJournal(), ...part }) })
    run.send(attach('1'))
    await until(() => held() === 1)
    run.stopping.stop(SIGTERM)
    run.stopping.stop(SIGTERM)
    expect(await run.exit).toBe(3)
    expect(held()).toBe(0)
  })

  test('ends a run that comes up, and one that serves a plan, whose looks do not end', async () => {
    for (const never of ['Discover', 'Look']) {
      const host = createModelHost()
      const { locks, held } = counted()
      const run = drive({
        locks,
        host: { ...host, run: (effect) => (effect._tag === never ? NEVER : host.run(effect)) },
      })
      run.send({ op: 'plan', requests: [attach('1')] })
      await until(() => held() === 1)
      run.stopping.stop(SIGTERM)
      run.stopping.stop(SIGTERM)
      expect(await run.exit).toBe(3)
      expect(held()).toBe(0)
    }
  })
})

describe('the trace of a run', () => {
  const traced = async (stop: 'input' | 'drain' | 'hard') => {
    const path = join(folder, stop)
    const kept: unknown[] = []
    const inner = forgetfulJournal()
    const run = drive({
      trace: { fd: openSync(path, 'w'), path },
      journal: () => ({
        ...inner,
        append: (facts) => {
          kept.push(...facts)
          return inner.append(facts)
        },
      }),
    })
    run.send(attach('1'), attach('2', 'b'))
    await run.until(2)
    run.host.hold('slow')
    if (stop === 'hard') run.send(attach('3', 'c', 'slow'))
    if (stop === 'hard')
      await until(() => run.host.ran.some((effect) => effect.startsWith('Mount') && effect.endsWith('/c')))
    if (stop === 'input') run.end()
    else run.stopping.stop(SIGTERM)
    if (stop === 'hard') run.stopping.stop(SIGTERM)
    await run.exit
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as { input: { _tag: string; how?: string }; decision: { facts: unknown[] } })
    return { lines, kept }
  }

  test.each([
    ['the end of the input', 'input', 'drain'],
    ['a signal', 'drain', 'drain'],
    ['two signals', 'hard', 'hard'],
  ] as const)('ends with the stop (%s), and has every fact of the journal', async (_, stop, how) => {
    const { lines, kept } = await traced(stop)
    expect(lines.at(-1)?.input).toMatchObject({ _tag: 'Stopped', how })
    expect(lines.flatMap(({ decision }) => decision.facts)).toEqual(JSON.parse(JSON.stringify(kept)))
  })
})
