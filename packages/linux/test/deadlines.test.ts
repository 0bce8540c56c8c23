// Deadlines in virtual time: whatever an effect does before, and however long that takes, a command gets what is left.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Discovered, Found, Identity } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { Command, CommandEnd } from '../src/command-runner.js'
import { linuxHost } from '../src/effects.js'
import { virtualClock } from './virtual-clock.js'

const base = realpathSync(mkdtempSync(`${tmpdir()}/mountkeeper-`))
const rootPath = `${base}/mounts`
mkdirSync(rootPath, { mode: 0o700 })
mkdirSync(`${base}/source`)
afterAll(() => {
  rmSync(base, { recursive: true })
})

const { found } = await linuxHost().run({
  _tag: 'Discover',
  effect: effectId(1),
  roots: [rootPath],
  known: [],
  deadlineMs: 30_000,
})
const root = (found as Discovered).roots[0]!

const layer: Identity = { mountId: 70, device: '0:50', fstype: 'tmpfs', source: 's', root: '/', flags: ['rw'] }
const filesystem = { type: 'tmpfs', source: 's', options: [] }
const bind = { type: 'bind', source: `${base}/source`, options: [] }
const common = { effect: effectId(2), mountpoint: `${rootPath}/a`, root }
const unmount = { ...common, filesystem, identity: layer, how: 'plain', mayHang: false } as const
const MOUNTED: Found = { _tag: 'Mounted', layers: [layer] }
const DIRECTORY: Found = { _tag: 'Directory' }

const EFFECTS = {
  'mount of a tmpfs': { effect: { _tag: 'Mount', ...common, filesystem, options: [] }, before: DIRECTORY },
  'mount of a bind': { effect: { _tag: 'Mount', ...common, filesystem: bind, options: [] }, before: DIRECTORY },
  unmount: { effect: { _tag: 'Unmount', ...unmount }, before: MOUNTED },
  'unmount by force': { effect: { _tag: 'Unmount', ...unmount, how: 'force' }, before: MOUNTED },
  mkdir: { effect: { _tag: 'MakeDirectory', ...common }, before: DIRECTORY },
  rmdir: { effect: { _tag: 'RemoveDirectory', ...common }, before: DIRECTORY },
  probe: { effect: { _tag: 'Probe', ...common, filesystem }, before: MOUNTED },
} as const

const took = fc.record({ look: fc.nat(4_000), command: fc.nat(4_000), deadlineMs: fc.integer({ min: 1, max: 12_000 }) })

test.each(Object.entries(EFFECTS))(
  '%s: each command and look gets what is left of the deadline',
  async (_, { effect, before }) => {
    const property = fc.asyncProperty(took, async ({ look, command: commandMs, deadlineMs }) => {
      const clock = virtualClock()
      const given: { readonly what: string; readonly at: number; readonly deadlineMs: number }[] = []
      const host = linuxHost({
        clock,
        types: { tmpfs: typeRule('tmpfs', ['*']), bind: typeRule('bind', [`${base}/`]) },
        looker: (request) => {
          given.push({ what: 'look', at: clock.now(), deadlineMs: request.deadlineMs })
          clock.pass(look)
          return Promise.resolve({ found: before })
        },
        runner: {
          run: (command: Command): Promise<CommandEnd> => {
            given.push({ what: command.program, at: clock.now(), deadlineMs: command.deadlineMs })
            clock.pass(Math.min(commandMs, command.deadlineMs))
            const end = { vector: [command.program], stderr: '', durationMs: 1, pid: 7 }
            return Promise.resolve(
              commandMs > command.deadlineMs
                ? { _tag: 'TimedOut', ...end, ended: Promise.resolve() }
                : { _tag: 'Exited', ...end, exitStatus: 1 },
            )
          },
        },
      })
      await host.run({ ...effect, deadlineMs })
      expect(given.length).toBeGreaterThan(0)
      for (const one of given) expect(one.deadlineMs).toBe(Math.max(1, deadlineMs - one.at))
    })
    await fc.assert(property, { numRuns: 200, seed: 1 })
  },
)

test.each([0, 60_000])(
  'a command that waited %i ms for its turn has lost nothing of its deadline',
  async (waitedMs) => {
    const clock = virtualClock()
    const looks: number[] = []
    const host = linuxHost({
      clock,
      looker: ({ deadlineMs }) => {
        looks.push(deadlineMs)
        return Promise.resolve({ found: DIRECTORY })
      },
      runner: {
        run: () => {
          clock.pass(waitedMs + 1_000)
          const end = { vector: ['mkdir'], stderr: '', durationMs: 1_000, waitedMs, pid: 7 }
          return Promise.resolve({ _tag: 'Exited', ...end, exitStatus: 0 })
        },
      },
    })
    const report = await host.run({ ...EFFECTS.mkdir.effect, deadlineMs: 10_000 })
    expect({ found: report.found, looks }).toEqual({ found: DIRECTORY, looks: [9_000] })
  },
)

test('what a command leaves running is waited for until the deadline, and then it is ended', async () => {
  const clock = virtualClock()
  let ended = 0
  let looks = 0
  const host = linuxHost({
    clock,
    looker: () => {
      looks += 1
      return Promise.resolve({ found: DIRECTORY })
    },
    runner: {
      run: () => {
        clock.pass(1_000)
        const outlived = { over: new Promise<void>(() => undefined), end: () => Promise.resolve(void (ended += 1)) }
        const end = { vector: ['mount'], stderr: '', durationMs: 1_000, pid: 7, outlived }
        return Promise.resolve({ _tag: 'Exited', ...end, exitStatus: 0 })
      },
    },
  })
  let report: Awaited<ReturnType<typeof host.run>> | undefined
  void host.run({ ...EFFECTS['mount of a tmpfs'].effect, deadlineMs: 5_000 }).then((one) => {
    report = one
  })
  const turn = (): Promise<void> => new Promise((next) => setImmediate(next))
  for (let at = 0; at < 3_990; at += 10) {
    await turn()
    clock.pass(10)
  }
  await turn()
  expect({ report, ended }).toEqual({ report: undefined, ended: 0 })
  // The one before, and some while it is waited for, ever more seldom.
  expect(looks).toBeGreaterThan(4)
  expect(looks).toBeLessThan(12)
  clock.pass(10)
  await turn()
  await turn()
  expect({ found: report?.found, ended }).toEqual({ found: { _tag: 'Unknown', why: 'TimedOut' }, ended: 1 })
  await report?.ended
})
