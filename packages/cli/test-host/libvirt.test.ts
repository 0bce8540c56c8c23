// The command beside a real libvirtd whose guests have their disks on shared mounts: what it knows and answers when it is killed,
// when guests come and go meanwhile, and when libvirtd is restarted, killed or hung.

import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Libvirt } from '@mountkeeper/lab'
import { MOUNTS, WHY_NO_LIBVIRT, leavePlace, preparePlace, processesWith, startLibvirt, until } from '@mountkeeper/lab'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Started } from './world.js'
import { answersOf, command, mounted, run, sh } from './world.js'

const skipped = WHY_NO_LIBVIRT === undefined ? '' : `: skipped, since ${WHY_NO_LIBVIRT}`
const CONFIGURATION = '/srv/configuration.json'
const STATE = '/srv/state'
const HERE = ['run', '--config', CONFIGURATION]
const LIMITS = { limitMs: 2_000, keepaliveSeconds: 1, retryFirstMs: 100, retryCeilingMs: 400 }

const uuid = (number: number): string => `0000000${number}-1111-4111-8111-111111111111`
const Q1 = { name: 'q1', uuid: uuid(1) }
const Q2 = { name: 'q2', uuid: uuid(2) }

let libvirt: Libvirt
let runs: Started[] = []

beforeAll(async () => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
  if (WHY_NO_LIBVIRT !== undefined) return
  preparePlace()
  writeFileSync(
    CONFIGURATION,
    JSON.stringify({ roots: [MOUNTS], inventory: { libvirt: LIMITS }, delays: { discoveryRetryMs: 500 } }),
  )
  libvirt = await startLibvirt()
})

afterAll(async () => {
  if (WHY_NO_LIBVIRT !== undefined) return
  await libvirt.stop()
  leavePlace()
})

afterEach(async () => {
  for (const started of runs) started.kill('SIGKILL')
  await Promise.all(runs.map(({ ended }) => ended))
  runs = []
  if (WHY_NO_LIBVIRT !== undefined) return
  for (const name of libvirt.virsh('list', '--name').trim().split('\n')) if (name !== '') libvirt.virsh('destroy', name)
  for (const name of libvirt.virsh('list', '--all', '--name').trim().split('\n'))
    if (name !== '') libvirt.virsh('undefine', name)
  for (const line of mounted(MOUNTS)) sh('umount', line.slice(0, line.lastIndexOf(' ')).replaceAll('\\040', ' '))
  for (const { name } of readdirSync(MOUNTS, { withFileTypes: true }).filter((each) => each.isDirectory()))
    rmdirSync(`${MOUNTS}/${name}`)
})

type Answer = Readonly<Record<string, unknown>>

/** A run of the command that is asked one thing after the other. */
const begin = (...more: readonly string[]) => {
  const started = command(...HERE, ...more)
  runs.push(started)
  let asked = 0
  const ask = async (request: object): Promise<Answer> => {
    asked += 1
    started.send({ ...request, id: String(asked) })
    await started.until(asked)
    const answer = started.stdout().split('\n')[asked - 1]
    return JSON.parse(answer ?? '') as Answer
  }
  const told = (text: string): Promise<void> => until(() => started.stderr().includes(text), text, 15_000)
  const attachments = async (): Promise<readonly string[]> => {
    const { result } = (await ask({ op: 'status' })) as {
      result: {
        mountpoints: {
          mountpoint: string
          phase: string
          holders: { volume: string; consumer: string; knowledge: string }[]
        }[]
      }
    }
    return result.mountpoints.flatMap(({ mountpoint, phase, holders }) =>
      holders.map(
        ({ volume, consumer, knowledge }) =>
          `${mountpoint.slice(MOUNTS.length + 1)} ${phase}: ${volume} ${consumer.slice(0, 8)} by ${knowledge}`,
      ),
    )
  }
  return { started, ask, told, attachments }
}

const attach = (name: string, volume: string, consumer: string) => ({
  op: 'attach',
  mountpoint: `${MOUNTS}/${name}`,
  filesystem: { type: 'tmpfs', source: 'images', options: ['size=4m'] },
  volume,
  consumer,
})
const detach = (name: string, volume: string, consumer: string) => ({
  op: 'detach',
  mountpoint: `${MOUNTS}/${name}`,
  volume,
  consumer,
})
const release = (consumer: string) => ({ op: 'release', consumer })

/** What the doctor says of libvirt. */
const doctor = async (): Promise<Answer | undefined> =>
  answersOf(await run(['doctor', '--json', '--config', CONFIGURATION])).find(({ name }) => name === 'inventory')

const image = (path: string): string => {
  const file = `${MOUNTS}/${path}`
  const descriptor = openSync(file, 'w')
  ftruncateSync(descriptor, 1_048_576)
  closeSync(descriptor)
  return file
}

describe(`beside a libvirtd${skipped}`, () => {
  const told = test.skipIf(WHY_NO_LIBVIRT !== undefined)

  told('a manager that was killed adopts what guests use, and unmounts it for the last of them', async () => {
    const first = begin()
    await first.ask(attach('a b', 'vol-1', Q1.uuid))
    await first.ask(attach('a b', 'vol-2', Q2.uuid))
    libvirt.add({ ...Q1, disks: [{ file: image('a b/one & "é".img'), serial: 'vol-1' }] }, 'define')
    libvirt.add({ ...Q2, disks: [{ file: image('a b/two.img') }] }, 'define')
    libvirt.virsh('destroy', 'q2')
    first.started.kill('SIGKILL')
    await first.started.ended
    // Its virsh has ended with it.
    await until(() => processesWith('--readonly').length === 0, 'no virsh is left')

    const second = begin()
    expect(await second.attachments()).toEqual([
      'a b mounted: vol-1 00000001 by inventory',
      'a b mounted: file:two.img 00000002 by inventory',
    ])
    libvirt.virsh('destroy', 'q1')
    // A detach knows the volume by the name of its caller.
    expect(await second.ask(detach('a b', 'vol-2', Q2.uuid))).toMatchObject({
      result: { holder: 'removed', mount: 'held', warnings: [{ _tag: 'MatchedByConsumer' }] },
    })
    expect(await second.ask(detach('a b', 'vol-1', Q1.uuid))).toMatchObject({
      result: { holder: 'removed', mount: 'unmounted', directory: 'kept' },
    })
  })

  test.skipIf(WHY_NO_LIBVIRT !== undefined).each(['SIGTERM', 'SIGKILL'] as const)(
    'libvirtd ended by %s takes the host down, and up again when it is back; what went meanwhile is stale',
    async (signal) => {
      const manager = begin()
      expect(await manager.ask(attach('a', 'vol-1', Q1.uuid))).toMatchObject({ result: { generation: 1 } })
      await manager.ask(attach('a', 'vol-2', Q2.uuid))
      libvirt.add({ ...Q1, disks: [{ file: image('a/one.img'), serial: 'vol-1' }] }, 'define')
      libvirt.add({ ...Q2, disks: [{ file: image('a/two.img'), serial: 'vol-2' }] }, 'create')

      await libvirt.signal(signal)
      await manager.told('the inventory is unavailable')
      expect(await manager.ask({ op: 'status' })).toMatchObject({ result: { phase: 'down', generation: 1 } })
      expect(await manager.ask(attach('a', 'vol-3', uuid(3)))).toMatchObject({
        error: {
          _tag: 'HostDown',
          reason: expect.stringMatching(/^the inventory was lost: libvirt at qemu/) as string,
        },
      })
      expect(await manager.ask(release(Q1.uuid))).toMatchObject({ error: { _tag: 'HostDown' } })
      expect(mounted(MOUNTS)).toHaveLength(1)
      await libvirt.crash('q2')

      await libvirt.again()
      await manager.told('the inventory is back')
      expect(await manager.ask(attach('a', 'vol-1', Q1.uuid))).toMatchObject({
        result: { holder: 'already-held', mount: 'shared', generation: 2 },
      })
      expect(await manager.ask({ op: 'reconcile', apply: false })).toMatchObject({
        result: {
          differences: [{ _tag: 'stale-holder', holders: [{ volume: 'vol-2', consumer: Q2.uuid }] }],
        },
      })
      await manager.ask(release(Q2.uuid))
      expect(await manager.attachments()).toEqual(['a mounted: vol-1 00000001 by request'])
    },
  )

  told(
    'a manager with a journal that was killed has its holders confirmed, and reports those that are gone',
    async () => {
      mkdirSync(STATE, { mode: 0o700 })
      const first = begin('--state-dir', STATE)
      await first.ask(attach('a', 'vol-1', Q1.uuid))
      await first.ask(attach('a', 'vol-2', Q2.uuid))
      libvirt.add({ ...Q1, disks: [{ file: image('a/one.img') }] }, 'define')
      libvirt.add({ ...Q2, disks: [{ file: image('a/two.img') }] }, 'create')
      first.started.kill('SIGKILL')
      await first.started.ended
      await libvirt.crash('q2')

      const second = begin('--state-dir', STATE)
      // The name of the file confirms the volume that the same consumer has attached there: it is one holder, not two.
      expect(await second.attachments()).toEqual([
        'a mounted: vol-1 00000001 by request',
        'a mounted: vol-2 00000002 by request',
      ])
      await second.told(`stale-holder: ${MOUNTS}/a`)
      expect(second.started.stderr()).toContain(`release ${Q2.uuid}`)
      expect(second.started.stderr()).not.toContain(Q1.uuid)
      await second.ask(release(Q2.uuid))
      libvirt.virsh('destroy', 'q1')
      expect(await second.ask(detach('a', 'vol-1', Q1.uuid))).toMatchObject({
        result: { mount: 'unmounted', directory: 'removed' },
      })
    },
  )

  told('guests that start while the manager is down are known when it is up', async () => {
    const manager = begin()
    await manager.ask(attach('a', 'vol-1', Q1.uuid))
    libvirt.add({ ...Q1, disks: [{ file: image('a/one.img'), serial: 'vol-1' }] }, 'define')
    await manager.ask({ op: 'host-down' })
    libvirt.add({ ...Q2, disks: [{ file: image('a/two.img') }, { file: image('a/three.img') }] }, 'create')
    await manager.ask({ op: 'host-up' })
    expect(await manager.attachments()).toEqual([
      'a mounted: vol-1 00000001 by request',
      'a mounted: file:two.img 00000002 by inventory',
      'a mounted: file:three.img 00000002 by inventory',
    ])
    libvirt.virsh('destroy', 'q2')
    await manager.ask(release(Q2.uuid))
    libvirt.virsh('destroy', 'q1')
    expect(await manager.ask(detach('a', 'vol-1', Q1.uuid))).toMatchObject({
      result: { mount: 'unmounted', directory: 'removed' },
    })
  })

  told('a libvirtd that hangs is lost, is no reason to wait, and is never nothing in use', async () => {
    const manager = begin()
    await manager.ask(attach('a', 'vol-1', Q1.uuid))
    libvirt.add({ ...Q1, disks: [{ file: image('a/one.img'), serial: 'vol-1' }] }, 'define')
    await libvirt.signal('SIGSTOP')
    try {
      await manager.told('the inventory is unavailable')
      expect(await manager.ask({ op: 'host-up' })).toMatchObject({
        error: { _tag: 'DiscoveryFailed', reason: expect.stringContaining('no answer within 2000 ms') as string },
      })
      expect(await manager.ask(attach('a', 'vol-1', Q1.uuid))).toMatchObject({ error: { _tag: 'HostDown' } })
      expect(await doctor()).toMatchObject({ ok: 'fail', text: expect.stringContaining('within 2000 ms') as string })
    } finally {
      await libvirt.signal('SIGCONT')
    }
    await manager.told('the inventory is back')
    expect(await manager.ask(attach('a', 'vol-1', Q1.uuid))).toMatchObject({ result: { holder: 'already-held' } })
    expect(await manager.attachments()).toEqual(['a mounted: vol-1 00000001 by request'])
    await until(() => processesWith('--readonly').length === 1, 'one virsh waits for events, and no other is left')
  })

  told('doctor says whether it answers', async () => {
    expect(await doctor()).toMatchObject({
      ok: 'ok',
      text: expect.stringMatching(/answers in \d+ ms, 0 consumers/) as string,
    })
    await libvirt.signal('SIGTERM')
    expect(await doctor()).toMatchObject({ ok: 'fail', text: expect.stringContaining('virsh ended with 1') as string })
    await libvirt.again()
  })
})
