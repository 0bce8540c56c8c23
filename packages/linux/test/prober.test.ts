// Looks in processes of their own: one that hangs is given up at its deadline, and holds up no other look.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Seen } from '../src/look.js'
import { afterAll, describe, expect, test } from 'vitest'
import type { Leader } from '../src/processes.js'
import { anyLives } from '../src/processes.js'
import { HUNG_PER_SERVER_MAX, createProber } from '../src/prober.js'
import type { Prober } from '../src/prober.js'

const known = (pid: number): Leader => ({ pid, started: undefined })

const base = mkdtempSync(join(tmpdir(), 'mountkeeper-prober-'))
afterAll(() => rmSync(base, { recursive: true }))

const module = fileURLToPath(new URL('hanging-look-process.mjs', import.meta.url))
const impatient = (idleMs = 2_000): Prober => createProber({ module, patienceMs: 150, idleMs })
/** A deadline that is not passed, on a machine with other work neither. */
const TRUST = { uid: process.getuid!(), owners: [] }
const LONG_MS = 150_000
const sleep = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))

const look = (prober: Prober, name: string, deadlineMs = LONG_MS, server = ''): Promise<Seen> =>
  prober.look({
    mountpoint: `${base}/${name}`,
    root: undefined,
    filesystem: undefined,
    rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
    server,
    trust: TRUST,
    mayBe: 'anything',
    deadlineMs,
  })

const SEEN = { _tag: 'Obstacle', kind: 'file' }
const LATE = { found: { _tag: 'Unknown', why: 'TimedOut' } }

const until = async (holds: () => boolean): Promise<void> => {
  for (const from = performance.now(); !holds() && performance.now() - from < LONG_MS;) await sleep(10)
  expect(holds()).toBe(true)
}

describe('nothing hangs', () => {
  test('one process does all looks, and ends when it was idle', async () => {
    const prober = impatient(100)
    const all = await Promise.all(Array.from({ length: 600 }, (_, index) => look(prober, `a${index}`)))
    expect(
      new Set(all.map(({ source }) => (source?.asked as { readonly device?: string } | undefined)?.device)).size,
    ).toBe(1)
    expect(all.every(({ found }) => found._tag === 'Obstacle')).toBe(true)
    expect(prober.processes().asked).toHaveLength(1)
    await until(() => prober.processes().asked.length === 0)
    // Asked again, another one is there.
    expect((await look(prober, 'b')).found).toEqual(SEEN)
  })
  test('a process that fails says so; one that ends is asked again, twice', async () => {
    const prober = impatient()
    expect((await look(prober, 'throws')).found).toMatchObject({ why: 'Unreadable', detail: 'a defect' })
    const [dead, alive] = await Promise.all([look(prober, 'dies'), look(prober, 'a')])
    expect(dead.found).toMatchObject({ why: 'Unreadable', detail: 'the look process ended (7)' })
    expect(alive.found).toEqual(SEEN)
  })
  test('a module that is not there', async () => {
    const prober = createProber({ module: `${base}/none.js` })
    expect((await look(prober, 'a')).found).toMatchObject({ why: 'Unreadable' })
    const root = await prober.directory('root', base, TRUST, LONG_MS)
    expect(root).toMatchObject({ _tag: 'Left', left: { mend: 'start the manager again' } })
  })
  test('it keeps no process running, and ends with it, also by SIGKILL', async () => {
    const script = `
      import { createProber } from '${new URL('../dist/prober.js', import.meta.url).href}'
      const prober = createProber({ module: '${module}' })
      const request = { mountpoint: '/a', rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] }, server: '', mayBe: 'anything', deadlineMs: 4000 }
      await prober.look(request)
      console.log(prober.processes().asked[0])
      if (process.argv[1] === 'killed') process.kill(process.pid, 'SIGKILL')
    `
    for (const how of ['ends', 'killed']) {
      const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script, how], {
        encoding: 'utf8',
        timeout: 20_000,
      })
      expect(signal).toBe(how === 'killed' ? 'SIGKILL' : null)
      const pid = Number(stdout.trim())
      expect(pid).toBeGreaterThan(1)
      await until(() => !anyLives(known(pid)))
    }
  })
})

describe('L24: a look hangs', () => {
  test('alone: the answer comes when its process has ended, after its deadline', async () => {
    const prober = impatient()
    const since = performance.now()
    expect(await look(prober, 'hang', 400)).toEqual(LATE)
    expect(performance.now() - since).toBeGreaterThan(395)
    await until(() => prober.processes().left.length === 0)
  })
  test('the others that were asked with it are answered while it hangs, and so is one that comes later', async () => {
    const prober = impatient()
    const names = ['hang-1', 'hang-2']
    const wait = { isOver: false }
    const hung = Promise.all(names.map((name) => look(prober, name))).finally(() => (wait.isOver = true))
    const others = await Promise.all(Array.from({ length: 50 }, (_, index) => look(prober, `a${index}`)))
    expect(others.map(({ found }) => found)).toEqual(Array.from({ length: 50 }, () => SEEN))
    expect((await look(prober, 'b')).found).toEqual(SEEN)
    expect(wait.isOver).toBe(false)
    for (const name of names) writeFileSync(`${base}/${name}`, '')
    expect((await hung).map(({ found }) => found)).toEqual([SEEN, SEEN])
  })
  test('one that comes back before its deadline is answered', async () => {
    const prober = impatient()
    const late = look(prober, 'hang-a-while')
    const beside = look(prober, 'c')
    expect((await beside).found).toEqual(SEEN)
    writeFileSync(`${base}/hang-a-while`, '')
    expect((await late).found).toEqual(SEEN)
    await until(() => prober.processes().asked.length === 1)
  })
  test('a process that was stopped from outside is killed, and the same look is asked elsewhere', async () => {
    const prober = impatient()
    await look(prober, 'a')
    const [pid] = prober.processes().asked
    process.kill(pid!, 'SIGSTOP')
    expect((await look(prober, 'a')).found).toEqual(SEEN)
    expect(prober.processes().asked).not.toContain(pid)
  })
  test('a server takes so many processes and no more; another one is served', async () => {
    const prober = impatient()
    const names = Array.from({ length: 8 }, (_, index) => `hang-${index}-of-one`)
    const seen: number[] = []
    const watching = setInterval(() => seen.push(prober.processes().asked.length), 5)
    const wait = { isOver: false }
    const all = Promise.all(names.map((name) => look(prober, name, 5_000, 'one'))).finally(() => (wait.isOver = true))
    expect((await look(prober, 'a', LONG_MS, 'two')).found).toEqual(SEEN)
    expect(wait.isOver).toBe(false)
    expect(await all).toEqual(names.map(() => LATE))
    clearInterval(watching)
    // One beside them has answered for the other server.
    expect(Math.max(...seen)).toBeLessThanOrEqual(HUNG_PER_SERVER_MAX + 1)
    await until(() => prober.processes().left.length === 0)
  })
  test('a root that hangs is none', async () => {
    const prober = impatient()
    expect(await prober.directory('root', `${base}/hang-root`, TRUST, 300)).toBeUndefined()
  })
})
