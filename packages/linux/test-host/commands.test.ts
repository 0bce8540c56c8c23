// What reaches umount(8), umount2(2) and mount helpers: no bare path, and no number that ever means another directory.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'
import { UMOUNT_TAKES_PATH, typeRule } from '@mountkeeper/types'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { World } from './world.js'
import { ROOT, SOURCE, clear, createWorld, has, hasFuse, isRoot, layers, mountsBelow, plant } from './world.js'
import { prepareWorld, sh, sleep, tmpfs, top } from './world.js'

prepareWorld()
let world: World
beforeAll(async () => {
  world = await createWorld()
})

/** Waits until something is so; fails after a minute, which is longer than any machine takes. */
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (let at = 0; at < 3_000 && !(await isSo()); at += 1) await sleep(20)
  expect(await isSo()).toBe(true)
}

const type = (name: string): Filesystem => ({ type: name, source: `of ${name}`, options: [] })

/** The first of the fixed PATH is /usr/sbin, which the world has an overlay over. */
const UMOUNT = '/usr/sbin/umount'

/** Helpers wait for this file. */
const GO = '/srv/go'
const WAIT = `while [ ! -e ${GO} ]; do sleep 0.01; done`
const MOUNT = 'mount -i -t tmpfs -o nosuid,nodev "$1" "$2"'

const go = (): void => {
  writeFileSync(GO, '')
}
beforeEach(() => {
  rmSync(GO, { force: true })
})

describe('F1: umount never goes by a source', () => {
  test.skipIf(!hasFuse('bindfs'))(
    'a view whose source is our path stays when our layer and its directory go first (skipped without bindfs)',
    async () => {
      mkdirSync('/srv/view')
      await world.make('a')
      const mounted = await world.mount('a', tmpfs())
      sh('bindfs', `${ROOT}/a`, '/srv/view')
      writeFileSync(UMOUNT, `#!/bin/sh\ntouch /srv/started; ${WAIT}; exec /usr/bin/umount "$@"\n`)
      chmodSync(UMOUNT, 0o755)
      const pending = world.unmount('a', top(mounted))
      await until(() => existsSync('/srv/started'))
      sh('/usr/bin/umount', '-l', `${ROOT}/a`)
      sh('rmdir', `${ROOT}/a`)
      go()
      const report = await pending
      for (const path of [UMOUNT, '/srv/started']) rmSync(path)
      expect(report.found).toEqual({ _tag: 'NoDirectory' })
      expect(report.error).toMatchObject({ exitStatus: 32 })
      expect(mountsBelow('/srv')).toEqual(['/srv/view'])
      sh('umount', '/srv/view')
      rmSync('/srv/view', { recursive: true })
    },
  )
})

/** What umount2(2) gets, in order. */
const targetsOf = (trace: string): readonly string[] =>
  readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => /umount2\("([^"]*)"/.exec(line)?.[1] ?? [])

const image = (name: string, size: string, ...make: readonly string[]): string => {
  const path = `${SOURCE}/${name}.image`
  sh('truncate', '-s', size, path)
  sh(...make, path)
  return path
}

describe('no umount2(2) gets a bare path (skipped without strace)', () => {
  const rows: readonly (readonly [fstype: string, skip: boolean, make: () => readonly string[]])[] = [
    ['tmpfs', false, () => ['-t', 'tmpfs', 'x']],
    ['ext4', !isRoot || !has('mkfs.ext4'), () => ['-t', 'ext4', image('e', '8M', 'mkfs.ext4', '-q', '-F')]],
    ['xfs', !isRoot || !has('mkfs.xfs'), () => ['-t', 'xfs', image('x', '320M', 'mkfs.xfs', '-q', '-f')]],
    ['btrfs', !isRoot || !has('mkfs.btrfs'), () => ['-t', 'btrfs', image('b', '128M', 'mkfs.btrfs', '-q', '-f')]],
    [
      'squashfs',
      !isRoot || !has('mksquashfs'),
      () => {
        mkdirSync(`${SOURCE}/tree`, { recursive: true })
        sh('mksquashfs', `${SOURCE}/tree`, `${SOURCE}/s.image`, '-quiet', '-no-progress', '-noappend')
        return ['-t', 'squashfs', `${SOURCE}/s.image`]
      },
    ],
    [
      'overlay',
      false,
      () => {
        for (const name of ['ol', 'ou', 'ow']) mkdirSync(`${SOURCE}/${name}`, { recursive: true })
        const layersOf = `lowerdir=${SOURCE}/ol,upperdir=${SOURCE}/ou,workdir=${SOURCE}/ow`
        return ['-t', 'overlay', '-o', layersOf, 'overlay']
      },
    ],
    [
      'bind',
      false,
      () => {
        mkdirSync(`${SOURCE}/bind`, { recursive: true })
        return ['--bind', `${SOURCE}/bind`]
      },
    ],
  ]

  test('each filesystem that plain umount is used for has a row here', () => {
    expect(rows.map(([fstype]) => fstype)).toEqual(expect.arrayContaining([...UMOUNT_TAKES_PATH]))
  })

  describe.skipIf(!has('strace'))('traced', () => {
    describe.each(rows)('%s', (_, skip, make) => {
      test.skipIf(skip).each(['plain', 'force', 'lazy'] as const)('%s', async (how) => {
        await world.make('a')
        sh('mount', ...make(), `${ROOT}/a`)
        const trace = '/srv/trace'
        const wrapper = `#!/bin/sh\nexec strace -f -qq -e trace=umount2 -o ${trace} /usr/bin/umount "$@"\n`
        writeFileSync(UMOUNT, wrapper)
        chmodSync(UMOUNT, 0o755)
        const report = await world.unmount('a', top(await world.look('a')), { how })
        rmSync(UMOUNT)
        expect(report.found).toEqual({ _tag: 'Directory' })
        const targets = targetsOf(trace)
        expect(targets).toHaveLength(1)
        expect(targets[0]).toMatch(/^\/proc\/\d+\/fd\/\d+\/a$/)
        await world.remove('a')
      })
    })
  })
})

/** Whether it has settled, when all that is ready has been done. */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false
  void promise.then(() => {
    settled = true
  })
  await sleep(0)
  return settled
}

const noted = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '')

describe('P1: a mount that comes when its command has exited', () => {
  beforeAll(() => {
    plant('bg', `( ${WAIT}; ${MOUNT} ) & touch /srv/exited; exit 0`)
    const jobs = `set -m; ( ${WAIT}; ${MOUNT} ) & touch /srv/exited; exit 0`
    plant('groups', `exec bash -c '${jobs}' sh "$1" "$2"`)
    plant('late', `setsid sh -c '${WAIT}; ${MOUNT}; echo $? >/srv/late' sh "$1" "$2" >/dev/null 2>&1 & exit 0`)
    plant('stays', `${MOUNT}; sleep 1000 & echo $! >/srv/daemon; exit 0`)
    plant('never', `sleep 1000 & exit 0`)
    plant(
      'fails',
      `touch /srv/failing; while [ ! -e /srv/late ]; do sleep 0.01; done; echo "server said no" >&2; exit 32`,
    )
  })
  beforeEach(() => {
    for (const name of ['exited', 'late', 'daemon', 'failing']) rmSync(`/srv/${name}`, { force: true })
  })

  test.each(['bg', 'groups'])('%s: a helper in the session of the command is waited for', async (name) => {
    await world.make('a')
    const pending = world.mount('a', type(name))
    await until(() => existsSync('/srv/exited'))
    await sleep(300)
    expect(await isSettled(pending)).toBe(false)
    go()
    const report = await pending
    expect(report.error).toBeUndefined()
    expect(top(report)).toMatchObject({ fstype: 'tmpfs', source: `of ${name}` })
    await clear(world, 'a')
  })

  test('a helper in a session of its own: the mount comes after the outcome, and is seen where it was meant to be', async () => {
    await world.make('a')
    const report = await world.mount('a', type('late'))
    expect(report).toMatchObject({ found: { _tag: 'Directory' } })
    expect(report.error).toBeUndefined()
    go()
    await until(async () => layers(await world.look('a')).length === 1)
    expect(top(await world.look('a'))).toMatchObject({ source: 'of late' })
    await clear(world, 'a')
  })

  test('it lands at no other mountpoint of the same last name, whatever is mounted meanwhile', async () => {
    for (const parent of ['x', 'y', 'z']) await world.make(parent)
    for (const parent of ['x', 'y', 'z']) await world.make(`${parent}/vol`)
    expect((await world.mount('x/vol', type('late'))).found).toEqual({ _tag: 'Directory' })
    const pending = world.mount('y/vol', type('fails'))
    await until(() => existsSync('/srv/failing'))
    const beside = world.mount('z/vol', tmpfs('beside'))
    go()
    const [failed, mounted] = await Promise.all([pending, beside])
    await until(() => noted('/srv/late') !== '')
    expect(failed.found).toEqual({ _tag: 'Directory' })
    expect(failed.error).toMatchObject({ exitStatus: 32 })
    expect(layers(mounted).map(({ source }) => source)).toEqual(['beside'])
    expect(layers(await world.look('x/vol')).map(({ source }) => source)).toEqual(['of late'])
    expect(layers(await world.look('y/vol'))).toEqual([])
    expect(layers(await world.look('z/vol')).map(({ source }) => source)).toEqual(['beside'])
    for (const parent of ['x', 'y', 'z']) await clear(world, `${parent}/vol`)
    for (const parent of ['x', 'y', 'z']) await world.remove(parent)
  })

  test('where the directory has gone it mounts nothing, though the same name is there elsewhere', async () => {
    for (const parent of ['x', 'y']) await world.make(parent)
    for (const parent of ['x', 'y']) await world.make(`${parent}/vol`)
    expect((await world.mount('x/vol', type('late'))).found).toEqual({ _tag: 'Directory' })
    await world.remove('x/vol')
    go()
    await until(() => noted('/srv/late') !== '')
    expect(noted('/srv/late')).not.toBe('0')
    expect(mountsBelow('/srv')).toEqual([])
    await world.remove('y/vol')
    for (const parent of ['x', 'y']) await world.remove(parent)
  })

  test('a daemon that makes no session of its own holds nothing up, and lives on', async () => {
    await world.make('a')
    const report = await world.mount('a', type('stays'), 600_000)
    expect(top(report)).toMatchObject({ source: 'of stays' })
    const daemon = Number(noted('/srv/daemon'))
    expect(() => process.kill(daemon, 0)).not.toThrow()
    process.kill(daemon, 'SIGKILL')
    await clear(world, 'a')
  })

  test('what does not come by the deadline is ended, and then nothing of it lives', async () => {
    await world.make('a')
    const report = await world.mount('a', type('never'), 700)
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    await report.ended
    expect((await world.look('a')).found).toEqual({ _tag: 'Directory' })
    await world.remove('a')
  })
})

describe('mount.cifs, which may not go through the descriptors of another process', () => {
  test.skipIf(!has('mount.cifs') || !has('strace'))(
    'goes to the mountpoint from its parent, and mounts there (skipped without cifs-utils or strace; this kernel need not know cifs)',
    async () => {
      const wrapper = '/usr/sbin/mount'
      const trace = '/srv/trace-of-cifs'
      const calls = 'trace=execve,chdir,getcwd,mount'
      writeFileSync(wrapper, `#!/bin/sh\nexec strace -f -qq -s 200 -e ${calls} -o ${trace} /usr/bin/mount "$@"\n`)
      chmodSync(wrapper, 0o755)
      await world.make('p')
      await world.make('p/a')
      const shares = await createWorld({ types: { cifs: typeRule('cifs', ['//localhost/*']) } })
      // With tickets no user is asked for a password.
      const options = ['sec=krb5', 'nosuid', 'nodev']
      const report = await shares.mount('p/a', { type: 'cifs', source: '//localhost/share', options })
      rmSync(wrapper)
      const lines = readFileSync(trace, 'utf8').split('\n')
      const shows = (text: string): boolean => lines.some((line) => line.includes(text))
      expect(shows('chdir("./a")')).toBe(true)
      expect(shows(`getcwd("${ROOT}/p/a"`)).toBe(true)
      expect(shows('mount("//localhost/share", ".", "cifs", MS_NOSUID|MS_NODEV')).toBe(true)
      // No argument of any command is the bare path.
      expect(lines.filter((line) => line.includes('execve(') && line.includes(`"${ROOT}/p/a"`))).toEqual([])
      // Evidence is in terms of the path all the same.
      expect(report.ran?.[0]?.command.at(-1)).toBe(`${ROOT}/p/a`)
      if (!readFileSync('/proc/filesystems', 'utf8').includes('\tcifs\n')) {
        expect(report.error?.stderr).toContain('not supported by the system')
      }
      await world.remove('p/a')
      await world.remove('p')
    },
  )
})
