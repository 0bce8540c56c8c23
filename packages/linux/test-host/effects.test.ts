// Each effect on real filesystems, from the empty root back to the empty root.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { World } from './world.js'
import { clear, createWorld, hasFuse, isRoot, layers, prepareWorld, sh, SOURCE, tmpfs, top } from './world.js'

prepareWorld()
let world: World
beforeAll(async () => {
  world = await createWorld()
})

test('the whole life of a tmpfs', async () => {
  expect((await world.look('a', tmpfs())).found).toEqual({ _tag: 'NoDirectory' })
  const made = await world.make('a')
  expect(made.found).toEqual({ _tag: 'Directory' })
  expect(made.error).toBeUndefined()
  expect(made.ran?.[0]).toMatchObject({ command: ['mkdir', '-m', '0700', '--', '/srv/mounts/a'], exitStatus: 0 })
  const mounted = await world.mount('a', tmpfs())
  expect(mounted.error).toBeUndefined()
  expect(layers(mounted)).toHaveLength(1)
  expect(top(mounted)).toMatchObject({ fstype: 'tmpfs', source: 'one', root: '/' })
  expect(top(mounted).flags).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev']))
  expect((await world.look('a')).found).toEqual(mounted.found)
  const unmounted = await world.unmount('a', top(mounted))
  expect(unmounted.found).toEqual({ _tag: 'Directory' })
  expect(unmounted.ran?.[0]?.command).toEqual(['umount', '--', '/srv/mounts/a'])
  expect((await world.remove('a')).found).toEqual({ _tag: 'NoDirectory' })
})

test.each(['with space', 'new\nline', 'back\\slash', '\\040', '-o', 'ümläut', "'quoted'", '#', 'a*'])(
  'a mountpoint and a source called %j',
  async (name) => {
    await world.make(name)
    const mounted = await world.mount(name, tmpfs(`source ${name}`))
    expect(top(mounted).source).toBe(`source ${name}`)
    expect((await world.unmount(name, top(mounted), { mayHang: true })).found).toEqual({ _tag: 'Directory' })
    expect((await world.remove(name)).found).toEqual({ _tag: 'NoDirectory' })
  },
)

describe('bind', () => {
  test('root and device are those of the source', async () => {
    mkdirSync(`${SOURCE}/b1/deep`, { recursive: true })
    const bind = { type: 'bind', source: `${SOURCE}/b1/deep`, options: ['nosuid', 'nodev'] }
    await world.make('b')
    const before = await world.look('b', bind)
    const mounted = await world.mount('b', bind)
    expect(mounted.error).toBeUndefined()
    const { root, device } = top(mounted)
    const at = { _tag: 'At', root, device, inode: expect.any(String) as unknown }
    expect(mounted.source).toEqual({ asked: at, shown: mounted.source?.asked })
    expect(mounted.source?.asked).toEqual(at)
    expect(before.source).toEqual({ asked: mounted.source?.asked })
    expect(root).toBe('/source/b1/deep')
    expect(top(mounted).flags).toEqual(expect.arrayContaining(['nosuid', 'nodev']))
    expect(mounted.ran?.[0]?.command).toEqual([
      ...['mount', '-c', '-o', 'bind,nosuid,nodev', '--', `${SOURCE}/b1/deep`, '/srv/mounts/b'],
    ])
    await clear(world, 'b')
  })

  test('flags of the source mount are kept', async () => {
    mkdirSync(`${SOURCE}/b2`)
    sh('mount', '-t', 'tmpfs', '-o', 'nosuid,nodev,noexec,ro', 'locked', `${SOURCE}/b2`)
    await world.make('b')
    const mounted = await world.mount('b', { type: 'bind', source: `${SOURCE}/b2`, options: ['rw'] })
    expect(top(mounted).flags).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec']))
    expect(mounted.source?.asked).toMatchObject({ _tag: 'At', root: '/', device: top(mounted).device })
    await clear(world, 'b')
    sh('umount', `${SOURCE}/b2`)
  })

  test('mounts below the source are named, those beside it are not', async () => {
    for (const name of ['h1/sub/deep', 'h1/over/under', 'h10']) mkdirSync(`${SOURCE}/${name}`, { recursive: true })
    const bind = { type: 'bind', source: `${SOURCE}/h1`, options: ['nosuid', 'nodev'] }
    await world.make('h')
    expect((await world.look('h', bind)).submounts).toBeUndefined()
    const mounted = [`${SOURCE}/h1/sub`, `${SOURCE}/h1/over/under`, `${SOURCE}/h1/over`, `${SOURCE}/h10`]
    for (const path of mounted) sh('mount', '-t', 'tmpfs', 'inner', path)
    mkdirSync(`${SOURCE}/h1/sub/in`)
    sh('mount', '-t', 'tmpfs', 'inner', `${SOURCE}/h1/sub/in`)
    const paths = [`${SOURCE}/h1/over`, `${SOURCE}/h1/over/under`, `${SOURCE}/h1/sub`, `${SOURCE}/h1/sub/in`]
    expect((await world.look('h', bind)).submounts).toEqual(paths)
    const report = await world.mount('h', bind)
    expect(report.submounts).toEqual(paths)
    expect((await world.look('h', { ...bind, source: `${SOURCE}/h1/sub` })).submounts).toEqual([`${SOURCE}/h1/sub/in`])
    await clear(world, 'h')
    for (const path of [`${SOURCE}/h1/sub/in`, ...mounted.toReversed()]) sh('umount', path)
  })

  test('a link that leads out of what is allowed is not followed', async () => {
    symlinkSync('/etc', `${SOURCE}/out`)
    await world.make('b')
    const refused = await world.mount('b', { type: 'bind', source: `${SOURCE}/out`, options: [] })
    expect(refused.found).toEqual({ _tag: 'Directory' })
    expect(refused.error?.stderr).toContain('leads to /etc, which is not an allowed source')
    expect(refused.ran).toBeUndefined()
    await clear(world, 'b')
  })

  test('a link inside of what is allowed is', async () => {
    mkdirSync(`${SOURCE}/b3`)
    symlinkSync('./b3', `${SOURCE}/inside`)
    await world.make('b')
    const mounted = await world.mount('b', { type: 'bind', source: `${SOURCE}/inside`, options: [] })
    expect(top(mounted).root).toBe('/source/b3')
    await clear(world, 'b')
  })

  test('a source that is not there', async () => {
    await world.make('b')
    const refused = await world.mount('b', { type: 'bind', source: `${SOURCE}/nowhere`, options: [] })
    expect(refused.error?.stderr).toContain('/srv/source/nowhere does not exist')
    expect(refused.source).toBeUndefined()
    await clear(world, 'b')
  })
})

test('overlay, and its paths are held to what is allowed', async () => {
  for (const name of ['low', 'up', 'work']) mkdirSync(`${SOURCE}/o/${name}`, { recursive: true })
  const options = (low: string): readonly string[] => [
    ...[`lowerdir=${low}`, `upperdir=${SOURCE}/o/up`, `workdir=${SOURCE}/o/work`, 'nosuid'],
  ]
  await world.make('o')
  const filesystem = { type: 'overlay', source: 'overlay', options: options(`${SOURCE}/o/low`) }
  const mounted = await world.mount('o', filesystem)
  expect(top(mounted)).toMatchObject({ fstype: 'overlay', source: 'overlay' })
  const unmounted = await world.unmount('o', top(mounted))
  expect(unmounted.found).toEqual({ _tag: 'Directory' })
  const refused = await world.mount('o', { ...filesystem, options: options(`${SOURCE}/o/low:/etc`) })
  expect(refused.error?.stderr).toContain('option lowerdir: /etc is not an allowed path')
  await world.remove('o')
})

describe('ext4', () => {
  test.skipIf(!isRoot)(
    'an image by a loop device (needs the rights of the host: skipped in a user namespace)',
    async () => {
      const image = `${SOURCE}/image`
      writeFileSync(image, '')
      sh('truncate', '-s', '8M', image)
      sh('mkfs.ext4', '-q', '-F', image)
      const loop = { type: 'ext4', source: image, options: ['nosuid', 'nodev'] }
      await world.make('l')
      const before = await world.look('l', loop)
      expect(before.source).toEqual({
        asked: { _tag: 'Files', files: [expect.stringMatching(/^\d+:\d+:\d+$/)], offset: 0 },
      })
      const mounted = await world.mount('l', loop)
      expect(mounted.error).toBeUndefined()
      expect(top(mounted).fstype).toBe('ext4')
      // What sysfs shows of the loop device is the image that was asked for.
      expect(mounted.source).toEqual({ asked: before.source?.asked, shown: before.source?.asked })
      const [, minor = ''] = top(mounted).device.split(':')
      // The device itself, as a block source, is the same thing.
      const block = await world.look('l', { type: 'ext4', source: `/dev/loop${minor}`, options: [] })
      const device = { _tag: 'At', root: '/', device: top(mounted).device }
      expect(block.source).toEqual({ asked: device, shown: device })
      await clear(world, 'l')
    },
  )
})

describe('FUSE', () => {
  test.skipIf(!hasFuse('bindfs'))('bindfs (skipped without it, or with /dev/fuse closed to us)', async () => {
    mkdirSync(`${SOURCE}/f`)
    writeFileSync(`${SOURCE}/f/file`, 'content')
    await world.make('f')
    const mounted = await world.mount('f', { type: 'fuse.bindfs', source: `${SOURCE}/f`, options: ['nosuid', 'nodev'] })
    expect(mounted.error).toBeUndefined()
    expect(top(mounted)).toMatchObject({ fstype: 'fuse', source: `${SOURCE}/f` })
    expect(readFileSync('/srv/mounts/f/file', 'utf8')).toBe('content')
    const unmounted = await world.unmount('f', top(mounted), { mayHang: true })
    expect(unmounted.ran?.[0]?.command).toEqual(['umount', '-c', '--', '/srv/mounts/f'])
    expect(unmounted.found).toEqual({ _tag: 'Directory' })
    await world.remove('f')
  })
})

test('the ladder: a busy layer is refused, and comes off lazily', async () => {
  await world.make('a')
  const mounted = await world.mount('a', tmpfs())
  const { spawn } = await import('node:child_process')
  const inside = spawn('sleep', ['60'], { cwd: '/srv/mounts/a', stdio: 'ignore' })
  const busy = await world.unmount('a', top(mounted))
  expect(busy.found).toEqual(mounted.found)
  expect(busy.error).toMatchObject({ exitStatus: 32 })
  const forced = await world.unmount('a', top(mounted), { how: 'force' })
  expect(forced.ran?.[0]?.command).toEqual(['umount', '-f', '-c', '--', '/srv/mounts/a'])
  expect(forced.found).toEqual(mounted.found)
  const lazy = await world.unmount('a', top(mounted), { how: 'lazy' })
  expect(lazy.ran?.[0]?.command).toEqual(['umount', '-l', '-c', '--', '/srv/mounts/a'])
  expect(lazy.found).toEqual({ _tag: 'Directory' })
  inside.kill()
  await world.remove('a')
})

test('a directory that is not empty stays', async () => {
  await world.make('a')
  writeFileSync('/srv/mounts/a/file', '')
  const kept = await world.remove('a')
  expect(kept.found).toEqual({ _tag: 'Directory' })
  expect(kept.error).toMatchObject({ exitStatus: 1 })
  sh('rm', '/srv/mounts/a/file')
  await world.remove('a')
})

test('a missing parent is named', async () => {
  expect((await world.look('no/where')).found).toEqual({ _tag: 'NoDirectory' })
  const made = await world.make('no/where')
  expect(made.found).toEqual({ _tag: 'NoDirectory' })
  expect(made.error?.stderr).toBe('/srv/mounts/no does not exist')
})
