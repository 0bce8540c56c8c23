import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Writable } from 'node:stream'
import { left } from 'fp-ts/lib/Either.js'
import { forgetfulJournal } from 'mountkeeper/parts'
import { attach, configurationWith, detach, drive, sink, streamsWith, taken } from './drive.js'
import { createModelHost } from './model-host.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mountkeeper-cli-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const ids = (answers: readonly Record<string, unknown>[]): readonly unknown[] => answers.map(({ id, op }) => id ?? op)

describe('in order', () => {
  test('each line is served after the answer to the one before it', async () => {
    const run = drive()
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), attach('2', 'b'), detach('3', '1'))
    await run.host.held('slow')
    expect(run.host.ran.filter((effect) => effect.endsWith('/b'))).toEqual([])
    run.host.letGo('slow')
    run.end()
    expect(await run.exit).toBe(0)
    expect(ids(run.answers())).toEqual(['1', '2', '3'])
  })

  test('cancel, host-down and host-up are served at once', async () => {
    const run = drive()
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), attach('2', 'b'), { op: 'cancel', target: '1', id: 'c' })
    await run.until(1)
    expect(run.answers()).toMatchObject([{ id: 'c', ok: false, error: { _tag: 'TooLate' } }])
    run.send({ op: 'host-down', id: 'd' }, { op: 'host-up', id: 'u' })
    await run.until(2)
    run.host.letGo('slow')
    run.end()
    expect(await run.exit).toBe(1)
    expect(ids(run.answers())).toEqual(['c', 'd', '1', 'u', '2'])
  })

  test('a status shows what all earlier lines have led to, and nothing of the later ones', async () => {
    const run = drive()
    run.host.hold('slow')
    const status = { op: 'status', id: 's' }
    run.send(attach('1', 'a', 'slow'), status, attach('2', 'b'), { op: 'cancel', target: '1', id: 'c' })
    await run.until(1)
    run.host.letGo('slow')
    run.end()
    await run.exit
    expect(ids(run.answers())).toEqual(['c', '1', 's', '2'])
    expect(run.answers()[2]).toMatchObject({
      result: { mountpoints: [{ mountpoint: '/srv/mounts/a', phase: 'mounted' }] },
    })
  })

  test('what was read ahead is served, too', async () => {
    const run = drive()
    run.host.hold('slow')
    run.send(attach('first', 'a', 'slow'))
    const count = 3_000
    for (let index = 0; index < count; index += 1) run.send(attach(String(index), `m${index % 3}`))
    run.host.letGo('slow')
    run.end()
    expect(await run.exit).toBe(0)
    expect(run.answers()).toHaveLength(count + 1)
  })
})

describe('concurrently', () => {
  test('a status is served at once', async () => {
    const run = drive({ concurrent: true })
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), { op: 'status', id: 's', mountpoint: '/srv/mounts/a' })
    await run.until(1)
    expect(run.answers()).toMatchObject([{ id: 's', result: { mountpoints: [{ mountpoint: '/srv/mounts/a' }] } }])
    run.host.letGo('slow')
    run.end()
    expect(await run.exit).toBe(0)
  })

  test.each([true, false])(
    'concurrent: %s: a slow reader has one large answer before it, however many were asked for',
    async (concurrent) => {
      const streams = streamsWith()
      let waiting = 0
      let most = 0
      let taken = 0
      const slow = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          taken += 1
          waiting -= chunk.length
          setImmediate(done)
        },
      })
      const write = slow.write.bind(slow) as (...all: readonly unknown[]) => boolean
      slow.write = ((chunk: string, ...others: readonly unknown[]) => {
        waiting += Buffer.byteLength(chunk)
        most = Math.max(most, waiting)
        return write(chunk, ...others)
      }) as typeof slow.write
      const run = drive({ concurrent, streams: { ...streams, stdout: Object.assign(slow, { text: () => '' }) } })
      const holders = Array.from({ length: 500 }, (_, index) => attach(`${index}`))
      run.send(...holders)
      // Until all are mounted; each of these answers is small.
      while (taken < holders.length) await new Promise((resolve) => setTimeout(resolve, 1))
      most = 0
      run.send(...Array.from({ length: 300 }, () => ({ op: 'status' })))
      run.end()
      await run.exit
      expect(taken).toBe(801)
      // One status of 500 holders takes about 50 KB.
      expect(most).toBeGreaterThan(40_000)
      expect(most).toBeLessThan(150_000)
    },
  )

  test('answers come as they end', async () => {
    const run = drive({ concurrent: true })
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), attach('2', 'b'), attach('3', 'c'))
    await run.until(2)
    run.host.letGo('slow')
    run.end()
    expect(await run.exit).toBe(0)
    expect(ids(run.answers())).toEqual(['2', '3', '1'])
  })

  test('reading pauses at the bound of the queue, so that no request is turned away', async () => {
    const configuration = configurationWith()
    const { settings } = configuration
    const limits = { ...settings.limits, waitingPerMountpoint: 4 }
    const run = drive({ concurrent: true, configuration: { ...configuration, settings: { ...settings, limits } } })
    run.host.hold('slow')
    for (let index = 0; index < 50; index += 1) run.send(attach(String(index), 'a', 'slow'))
    run.end()
    await run.host.held('slow')
    run.host.letGo('slow')
    expect(await run.exit).toBe(0)
    expect(run.answers()).toHaveLength(50)
    expect(run.host.paths.get('/srv/mounts/a')).toHaveLength(1)
  })
})

describe('a journal that fails', () => {
  const failure = left({ _tag: 'JournalFailed' as const, why: '/s/journal cannot be written: the disk is full' })

  /** Keeps so many appends, then fails. */
  const failingAfter = (appends: number) => (): ReturnType<typeof forgetfulJournal> => {
    const inner = forgetfulJournal()
    let kept = 0
    return {
      ...inner,
      append: (facts) => {
        kept += 1
        return kept > appends ? () => Promise.resolve(failure) : inner.append(facts)
      },
    }
  }

  test('ends the run with 3 and its reason, and answers nothing that is not durable', async () => {
    const run = drive({ journal: failingAfter(5) })
    run.send(attach('1'), attach('2', 'b'))
    expect(await run.exit).toBe(3)
    expect(run.answers()).toMatchObject([
      { id: '1', ok: true },
      { id: '2', ok: false, error: { _tag: 'Stopped' } },
    ])
    const said = run.streams.stderr.text()
    expect(said).toContain('mountkeeper: /s/journal cannot be written: the disk is full\n')
    expect(said.split('\n').filter((line) => !/left behind|stays, in use/.test(line))).toHaveLength(2)
  })

  test('while coming up is the reason that is reported', async () => {
    const run = drive({ journal: failingAfter(0) })
    expect(await run.exit).toBe(3)
    expect(run.streams.stderr.text()).toBe('mountkeeper: /s/journal cannot be written: the disk is full\n')
  })

  test('before anything began does the same', async () => {
    const run = drive({ journal: () => ({ ...forgetfulJournal(), read: () => Promise.resolve(failure) }) })
    expect(await run.exit).toBe(3)
    expect(run.streams.stderr.text()).toBe('mountkeeper: /s/journal cannot be written: the disk is full\n')
    expect(run.host.ran).toEqual([])
  })
})

describe('coming up', () => {
  test('its own host-up gives no line', async () => {
    const run = drive()
    run.end()
    expect(await run.exit).toBe(0)
    expect(run.streams.stdout.text()).toBe('')
    expect(run.streams.stderr.text()).toBe('')
  })

  test('failing discovery ends it with 3 and the reason', async () => {
    const host = createModelHost()
    host.down = 'root /srv/mounts: does not exist; make it'
    const run = drive({ host })
    run.send(attach('1'))
    expect(await run.exit).toBe(3)
    expect(run.streams.stdout.text()).toBe('')
    expect(run.streams.stderr.text()).toBe(
      'mountkeeper: the host could not come up: root /srv/mounts: does not exist; make it\n',
    )
  })

  test('a root that another manager holds ends it with 3 and the pid, before anything is looked at', async () => {
    const run = drive({ locks: taken })
    expect(await run.exit).toBe(3)
    expect(run.streams.stderr.text()).toBe('mountkeeper: /srv/mounts belongs to another manager (pid 7): stop it\n')
    expect(run.host.ran).toEqual([])
  })

  test('what a third party has mounted is reported and left alone', async () => {
    const first = drive()
    first.send(attach('1'))
    first.end()
    await first.exit
    const second = drive({ host: first.host })
    second.send(attach('1'))
    second.end()
    expect(await second.exit).toBe(1)
    expect(second.streams.stderr.text()).toMatch(
      /^mountkeeper: foreign: \/srv\/mounts\/a .*is mounted, but not by this manager/,
    )
    expect(second.answers()).toMatchObject([{ ok: false, error: { _tag: 'Foreign' } }])
  })
})

describe('stopping', () => {
  test('by a signal: what is being served is finished, the rest refused, mounts stay', async () => {
    const run = drive()
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), attach('2', 'b'))
    await run.host.held('slow')
    run.stopping.stop({ _tag: 'Signal', name: 'SIGTERM' })
    await run.until(1)
    run.host.letGo('slow')
    expect(await run.exit).toBe(3)
    expect(run.answers()).toMatchObject([
      { id: '2', ok: false, error: { _tag: 'Cancelled' } },
      { id: '1', ok: true },
    ])
    expect(run.host.paths.get('/srv/mounts/a')).toHaveLength(1)
    expect(run.streams.stderr.text()).toContain('stopped by SIGTERM before the end of the requests')
    expect(run.streams.stderr.text()).toContain('stays, in use: /srv/mounts/a mounted, 1 holder')
  })

  test('by a signal after the end of the input: the code is that of the answers', async () => {
    const run = drive()
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'))
    run.end()
    await Promise.all([run.host.held('slow'), run.isRead])
    run.stopping.stop({ _tag: 'Signal', name: 'SIGINT' })
    run.host.letGo('slow')
    expect(await run.exit).toBe(0)
  })

  test('by a second signal: at once, everything unanswered is refused', async () => {
    const run = drive()
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), attach('2', 'b'))
    await run.host.held('slow')
    run.stopping.stop({ _tag: 'Signal', name: 'SIGTERM' })
    await run.until(1)
    run.stopping.stop({ _tag: 'Signal', name: 'SIGTERM' })
    expect(await run.exit).toBe(3)
    expect(run.answers()).toMatchObject([{ error: { _tag: 'Cancelled' } }, { id: '1', error: { _tag: 'Stopped' } }])
    expect(run.streams.stderr.text()).toContain('left behind: /srv/mounts/a mounting, mount is still running')
  })

  test('by a closed stdout: no more than one line is said', async () => {
    const broken = Object.assign(
      new Writable({
        write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
      }),
      { text: () => '' },
    )
    const run = drive({ streams: { ...streamsWith(), stdout: broken, stderr: sink() } })
    run.send(attach('1'), attach('2', 'b'))
    expect(await run.exit).toBe(3)
    const said = run.streams.stderr
      .text()
      .split('\n')
      .filter((line) => !/left behind|stays, in use/.test(line))
    expect(said).toEqual(['mountkeeper: stdout was closed; stopped', ''])
  })
})

describe('a broken promise', () => {
  test('of a port is one line, and spoils that mountpoint only', async () => {
    const host = createModelHost()
    const run = drive({
      host: {
        ...host,
        run: (effect) =>
          effect._tag === 'Look' && effect.mountpoint.endsWith('/a')
            ? Promise.reject(new Error('oops'))
            : host.run(effect),
      },
    })
    run.send({ ...attach('1'), deadlineMs: 1 }, attach('2', 'b'))
    run.end()
    expect(await run.exit).toBe(1)
    expect(run.answers()).toMatchObject([
      { id: '1', ok: false, error: { _tag: 'Uncertain', why: expect.stringContaining('oops') as string } },
      { id: '2', ok: true },
    ])
    const [said] = run.streams.stderr.text().split('\n')
    expect(said).toMatch(/^mountkeeper: defect: the host port threw instead of a report at Look .*; please report it/)
  })
})

describe('a trace', () => {
  const record = async (path: string, fd = openSync(path, 'w')) => {
    const run = drive({ trace: { fd, path } })
    run.send(attach('1'), detach('2', '1'))
    run.end()
    return { code: await run.exit, run }
  }

  test('has a head, and a numbered line for each input', async () => {
    const path = join(folder, 'good')
    const { code } = await record(path)
    expect(code).toBe(0)
    const [head, ...lines] = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { n: number; format?: number })
    expect(head).toMatchObject({ format: 1, facts: [] })
    expect(lines.map(({ n }) => n)).toEqual(lines.map((_, index) => index + 1))
  })

  test('on a full disk stops the run with 3 and the fix', async () => {
    const { code, run } = await record('/dev/full')
    expect(code).toBe(3)
    expect(run.streams.stderr.text()).toBe(
      'mountkeeper: --trace /dev/full is on a full disk; free disk space or give another file, and run again\n',
    )
  })

  test('that cannot be written any more does not crash', async () => {
    const path = join(folder, 'read-only')
    closeSync(openSync(path, 'w'))
    const { code, run } = await record(path, openSync(path, 'r'))
    expect(code).toBe(3)
    expect(run.streams.stderr.text()).toContain(`--trace ${path} `)
  })
})

describe('a plan on a line', () => {
  test('is answered by what would follow now, and changes nothing', async () => {
    const run = drive()
    run.send(attach('1'), { op: 'plan', id: 'p', requests: [detach('2', '1'), attach('3', 'b')] })
    run.end()
    expect(await run.exit).toBe(0)
    expect(run.answers()[1]).toMatchObject({
      id: 'p',
      op: 'plan',
      ok: true,
      result: {
        _tag: 'Planned',
        requests: [
          {
            steps: [
              { effect: { _tag: 'Look' } },
              { effect: { _tag: 'Unmount' } },
              { effect: { _tag: 'RemoveDirectory' } },
            ],
            answer: { ok: true, result: { mount: 'unmounted' } },
          },
          { answer: { ok: true, result: { mount: 'mounted' } } },
        ],
      },
    })
    expect(run.host.paths.get('/srv/mounts/a')).toHaveLength(1)
    expect(run.host.paths.has('/srv/mounts/b')).toBe(false)
  })
})
