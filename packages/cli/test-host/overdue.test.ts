// Commands that pass their deadline, in the whole command on real mounts: who asked is answered in time, `status` shows what is
// waited for, and when the command has ended after all the mountpoint goes on by itself.

import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Started } from './world.js'
import { ROOT, STATE, attach, command, detach, mounted, prepareWorld } from './world.js'

prepareWorld()

// SIGTERM shows them that their deadline is over; then they wait until the test has seen that they are shown, but not for so
// long that SIGKILL comes.
const UNTIL_SEEN = `
trap 'overdue=1' TERM
until [ "$overdue" ]; do sleep 600 || overdue=1; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ -e ${STATE}/seen ] && break; sleep 0.1; done`
const UNMOUNT_LATE = `#!/bin/sh
if [ -e ${STATE}/late ]; then ${UNTIL_SEEN}
fi
exec umount -i "$@"
`
const MOUNT_LATE = `#!/bin/sh
${UNTIL_SEEN}
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`
/** Of the command: many times what it takes to begin on a machine with other work. And of its request: a little later. */
const COMMAND_MS = 4_000
const REQUEST_MS = COMMAND_MS + 100
const CONFIG = {
  roots: [ROOT],
  types: { tmpfs: { sources: ['*'], options: ['size'] }, late: { sources: ['*'] } },
  deadlines: { perType: { tmpfs: { unmountMs: COMMAND_MS }, late: { mountMs: COMMAND_MS } } },
  delays: { backOffFirstMs: 100, settleMs: 100 },
}

const plant = (name: string, script: string): void => {
  writeFileSync(`/usr/sbin/${name}`, script)
  chmodSync(`/usr/sbin/${name}`, 0o755)
}

beforeAll(() => {
  plant('umount.tmpfs', UNMOUNT_LATE)
  plant('mount.late', MOUNT_LATE)
  writeFileSync('/srv/config.json', JSON.stringify(CONFIG))
})

beforeEach(() => rmSync(`${STATE}/seen`, { force: true }))
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
  for (const from = Date.now(); Date.now() - from < 150_000;) {
    const answer = linesOf(manager.stdout()).find((line) => line['id'] === id)
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${id} was not answered`)
}

const mountpointsOf = (answer: Seen): readonly Seen[] =>
  (answer['result'] as { readonly mountpoints: readonly Seen[] }).mountpoints

/** Asks for the status until it shows this, and gives the last one. */
const statusUntil = async (manager: Started, name: string, right: (all: readonly Seen[]) => boolean) => {
  let all: readonly Seen[] = []
  for (let round = 0; round < 800; round += 1) {
    all = mountpointsOf(await ask(manager, `${name}-${round}`, { op: 'status' }))
    if (right(all)) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return all
}

const start = (): Started => command('run', '--config', '/srv/config.json', '--concurrent')

const waitsFor = (program: string): Seen => ({
  mountpoint: `${ROOT}/a`,
  phase: 'uncertain',
  since: expect.any(Number) as number,
  slot: expect.any(String) as string,
  lastError: { command: expect.arrayContaining([program]) as string[], pid: expect.any(Number) as number },
})

describe('an unmount that succeeds after its deadline', () => {
  test('is answered as uncertain, shown with its process, and finished when it has ended', async () => {
    const manager = start()
    expect(await ask(manager, 'a', attach('1', 'a'))).toMatchObject({ ok: true })
    writeFileSync(`${STATE}/late`, '')
    const left = await ask(manager, 'd', { ...detach('1', '1', 'a'), deadlineMs: REQUEST_MS })
    expect(left).toMatchObject({ ok: true, result: { holder: 'removed', mount: 'uncertain', directory: 'kept' } })
    const shown = await statusUntil(manager, 'waits', ([one]) => one?.['phase'] === 'uncertain')
    expect(shown).toMatchObject([waitsFor('umount')])
    seen()
    expect(await statusUntil(manager, 'gone', (all) => all.length === 0)).toEqual([])
    expect(mounted()).toEqual([])
    expect(existsSync(`${ROOT}/a`)).toBe(false)
    manager.end()
    expect(await manager.ended).toMatchObject({ code: 0 })
  })
})

describe('a mount that succeeds after its deadline', () => {
  const late = (id: string, deadlineMs: number): object => ({
    ...attach(id, 'a', { type: 'late', source: 'late', options: [] }),
    deadlineMs,
  })

  test('is taken off again when nobody waits for it', async () => {
    const manager = start()
    const refused = await ask(manager, 'a', late('1', REQUEST_MS))
    expect(refused).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
    expect(await statusUntil(manager, 'waits', ([one]) => one?.['phase'] === 'uncertain')).toMatchObject([
      waitsFor('mount'),
    ])
    seen()
    expect(await statusUntil(manager, 'gone', (all) => all.length === 0)).toEqual([])
    expect(mounted()).toEqual([])
    manager.end()
    await manager.ended
  })

  test('is shared by whoever waited for it, and mounted once', async () => {
    const manager = start()
    const first = ask(manager, 'a', late('1', REQUEST_MS))
    const second = ask(manager, 'b', late('2', 150_000))
    expect(await first).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
    seen()
    expect(await second).toMatchObject({ ok: true, result: { holder: 'added', mount: 'shared' } })
    expect(mounted()).toEqual([`${ROOT}/a late`])
    await ask(manager, 'd', { ...detach('2', '2', 'a'), deadlineMs: 150_000 })
    await statusUntil(manager, 'gone', (all) => all.length === 0)
    expect(mounted()).toEqual([])
    manager.end()
    await manager.ended
  })
})
