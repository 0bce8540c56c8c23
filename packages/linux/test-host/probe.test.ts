// Filesystems that are dead and filesystems that hang: nothing but the probe's own child ever waits for them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { effectId } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Leader } from '../src/processes.js'
import { anyLives, processes, vectorOfProcess } from '../src/processes.js'
import type { World } from './world.js'
import { clear, createWorld, has, hasFuse, layers, prepareWorld, ROOT, SOURCE, tmpfs, top } from './world.js'

const known = (pid: number): Leader => ({ pid, started: undefined })

prepareWorld()
let world: World
beforeAll(async () => {
  world = await createWorld()
})
const probe = (name: string, deadlineMs = 5_000): Promise<Report> =>
  world.host.run({ _tag: 'Probe', effect: effectId(1), mountpoint: `${ROOT}/${name}`, filesystem: tmpfs(), deadlineMs })

test('alive', async () => {
  await world.make('a')
  await world.mount('a', tmpfs())
  const report = await probe('a')
  expect(report).toMatchObject({ found: { _tag: 'Alive' }, ran: [{ exitStatus: 0 }] })
  expect(report.error).toBeUndefined()
  await clear(world, 'a')
})

test('a path that is not there says nothing about a filesystem', async () => {
  expect((await probe('nothing')).found).toMatchObject({ _tag: 'Unknown', detail: 'stat fails with errno 2' })
})

const daemon = (name: string): number => {
  const found = processes().find(({ entry }) => vectorOfProcess(entry)[0]?.endsWith(name) === true)
  if (found === undefined) throw new Error(`no ${name}`)
  return found.pid
}

describe.skipIf(!hasFuse('bindfs'))('bindfs (skipped without it, or with /dev/fuse closed to us)', () => {
  const filesystem = { type: 'fuse.bindfs', source: `${SOURCE}/f`, options: ['nosuid', 'nodev'] }
  beforeAll(() => {
    mkdirSync(filesystem.source)
    writeFileSync(`${filesystem.source}/file`, '')
  })
  test('killed: broken, with its errno, and it can be taken off', async () => {
    await world.make('f')
    const mounted = await world.mount('f', filesystem)
    process.kill(daemon('bindfs'), 'SIGKILL')
    let report = await probe('f')
    // The kernel learns a moment later that the daemon has ended.
    while (report.found._tag === 'Alive') report = await probe('f')
    expect(report.found).toEqual({ _tag: 'Broken', errno: 'ENOTCONN' })
    expect(report.error).toMatchObject({ exitStatus: 1 })
    expect((await world.look('f', filesystem)).found).toEqual(mounted.found)
    await clear(world, 'f', true)
  })
  test('ended by itself: its mount goes with it, though it was given a path that is no more', async () => {
    await world.make('f')
    await world.mount('f', filesystem)
    process.kill(daemon('bindfs'), 'SIGTERM')
    let seen = await world.look('f', filesystem)
    while (layers(seen).length > 0) seen = await world.look('f', filesystem)
    expect(seen.found).toEqual({ _tag: 'Directory' })
    await world.remove('f')
  })
  test('stopped: no answer, while looks and unmounts go on', async () => {
    await world.make('f')
    await world.mount('f', filesystem)
    process.kill(daemon('bindfs'), 'SIGSTOP')
    const report = await probe('f', 300)
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    expect(report.ended).toBeInstanceOf(Promise)
    // One that hung would have been given up at its deadline.
    const seen = await world.look('f', filesystem)
    expect(layers(seen)).toHaveLength(1)
    expect(layers(await world.look('f'))).toHaveLength(1)
    await world.unmount('f', top(seen), { how: 'force', mayHang: true })
    await report.ended
    await clear(world, 'f', true)
    process.kill(daemon('bindfs'), 'SIGCONT')
  })
})

const SFTP = '/usr/lib/openssh/sftp-server'
const hasSshfs = hasFuse('sshfs') && has(SFTP)

describe.skipIf(!hasSshfs)(
  'sshfs with a server that hangs (skipped without sshfs and sftp-server, or with /dev/fuse closed to us)',
  () => {
    const children = new Set<ChildProcess>()
    const server = createServer((connection) => {
      const child = spawn(SFTP, [], { stdio: ['pipe', 'pipe', 'ignore'] })
      children.add(child)
      connection.pipe(child.stdin)
      child.stdout.pipe(connection)
      child.once('exit', () => connection.destroy())
      connection.on('close', () => child.kill('SIGKILL'))
      connection.on('error', () => child.kill('SIGKILL'))
      child.stdin.on('error', () => undefined)
    })
    let port = 0
    beforeAll(async () => {
      mkdirSync(`${SOURCE}/sftp`)
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      const address = server.address()
      port = typeof address === 'object' && address !== null ? address.port : 0
    })
    afterAll(() => {
      server.close()
    })
    const filesystem = () => ({
      type: 'fuse.sshfs',
      source: `127.0.0.1:${SOURCE}/sftp`,
      options: [`directport=${port}`, 'dir_cache=no', 'attr_timeout=0', 'entry_timeout=0', 'nosuid', 'nodev'],
    })

    test('the ladder frees what waits inside', async () => {
      await world.make('s')
      const mounted = await world.mount('s', filesystem())
      expect(mounted.error).toBeUndefined()
      expect(top(mounted)).toMatchObject({ fstype: 'fuse.sshfs', source: filesystem().source })
      expect((await probe('s')).found).toEqual({ _tag: 'Alive' })
      for (const child of children) child.kill('SIGSTOP')
      const report = await probe('s', 500)
      expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
      const pid = report.error!.pid!
      await new Promise((wake) => setTimeout(wake, 700))
      // Killed, and still there: it waits for the server.
      expect(anyLives(known(pid))).toBe(true)
      const busy = await world.unmount('s', top(mounted), { mayHang: true })
      expect(busy.found).toEqual(mounted.found)
      const forced = await world.unmount('s', top(mounted), { how: 'force', mayHang: true })
      await report.ended
      const seen = forced.found._tag === 'Mounted' ? await world.unmount('s', top(mounted), { mayHang: true }) : forced
      expect(seen.found).toEqual({ _tag: 'Directory' })
      for (const child of children) child.kill('SIGKILL')
      await world.remove('s')
    })
  },
)
