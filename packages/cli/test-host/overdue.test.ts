// Commands that pass their deadline, in the whole command on real mounts: who asked is answered in time, `status` shows what is
// waited for, and when the command has ended after all the mountpoint goes on by itself.

import { chmodSync, existsSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Started } from './world.js'
import { ROOT, STATE, attach, command, detach, mounted, prepareWorld, sh } from './world.js'

prepareWorld()

/** Says that the command did what it was to do after its deadline. */
const DONE = `${STATE}/done`

// SIGTERM shows them that their deadline is over; then they wait until the test has seen that they are shown, but not for so
// long that SIGKILL comes.
const UNTIL_SEEN = `
trap 'overdue=1' TERM
until [ "$overdue" ]; do sleep 600 || overdue=1; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ -e ${STATE}/seen ] && break; sleep 0.1; done
: >${DONE}`
const UNMOUNT_LATE = `#!/bin/sh
if [ -e ${STATE}/late ]; then ${UNTIL_SEEN}
fi
exec umount -i "$@"
`
const MOUNT_LATE = `#!/bin/sh
${UNTIL_SEEN}
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`
/** Deadline of the command: many times what it takes to begin. */
const COMMAND_MS = 2_000
/** Its request is answered a little later. */
const LATER_MS = 100

const configOf = (commandMs: number): object => ({
  roots: [ROOT],
  types: { tmpfs: { sources: ['*'], options: ['size'] }, late: { sources: ['*'] } },
  deadlines: { perType: { tmpfs: { unmountMs: commandMs }, late: { mountMs: commandMs } } },
  delays: { backOffFirstMs: 100, settleMs: 100 },
})

const plant = (name: string, script: string): void => {
  writeFileSync(`/usr/sbin/${name}`, script)
  chmodSync(`/usr/sbin/${name}`, 0o755)
}

beforeAll(() => {
  plant('umount.tmpfs', UNMOUNT_LATE)
  plant('mount.late', MOUNT_LATE)
})

/** More often than that no machine is too slow for its commands to begin before their deadline. */
const TRIES_MAX = 5

/**
 * Plays a story whose command is to be late. Where it was not, since it had not begun before its deadline or was killed before
 * it was done, the machine was too slow for that deadline, and the story is played again with twice the time.
 */
const play = async (story: (manager: Started, requestMs: number) => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    for (const name of ['seen', 'done', 'late']) rmSync(`${STATE}/${name}`, { force: true })
    const commandMs = COMMAND_MS * 2 ** (tries - 1)
    writeFileSync('/srv/config.json', JSON.stringify(configOf(commandMs)))
    const manager = command('run', '--config', '/srv/config.json', '--concurrent')
    try {
      await story(manager, commandMs + LATER_MS)
      manager.end()
      // 1: some request was refused.
      expect([0, 1]).toContain((await manager.ended).code)
      return
    } catch (error) {
      manager.kill('SIGKILL')
      await manager.ended
      if (existsSync(DONE) || tries === TRIES_MAX) throw error
      for (const line of mounted()) sh('umount', '-l', line.split(' ')[0] ?? '')
      for (const name of readdirSync(ROOT)) rmdirSync(`${ROOT}/${name}`)
    }
  }
}

const seen = (): void => writeFileSync(`${STATE}/seen`, '')

type Seen = Readonly<Record<string, unknown>>

const linesOf = (text: string): readonly Seen[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Seen)

/** Asks, and gives the answer of that id. */
const ask = async (manager: Started, id: string, request: object): Promise<Seen> => {
  manager.send({ ...request, id })
  for (const from = Date.now(); Date.now() - from < 60_000;) {
    const answer = linesOf(manager.stdout()).find((line) => line['id'] === id)
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${id} was not answered`)
}

const mountpointsOf = (answer: Seen): readonly Seen[] =>
  (answer['result'] as { readonly mountpoints: readonly Seen[] }).mountpoints

const counter = (): (() => number) => {
  let count = 0
  return () => (count += 1)
}

/** Asks for the status until it shows this, and gives the last one. */
const statusUntil = async (manager: Started, name: string, right: (all: readonly Seen[]) => boolean) => {
  let all: readonly Seen[] = []
  for (const from = Date.now(), rounds = counter(); Date.now() - from < 30_000;) {
    all = mountpointsOf(await ask(manager, `${name}-${rounds()}`, { op: 'status' }))
    if (right(all)) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return all
}

const waitsFor = (program: string): Seen => ({
  mountpoint: `${ROOT}/a`,
  phase: 'uncertain',
  since: expect.any(Number) as number,
  slot: expect.any(String) as string,
  lastError: { command: expect.arrayContaining([program]) as string[], pid: expect.any(Number) as number },
})

describe('an unmount that succeeds after its deadline', () => {
  test('is answered as uncertain, shown with its process, and finished when it has ended', () =>
    play(async (manager, requestMs) => {
      expect(await ask(manager, 'a', attach('1', 'a'))).toMatchObject({ ok: true })
      writeFileSync(`${STATE}/late`, '')
      const left = await ask(manager, 'd', { ...detach('1', '1', 'a'), deadlineMs: requestMs })
      expect(left).toMatchObject({ ok: true, result: { holder: 'removed', mount: 'uncertain', directory: 'kept' } })
      const shown = await statusUntil(manager, 'waits', ([one]) => one?.['phase'] === 'uncertain')
      expect(shown).toMatchObject([waitsFor('umount')])
      seen()
      expect(await statusUntil(manager, 'gone', (all) => all.length === 0)).toEqual([])
      expect(mounted()).toEqual([])
      expect(existsSync(`${ROOT}/a`)).toBe(false)
    }))
})

describe('a mount that succeeds after its deadline', () => {
  const late = (id: string, deadlineMs: number): object => ({
    ...attach(id, 'a', { type: 'late', source: 'late', options: [] }),
    deadlineMs,
  })

  test('is taken off again when no request waits for it', () =>
    play(async (manager, requestMs) => {
      const refused = await ask(manager, 'a', late('1', requestMs))
      expect(refused).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
      expect(await statusUntil(manager, 'waits', ([one]) => one?.['phase'] === 'uncertain')).toMatchObject([
        waitsFor('mount'),
      ])
      seen()
      expect(await statusUntil(manager, 'gone', (all) => all.length === 0)).toEqual([])
      expect(mounted()).toEqual([])
    }))

  test('is shared by the request that waited for it, and mounted once', () =>
    play(async (manager, requestMs) => {
      const first = ask(manager, 'a', late('1', requestMs))
      const second = ask(manager, 'b', late('2', 60_000))
      expect(await first).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
      seen()
      expect(await second).toMatchObject({ ok: true, result: { holder: 'added', mount: 'shared' } })
      expect(mounted()).toEqual([`${ROOT}/a late`])
      await ask(manager, 'd', { ...detach('2', '2', 'a'), deadlineMs: 60_000 })
      await statusUntil(manager, 'gone', (all) => all.length === 0)
      expect(mounted()).toEqual([])
    }))
})
