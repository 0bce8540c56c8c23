// Commands that pass their deadline, in the whole command on real mounts: who asked is answered in time, `status` shows what is
// waited for, and when the command has ended after all the mountpoint goes on by itself.

import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Started } from './world.js'
import { ROOT, STATE, attach, command, detach, mounted, prepareWorld } from './world.js'

prepareWorld()

// Both do not hear SIGTERM, and are done before SIGKILL comes.
const LATE_S = '1.2'
const UNMOUNT_LATE = `#!/bin/sh
trap '' TERM
[ ! -e ${STATE}/late ] || sleep ${LATE_S}
exec umount -i "$@"
`
const MOUNT_LATE = `#!/bin/sh
trap '' TERM
sleep ${LATE_S}
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`
const CONFIG = {
  roots: [ROOT],
  types: { tmpfs: { sources: ['*'], options: ['size'] }, late: { sources: ['*'] } },
  deadlines: { perType: { tmpfs: { unmountMs: 300 }, late: { mountMs: 300 } } },
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

type Seen = Readonly<Record<string, unknown>>

const linesOf = (text: string): readonly Seen[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Seen)

/** Asks, and gives the answer of that id. */
const ask = async (manager: Started, id: string, request: object): Promise<Seen> => {
  manager.send({ ...request, id })
  for (const from = Date.now(); Date.now() - from < 20_000;) {
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
  for (let round = 0; round < 200; round += 1) {
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
    const left = await ask(manager, 'd', { ...detach('1', '1', 'a'), deadlineMs: 600 })
    expect(left).toMatchObject({ ok: true, result: { holder: 'removed', mount: 'uncertain', directory: 'kept' } })
    const shown = await statusUntil(manager, 'waits', ([one]) => one?.['phase'] === 'uncertain')
    expect(shown).toMatchObject([waitsFor('umount')])
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
    const refused = await ask(manager, 'a', late('1', 600))
    expect(refused).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
    expect(await statusUntil(manager, 'waits', ([one]) => one?.['phase'] === 'uncertain')).toMatchObject([
      waitsFor('mount'),
    ])
    expect(await statusUntil(manager, 'gone', (all) => all.length === 0)).toEqual([])
    expect(mounted()).toEqual([])
    manager.end()
    await manager.ended
  })

  test('is shared by whoever waited for it, and mounted once', async () => {
    const manager = start()
    const first = ask(manager, 'a', late('1', 600))
    const second = ask(manager, 'b', late('2', 15_000))
    expect(await first).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
    expect(await second).toMatchObject({ ok: true, result: { holder: 'added', mount: 'shared' } })
    expect(mounted()).toEqual([`${ROOT}/a late`])
    await ask(manager, 'd', { ...detach('2', '2', 'a'), deadlineMs: 15_000 })
    await statusUntil(manager, 'gone', (all) => all.length === 0)
    expect(mounted()).toEqual([])
    manager.end()
    await manager.ended
  })
})
