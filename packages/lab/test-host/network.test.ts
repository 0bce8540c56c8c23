// Network filesystems that fail as they do in the field, each with a real server: one that hangs, is killed, is slow, or refuses.
// Whatever it does, every request has its one answer, no other request waits for it, and in the end nothing is left.

import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GLUSTER_KIND, stopGluster } from '../src/servers/gluster.js'
import type { Managed, ManagedOptions } from '../src/servers/managed.js'
import { attachedOf, detachedOf, manage, mountsBelow } from '../src/servers/managed.js'
import { leavePlace, MOUNTS, preparePlace } from '../src/servers/place.js'
import type { Server, ServerKind } from '../src/servers/server.js'
import { UNTIL_MS, kill, processes, processesWith, sleep, until } from '../src/servers/server.js'
import { SFTP_KIND } from '../src/servers/sftp.js'
import { SSHD_KIND } from '../src/servers/sshd.js'

const KINDS = [SFTP_KIND, SSHD_KIND, GLUSTER_KIND]
const TMPFS: Filesystem = { type: 'tmpfs', source: 'scratch', options: ['size=64k'] }

let before: ReadonlySet<number>
let healthy: Server | undefined

beforeAll(async () => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
  before = new Set(processes().map(({ pid }) => pid))
  preparePlace()
  if (SFTP_KIND.why === undefined) healthy = await SFTP_KIND.start('healthy')
})

afterAll(async () => {
  await healthy?.stop()
  await stopGluster()
  const left = (): readonly number[] => processes().flatMap(({ pid }) => (before.has(pid) ? [] : [pid]))
  await until(() => left().length === 0, 'no process is left')
  leavePlace()
})

/** A server, a manager, and the mountpoint that the story is about. */
interface Scene extends Managed {
  readonly server: Server
  readonly name: string
  /** Others are served, within their time, while the server does what it does. */
  readonly othersAreServed: () => Promise<void>
}

const stories = new Map<ServerKind, number>()

const story =
  (kind: ServerKind, options: ManagedOptions, tell: (scene: Scene) => Promise<void>) => async (): Promise<void> => {
    const number = (stories.get(kind) ?? 0) + 1
    stories.set(kind, number)
    const place = `${'tsg'[KINDS.indexOf(kind)]!}${number}`
    const name = `${place}-share`
    const server = await kind.start(place)
    const deadlinesMs = { ...DEADLINES_MS, ...options.deadlinesMs }
    const managed = await manage(`${MOUNTS}/${place}`, { ...options, deadlinesMs })
    const aside = `${place}-aside`
    const othersAreServed = async (): Promise<void> => {
      const others = [TMPFS, ...(healthy === undefined ? [] : [healthy.filesystem])]
      const names = others.map((_, index) => `${aside}-${index}`)
      const there = await Promise.all(others.map((each, index) => managed.attach(99, names[index]!, each)))
      expect(there).toMatchObject(others.map(() => ({ ok: true, result: { mount: 'mounted', warnings: [] } })))
      const gone = await Promise.all(names.map((each) => managed.detach(99, each)))
      expect(gone).toMatchObject(others.map(() => ({ ok: true, result: { mount: 'unmounted' } })))
    }
    try {
      await tell({ ...managed, server, name, othersAreServed })
      server.goOn()
      await managed.nothingLeft()
      expect(managed.answered()).toBe(managed.asked())
      // Plain umount(8) asks its target first, and hangs with it.
      const touching = managed.ran.filter(([program, how]) => program === 'umount' && how === '--')
      expect(touching.filter((vector) => vector.at(-1)?.endsWith(name))).toEqual([])
    } finally {
      server.goOn()
      await managed.end()
      for (const path of mountsBelow(managed.root)) spawnSync('umount', ['-l', path])
      await server.stop()
    }
  }

/** A process that waits for the filesystem: resolves when it does, with what resolves when it has ended. */
const touch = async (path: string): Promise<{ readonly ended: Promise<unknown> }> => {
  const child = spawn('stat', ['--cached=never', path], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  // The function of the kernel that it sleeps in; no other call of stat(1) waits for anything.
  const waits = (): boolean => /fuse|request_wait/.test(readFileSync(`/proc/${child.pid ?? 0}/wchan`, 'latin1'))
  await until(waits, 'it waits for the filesystem')
  return { ended }
}

/** A process that stands in a directory, without asking the filesystem for anything. */
const standIn = async (path: string): Promise<() => void> => {
  const child = spawn('sleep', ['60'], { cwd: path, stdio: 'ignore' })
  await new Promise((spawned) => child.once('spawn', spawned))
  return () => child.kill('SIGKILL')
}

const ENOUGH = { timeout: 600_000 }
/** What works has a multiple of the time that it takes on a machine with nothing else to do. */
const DEADLINES_MS = { request: 60_000, look: 15_000, directory: 15_000, mount: 15_000, unmount: 15_000, probe: 10_000 }

const FOUR = [1, 2, 3, 4]
/** A mount may take its time, on a server or a machine that is slow. */
const PATIENT = { deadlinesMs: { mount: 60_000 } }
/** What is known to hang is not waited for. */
const HASTY = { deadlinesMs: { probe: 500 } }

describe.each(KINDS)('$name', { concurrent: true }, (kind) => {
  const told = test.skipIf(kind.why !== undefined)
  const why = kind.why === undefined ? '' : `: skipped, since ${kind.why}`
  const tell = (what: string, options: ManagedOptions, body: (scene: Scene) => Promise<void>): void => {
    told(`${what}${why}`, ENOUGH, story(kind, options, body))
  }

  tell('64 consumers share one mount, and one unmount', {}, async ({ attach, detach, name, server, started, root }) => {
    const consumers = Array.from({ length: 64 }, (_, index) => index)
    const answers = await Promise.all(consumers.map((who) => attach(who, name, server.filesystem)))
    expect(answers.filter(({ ok }) => !ok)).toEqual([])
    writeFileSync(`${root}/${name}/file`, 'content')
    expect(readFileSync(`${root}/${name}/file`, 'utf8')).toBe('content')
    expect(mountsBelow(root)).toEqual([`${root}/${name}`])
    const gone = await Promise.all(consumers.map((who) => detach(who, name)))
    const mounts = gone.map((answer) => detachedOf(answer).mount)
    expect(mounts).toEqual([...consumers.slice(1).map(() => 'held'), 'unmounted'])
    expect([started('Mount', name), started('Unmount', name)]).toEqual([1, 1])
  })

  tell('a wrong export is refused, and leaves nothing', {}, async ({ attach, name, server, nothingLeft }) => {
    const answer = await attach(1, name, server.wrong)
    expect(answer).toMatchObject({ ok: false, error: { _tag: 'MountFailed', rollback: [] } })
    await nothingLeft()
  })

  tell('a refused connection is refused, and leaves nothing', {}, async ({ attach, name, server, nothingLeft }) => {
    const answer = await attach(1, name, server.refused)
    expect(answer).toMatchObject({ ok: false, error: { _tag: 'MountFailed', rollback: [] } })
    await nothingLeft()
  })

  tell('hung before the mount', {}, async ({ attach, detach, name, server, othersAreServed }) => {
    await server.hang()
    const asked = FOUR.map((who) => attach(who, name, server.filesystem))
    await othersAreServed()
    // What mount(8) leaves when it is ended differs: sshfs nothing, GlusterFS a mount that hangs.
    const expected =
      kind === GLUSTER_KIND
        ? { ok: true, result: { _tag: 'Attached' } }
        : { ok: false, error: { _tag: 'MountFailed', step: 'mount', rollback: [] } }
    expect(await Promise.all(asked)).toMatchObject(FOUR.map(() => expected))
    await othersAreServed()
    server.goOn()
    await Promise.all(FOUR.map((who) => detach(who, name)))
  })

  tell('hung before the mount, which succeeds when no request waits any more', PATIENT, async (scene) => {
    const { attach, name, server, othersAreServed, status, started } = scene
    await server.hang()
    const answers = await Promise.all(FOUR.map((who) => attach(who, name, server.filesystem, 3_000)))
    expect(answers).toMatchObject(FOUR.map(() => ({ ok: false, error: { _tag: 'Uncertain' } })))
    expect(await status(name)).toMatchObject({ phase: 'mounting', holders: [], waiting: [], slot: 'held' })
    await othersAreServed()
    server.goOn()
    await scene.nothingLeft()
    expect([started('Mount', name), started('Unmount', name)]).toEqual([1, 1])
  })

  /** Mounts, hangs, and lets a second consumer in, whose probe is then overdue. */
  const hangWhileMounted = async ({ attach, name, server, status }: Scene): Promise<void> => {
    expect(await attach(1, name, server.filesystem)).toMatchObject({ ok: true, result: { warnings: [] } })
    await server.hang()
    expect(await attach(2, name, server.filesystem)).toMatchObject({
      ok: true,
      result: { mount: 'shared', warnings: [{ _tag: 'NotResponding' }] },
    })
    const seen = await status(name)
    expect(seen).toMatchObject({
      phase: 'uncertain',
      slot: 'overdue',
      overdue: ['Probe'],
      lastError: { command: { 0: 'stat' } },
    })
    expect(processes().map(({ pid }) => pid)).toContain(seen?.lastError?.pid)
  }

  tell('hung while mounted: certain again by itself when it goes on', HASTY, async (scene) => {
    const { attach, detach, name, server, othersAreServed, status } = scene
    await hangWhileMounted(scene)
    await othersAreServed()
    const late = await attach(3, name, server.filesystem, 300)
    expect(late).toMatchObject({ ok: false, error: { _tag: 'Uncertain' } })
    server.goOn()
    for (const since = performance.now(); (await status(name))?.phase !== 'mounted';) {
      expect(performance.now() - since).toBeLessThan(UNTIL_MS)
      await sleep(50)
    }
    const gone = [await detach(1, name), await detach(2, name)]
    expect(gone.map((answer) => detachedOf(answer).mount)).toEqual(['held', 'unmounted'])
  })

  tell('hung while mounted: all leave, and it goes when it can', HASTY, async (scene) => {
    const { detach, name, othersAreServed } = scene
    await hangWhileMounted(scene)
    const gone = await Promise.all([1, 2].map((who) => detach(who, name, 500)))
    expect(gone.map(detachedOf)).toMatchObject([
      { mount: 'held' },
      { mount: 'uncertain', reason: { _tag: 'DeadlinePassed' } },
    ])
    await othersAreServed()
  })

  tell('hung during the unmount, with no process inside', {}, async ({ attach, detach, name, server }) => {
    await attach(1, name, server.filesystem)
    await server.hang()
    expect(detachedOf(await detach(1, name))).toMatchObject({ mount: 'unmounted', directory: 'removed' })
  })

  tell('hung during the unmount, with a process inside', {}, async (scene) => {
    const { attach, detach, name, server, root, othersAreServed } = scene
    await attach(1, name, server.filesystem)
    await server.hang()
    const inside = await touch(`${root}/${name}`)
    expect(detachedOf(await detach(1, name))).toMatchObject({ mount: 'vacant', reason: { _tag: 'Refused' } })
    await othersAreServed()
    server.goOn()
    await inside.ended
  })

  tell('hung, with a process inside, by ladder `force`', { ladder: 'force' }, async (scene) => {
    const { attach, detach, name, server, root, ran } = scene
    await attach(1, name, server.filesystem)
    await server.hang()
    const inside = await touch(`${root}/${name}`)
    expect(detachedOf(await detach(1, name))).toMatchObject({ mount: 'unmounted', directory: 'removed' })
    expect(ran.filter(([program]) => program === 'umount').map(([, how]) => how)).toEqual(['-c', '-f', '-c'])
    await inside.ended
  })

  tell('hung and busy, by ladder `lazy`', { ladder: 'lazy' }, async ({ attach, detach, name, server, root }) => {
    await attach(1, name, server.filesystem)
    const leave = await standIn(`${root}/${name}`)
    await server.hang()
    expect(detachedOf(await detach(1, name))).toMatchObject({
      mount: 'detached',
      directory: 'removed',
      warnings: [{ _tag: 'DetachedLazily' }, { _tag: 'PropagationNotShared' }],
    })
    leave()
  })

  tell('beside an overdue probe, by ladder `force`', { ...HASTY, ladder: 'force' }, async (scene) => {
    const { detach, name } = scene
    await hangWhileMounted(scene)
    const gone = await Promise.all([1, 2].map((who) => detach(who, name)))
    expect(gone.map((answer) => detachedOf(answer).mount)).toEqual(['held', 'unmounted'])
  })

  tell('its server killed while mounted, and started again', {}, async (scene) => {
    const { attach, detach, name, server, othersAreServed } = scene
    await attach(1, name, server.filesystem)
    await server.kill()
    // sshfs ends with its connection, and the mount with it; GlusterFS waits for the brick, dead or not.
    const mounted = kind === GLUSTER_KIND
    await until(() => mountsBelow(scene.root).length === (mounted ? 1 : 0), 'the mount goes with its server')
    const answer = await attach(2, name, server.filesystem)
    if (!mounted) expect(answer).toMatchObject({ ok: false, error: { _tag: 'MountFailed' } })
    await othersAreServed()
    await server.again()
    const expected = { ok: true, result: { mount: mounted ? 'shared' : 'remounted', instance: mounted ? 1 : 2 } }
    for (const since = performance.now(); ;) {
      const again = await attach(3, name, server.filesystem)
      // Its client connects again after some seconds, and says ENOTCONN until then.
      if (!again.ok && again.error._tag === 'Broken' && mounted && performance.now() - since < UNTIL_MS)
        await sleep(100)
      else {
        expect(again).toMatchObject(expected)
        break
      }
    }
    await Promise.all([1, 2, 3].map((who) => detach(who, name)))
  })

  /** Only what serves the mount, not the ssh below it: without that it would end in order, and unmount. */
  const killDaemon = async ({ name }: Scene): Promise<void> => {
    kill(processesWith(`/${name}`).map(({ pid }) => pid))
    await until(() => processesWith(`/${name}`).length === 0, 'the daemon has ended')
  }

  tell('its daemon killed: refused as broken, and taken off', {}, async (scene) => {
    const { attach, detach, name, server } = scene
    await attach(1, name, server.filesystem)
    await killDaemon(scene)
    const answer = await attach(2, name, server.filesystem)
    expect(answer).toMatchObject({ ok: false, error: { _tag: 'Broken', errno: 'ENOTCONN' } })
    expect(detachedOf(await detach(1, name))).toMatchObject({ mount: 'unmounted', directory: 'removed' })
  })

  tell('its daemon killed: mounted again by policy', { policies: { broken: 'remount' } }, async (scene) => {
    const { attach, detach, name, server } = scene
    await attach(1, name, server.filesystem)
    await killDaemon(scene)
    const answer = await attach(2, name, server.filesystem)
    expect(answer).toMatchObject({ ok: true, result: { mount: 'remounted', instance: 2 } })
    await Promise.all([1, 2].map((who) => detach(who, name)))
  })

  tell(
    'slow: served in the end, and others at once',
    PATIENT,
    async ({ attach, detach, name, server, othersAreServed }) => {
      server.slow(20, 100)
      const asked = attach(1, name, server.filesystem)
      await othersAreServed()
      expect(attachedOf(await asked).mount).toBe('mounted')
      expect(detachedOf(await detach(1, name))).toMatchObject({ mount: 'unmounted', directory: 'removed' })
    },
  )
})
