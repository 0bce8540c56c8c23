// Commands that report falsely, hang and are killed, and a host on which others act meanwhile. What is found is the truth in every case.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Leader } from '../src/processes.js'
import { anyLives, processes } from '../src/processes.js'
import type { World } from './world.js'
import { ROOT, clear, createWorld, layers, plant, prepareWorld, sh, sleep, tmpfs, top } from './world.js'

const known = (pid: number): Leader => ({ pid, started: undefined })

prepareWorld()
let world: World
beforeAll(async () => {
  world = await createWorld()
  plant('lying', 'exit 0')
  plant('failing', 'mount -i -t tmpfs "$1" "$2"; exit 32')
  plant('refusing', 'echo no such share >&2; exit 7')
  plant('slow', 'sleep 0.8; exec mount -i -t tmpfs "$1" "$2"')
  plant('deaf', 'trap "" TERM; sleep 0.8; mount -i -t tmpfs "$1" "$2"')
})
const type = (name: string) => ({ type: name, source: 'served', options: [] })

describe('exit status and truth are two things (L15)', () => {
  test('0 without having mounted', async () => {
    await world.make('a')
    const report = await world.mount('a', type('lying'))
    expect(report.found).toEqual({ _tag: 'Directory' })
    expect(report.error).toBeUndefined()
    await clear(world, 'a')
  })
  test('32 having mounted', async () => {
    await world.make('a')
    const report = await world.mount('a', type('failing'))
    expect(layers(report)).toHaveLength(1)
    expect(report.error).toMatchObject({ exitStatus: 32 })
    await clear(world, 'a')
  })
  test('a helper that refuses: its words are kept, with the path in place of the descriptor', async () => {
    await world.make('a')
    const report = await world.mount('a', type('refusing'))
    expect(report.found).toEqual({ _tag: 'Directory' })
    expect(report.error).toEqual({
      command: ['mount', '-c', '-t', 'refusing', '--', 'served', '/srv/mounts/a'],
      exitStatus: 7,
      stderr: 'no such share\n',
    })
    await clear(world, 'a')
  })
  test('an unknown type', async () => {
    await world.make('a')
    const report = await world.mount('a', type('xyzfs'))
    expect(report.found).toEqual({ _tag: 'Directory' })
    expect(report.error?.stderr).toContain("unknown filesystem type 'xyzfs'")
    await clear(world, 'a')
  })
})

describe('commands that take too long', () => {
  test('killed in time: nothing is mounted', async () => {
    await world.make('a')
    const report = await world.mount('a', type('slow'), 200)
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    expect(report.error?.pid).toBeGreaterThan(0)
    await report.ended
    await sleep(900)
    expect((await world.look('a')).found).toEqual({ _tag: 'Directory' })
    await clear(world, 'a')
  })
  test('TERM ignored, mounted late: the outcome is unknown, ended comes after the mount, the look shows it', async () => {
    const patient = await createWorld({ graceMs: 5_000 })
    await world.make('a')
    const report = await patient.mount('a', type('deaf'), 200)
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    expect((await world.look('a')).found).toEqual({ _tag: 'Directory' })
    await report.ended
    expect(anyLives(known(report.error!.pid!))).toBe(false)
    expect(layers(await world.look('a'))).toHaveLength(1)
    await clear(world, 'a')
  })
  test('TERM ignored, killed after the grace', async () => {
    const hasty = await createWorld({ graceMs: 100 })
    await world.make('a')
    const report = await hasty.mount('a', type('deaf'), 200)
    await report.ended
    await sleep(800)
    expect((await world.look('a')).found).toEqual({ _tag: 'Directory' })
    await clear(world, 'a')
  })
  test('mount is killed by another process: the result waits for its helper', async () => {
    await world.make('a')
    const pending = world.mount('a', type('slow'))
    await sleep(300)
    const mount = processes().find(({ entry }) => readFileSync(`/proc/${entry}/comm`, 'utf8').trim() === 'mount')
    process.kill(mount!.pid, 'SIGKILL')
    const report = await pending
    expect(report.error).toMatchObject({ signal: 'SIGKILL' })
    expect(layers(report)).toHaveLength(1)
    await clear(world, 'a')
  })
})

describe('layers', () => {
  test('all of a stack, top first, and one at a time', async () => {
    await world.make('a')
    const one = await world.mount('a', tmpfs('one'))
    const two = await world.mount('a', tmpfs('two'))
    expect(layers(two).map(({ source }) => source)).toEqual(['two', 'one'])
    expect(layers(await world.look('a', tmpfs())).map(({ source }) => source)).toEqual(['two', 'one'])
    const refused = await world.unmount('a', top(one))
    expect(refused.found).toEqual(two.found)
    expect(refused.ran).toBeUndefined()
    expect(layers(await world.unmount('a', top(two)))).toEqual(layers(one))
    await clear(world, 'a')
  })
  test('more than sixteen', async () => {
    mkdirSync(`${ROOT}/a`)
    for (let at = 0; at < 17; at += 1) sh('mount', '-t', 'tmpfs', 's', `${ROOT}/a`)
    const many = { _tag: 'Unknown', why: 'TooManyLayers', detail: 'more than 16 layers' }
    expect((await world.look('a')).found).toEqual(many)
    expect((await world.look('a', tmpfs())).found).toEqual(many)
    sh('umount', `${ROOT}/a`)
    expect(layers(await world.look('a'))).toHaveLength(16)
    await clear(world, 'a')
  })
  test('a mount under another one is not at its path', async () => {
    mkdirSync(`${ROOT}/p/c`, { recursive: true })
    sh('mount', '-t', 'tmpfs', 'child', `${ROOT}/p/c`)
    sh('mount', '-t', 'tmpfs', 'over', `${ROOT}/p`)
    const why = { _tag: 'Unknown', why: 'ParentElsewhere', detail: '/srv/mounts/p is on another mount' }
    expect((await world.look('p/c')).found).toEqual(why)
    expect((await world.look('p/c', tmpfs())).found).toEqual(why)
    expect((await world.make('p/d')).found).toMatchObject({ why: 'ParentElsewhere' })
    sh('umount', `${ROOT}/p`)
    await clear(world, 'p/c')
    await world.remove('p')
  })
  test('a removed source is recognized by its root', async () => {
    mkdirSync('/srv/source/gone')
    await world.make('a')
    const mounted = await world.mount('a', { type: 'bind', source: '/srv/source/gone', options: [] })
    rmdirSync('/srv/source/gone')
    const seen = await world.look('a')
    expect(top(seen).root).toBe('/source/gone//deleted')
    expect((await world.unmount('a', top(mounted))).found).toEqual({ _tag: 'Directory' })
    await world.remove('a')
  })
})

test.each([
  ['file', ['touch']],
  ['symlink', ['ln', '-s', '/etc']],
  ['fifo', ['mkfifo']],
])('an obstacle: %s', async (kind, command) => {
  sh(...command, `${ROOT}/x`)
  const found = { _tag: 'Obstacle', kind }
  expect((await world.look('x')).found).toEqual(found)
  expect((await world.look('x', tmpfs())).found).toEqual(found)
  expect((await world.make('x')).found).toEqual(found)
  const mount = await world.mount('x', tmpfs())
  expect(mount.found).toEqual(found)
  expect(mount.ran).toBeUndefined()
  expect((await world.remove('x')).found).toEqual(found)
  unlinkSync(`${ROOT}/x`)
})

describe('links do not lead out of the root', () => {
  test('a parent that is a link', async () => {
    mkdirSync('/srv/source/elsewhere')
    symlinkSync('/srv/source/elsewhere', `${ROOT}/p`)
    const why = {
      _tag: 'Unknown',
      why: 'NotADirectory',
      detail: '/srv/mounts/p is a symbolic link',
      component: '/srv/mounts/p',
    }
    expect((await world.look('p/a')).found).toEqual(why)
    expect((await world.make('p/a')).found).toEqual(why)
    expect((await world.mount('p/a', tmpfs())).found).toEqual(why)
    unlinkSync(`${ROOT}/p`)
    rmdirSync('/srv/source/elsewhere')
  })
})

test('no effect leaves a descriptor open', async () => {
  const open = (): number => readdirSync('/proc/self/fd').length
  mkdirSync('/srv/source/leak')
  const bind = { type: 'bind', source: '/srv/source/leak', options: [] }
  const round = async (): Promise<void> => {
    for (const name of ['a', 'no/where', 'p/a']) {
      for (const filesystem of [undefined, bind, tmpfs(), type('nfs'), { ...bind, source: '/srv/source/none' }]) {
        await world.look(name, filesystem)
      }
    }
    await world.make('a')
    await world.mount('a', { ...bind, source: '/etc' })
    await world.mount('a', { ...bind, options: ['a,b'] })
    await world.unmount('a', top(await world.mount('a', bind)))
    await (
      await world.mount('a', type('slow'), 50)
    ).ended
    await world.remove('a')
    await world.discover([{ mountpoint: `${ROOT}/a`, filesystem: bind }])
  }
  symlinkSync('/etc', `${ROOT}/p`)
  await round()
  const before = open()
  for (let at = 0; at < 5; at += 1) await round()
  expect(open()).toBe(before)
  unlinkSync(`${ROOT}/p`)
})

describe('the root is what it was', () => {
  const changed = { _tag: 'Unknown', why: 'RootChanged' }
  test('another directory in its place', async () => {
    renameSync(ROOT, '/srv/away')
    mkdirSync(ROOT, { mode: 0o700 })
    const detail = '/srv/mounts is another directory than at host-up'
    expect((await world.look('a')).found).toEqual({ ...changed, detail })
    expect((await world.make('a')).found).toMatchObject(changed)
    rmdirSync(ROOT)
    expect((await world.look('a')).found).toMatchObject({ ...changed, detail: '/srv/mounts does not exist' })
    symlinkSync('/srv/away', ROOT)
    expect((await world.look('a')).found).toMatchObject({ ...changed, detail: '/srv/mounts is a symbolic link' })
    unlinkSync(ROOT)
    renameSync('/srv/away', ROOT)
    expect((await world.look('a')).found).toEqual({ _tag: 'NoDirectory' })
  })
  test('mounted over', async () => {
    sh('mount', '-t', 'tmpfs', 'over', ROOT)
    const detail = '/srv/mounts is on another mount than at host-up'
    expect((await world.look('a')).found).toEqual({ ...changed, detail })
    sh('umount', ROOT)
  })
})

test('what was looked at and what is unmounted is one layer: another one on top is left alone', async () => {
  await world.make('a')
  const mounted = await world.mount('a', tmpfs())
  sh('mount', '-t', 'tmpfs', 'foreign', `${ROOT}/a`)
  const report = await world.unmount('a', top(mounted))
  expect(layers(report).map(({ source }) => source)).toEqual(['foreign', 'one'])
  expect(report.error?.stderr).toContain('another layer is on top')
  await clear(world, 'a')
})

test('a command of an earlier life is waited for', async () => {
  await world.make('a')
  const known = [{ mountpoint: `${ROOT}/a`, filesystem: tmpfs() }]
  // Its manager is gone, and so is the descriptor that it names; its parent is not this process.
  const orphan = spawn(
    'sh',
    ['-c', 'setsid mount -c -t slow -- served "$1" & exec sleep 1.2', 'sh', '/proc/4194303/fd/9/a'],
    {
      stdio: 'ignore',
    },
  )
  await sleep(200)
  const alive = { _tag: 'Unknown', why: 'CommandAlive' }
  const { found } = await world.discover(known)
  expect(found).toMatchObject({ mountpoints: [{ mountpoint: `${ROOT}/a`, found: alive }] })
  expect((await world.look('a')).found).toMatchObject(alive)
  const mount = await world.mount('a', tmpfs())
  expect(mount.found).toMatchObject(alive)
  expect(mount.ran).toBeUndefined()
  expect((await world.look('b')).found).toEqual({ _tag: 'NoDirectory' })
  await new Promise((ended) => orphan.once('exit', ended))
  expect((await world.look('a')).found).toEqual({ _tag: 'Directory' })
  await clear(world, 'a')
})
