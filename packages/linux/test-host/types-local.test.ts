// Types whose data is on this host, each mounted for real and used by a manager. What a type needs and does not find here is
// said aloud, with its name.

import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { typeRule } from '@mountkeeper/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loopsBelow, live, manage } from './types/life.js'
import { has, hasFuse, isRoot, mountsBelow, prepareWorld, sh, SOURCE } from './world.js'

prepareWorld()

let manager: MountManager

const TYPES = {
  tmpfs: typeRule('tmpfs', ['*']),
  bind: typeRule('bind', [`${SOURCE}/`]),
  overlay: typeRule('overlay', ['overlay', `${SOURCE}/`]),
  ext4: typeRule('ext4', [`${SOURCE}/`, '/dev/']),
  xfs: typeRule('xfs', [`${SOURCE}/`, '/dev/']),
  btrfs: typeRule('btrfs', [`${SOURCE}/`, '/dev/']),
  squashfs: typeRule('squashfs', [`${SOURCE}/`, '/dev/']),
  'fuse.bindfs': typeRule('fuse.bindfs', [`${SOURCE}/`]),
}

beforeAll(async () => {
  for (const name of ['a', 'b', 'up', 'work']) mkdirSync(`${SOURCE}/${name}`)
  for (const name of ['a', 'b']) writeFileSync(`${SOURCE}/${name}/who`, name)
  symlinkSync('a', `${SOURCE}/link`)
  manager = await manage(TYPES)
})

afterAll(async () => {
  await manager.stop()
})

/** Runs where the tools are there; where they are not, the name of the test says what is missing. */
const where = (missing: string | undefined): ((name: string, body: () => Promise<void>) => void) => {
  if (missing === undefined) return (name, body) => test(name, body)
  process.stderr.write(`SKIPPED: ${missing}.\n`)
  return (name, body) => test.skip(`${name}: not run, since ${missing}`, body)
}

const needs = (...programs: readonly string[]): string | undefined => {
  if (!isRoot) return 'block devices need the rights of root'
  const absent = programs.filter((program) => !has(program))
  return absent.length === 0 ? undefined : `${absent.join(', ')} is not installed`
}

test('tmpfs', async () => {
  const tmpfs = (source: string, ...options: readonly string[]): Filesystem => ({ type: 'tmpfs', source, options })
  await live(manager, 'tmpfs', {
    filesystem: tmpfs('one', 'size=64k'),
    fstype: 'tmpfs',
    source: 'one',
    others: [tmpfs('two', 'size=64k'), tmpfs('one', 'size=128k'), tmpfs('one', 'size=64k', 'ro')],
  })
})

test('bind', async () => {
  const bind = (name: string, ...options: readonly string[]): Filesystem => ({
    type: 'bind',
    source: `${SOURCE}/${name}`,
    options,
  })
  await live(manager, 'bind', {
    filesystem: bind('a'),
    file: ['who', 'a'],
    fstype: 'tmpfs',
    source: 'srv',
    root: '/source/a',
    others: [bind('b'), bind('a', 'ro')],
  })
  await live(manager, 'bind-link', {
    filesystem: bind('link'),
    file: ['who', 'a'],
    fstype: 'tmpfs',
    source: 'srv',
    root: '/source/a',
    others: [bind('b')],
  })
})

test('overlay', async () => {
  const overlay = (...options: readonly string[]): Filesystem => ({ type: 'overlay', source: 'overlay', options })
  const layers = `lowerdir=${SOURCE}/a:${SOURCE}/b`
  await live(manager, 'overlay', {
    filesystem: overlay(layers, `upperdir=${SOURCE}/up`, `workdir=${SOURCE}/work`),
    file: ['who', 'a'],
    fstype: 'overlay',
    source: 'overlay',
    others: [overlay(layers), overlay(`lowerdir=${SOURCE}/b:${SOURCE}/a`)],
  })
})

const image = (name: string, size: string): string => {
  const path = `${SOURCE}/${name}`
  writeFileSync(path, '')
  truncateSync(path, Number(size) * 1024 * 1024)
  return path
}

/** Writes a file into a filesystem on an image. */
const fill = (type: string, source: string, options: string, name: string): void => {
  const place = `${SOURCE}/fill`
  mkdirSync(place, { recursive: true })
  sh('mount', '-t', type, '-o', options, source, place)
  writeFileSync(`${place}/who`, name)
  sh('umount', place)
}

const asked =
  (type: string) =>
  (source: string, ...options: readonly string[]): Filesystem => ({ type, source, options })

const noLoopLeft = (): void => {
  expect(loopsBelow(SOURCE)).toEqual([])
}

describe('ext4', () => {
  const told = where(needs('mkfs.ext4'))
  const ext4 = asked('ext4')
  let whole = ''
  let shifted = ''
  const prepare = (): void => {
    if (whole !== '') return
    whole = image('whole.img', '8')
    shifted = image('shifted.img', '24')
    sh('mkfs.ext4', '-q', '-O', '^has_journal', whole)
    sh('mkfs.ext4', '-q', '-O', '^has_journal', '-E', 'offset=1048576', shifted, '8m')
    fill('ext4', whole, 'loop', 'whole')
    fill('ext4', shifted, 'loop,offset=1048576', 'shifted')
  }

  told('from an image', async () => {
    prepare()
    await live(manager, 'ext4', {
      filesystem: ext4(whole, 'loop'),
      file: ['who', 'whole'],
      fstype: 'ext4',
      source: /^\/dev\/loop\d+$/,
      others: [ext4(shifted, 'loop'), ext4(whole, 'loop', 'errors=continue')],
    })
    noLoopLeft()
  })

  // What mount(8) 2.38 reads as one mebibyte: `1MB` is a million, and `1048576B` no size.
  for (const offset of ['1048576', '1M', '1m', '1MiB', '1024k', '1024KiB', '0x100000', '04000000']) {
    told(`from an image with offset=${offset}`, async () => {
      prepare()
      await live(manager, 'ext4-at', {
        filesystem: ext4(shifted, 'loop', `offset=${offset}`),
        file: ['who', 'shifted'],
        fstype: 'ext4',
        source: /^\/dev\/loop\d+$/,
        others: [ext4(shifted, 'loop'), ext4(shifted, 'loop', 'offset=2M')],
      })
      noLoopLeft()
    })
  }

  told('from an image behind a link', async () => {
    prepare()
    symlinkSync(whole, `${SOURCE}/image-link`)
    await live(manager, 'ext4-link', {
      filesystem: ext4(`${SOURCE}/image-link`, 'loop'),
      file: ['who', 'whole'],
      fstype: 'ext4',
      source: /^\/dev\/loop\d+$/,
      others: [ext4(shifted, 'loop')],
    })
    noLoopLeft()
  })

  told('from a device', async () => {
    prepare()
    const device = sh('losetup', '--find', '--show', whole).trim()
    try {
      await live(manager, 'ext4-device', {
        filesystem: ext4(device),
        file: ['who', 'whole'],
        fstype: 'ext4',
        source: device,
        others: [ext4(shifted, 'loop')],
      })
    } finally {
      sh('losetup', '--detach', device)
    }
  })

  told('with an offset where nothing is: refused, and nothing stays', async () => {
    prepare()
    const mountpoint = '/srv/mounts/ext4-nothing'
    const answer = await manager.submit({
      op: 'attach',
      mountpoint,
      filesystem: ext4(shifted, 'loop', 'offset=2M'),
      volume: 'vol-1',
      consumer: 'vm-1',
    })
    expect(answer).toMatchObject({ ok: false, error: { _tag: 'MountFailed' } })
    expect(mountsBelow('/srv/mounts')).toEqual([])
    noLoopLeft()
  })
})

describe('xfs', () => {
  where(needs('mkfs.xfs'))('from an image', async () => {
    const path = image('x.img', '330')
    sh('mkfs.xfs', '-q', path)
    fill('xfs', path, 'loop', 'x')
    const xfs = asked('xfs')
    await live(manager, 'xfs', {
      filesystem: xfs(path, 'loop'),
      file: ['who', 'x'],
      fstype: 'xfs',
      source: /^\/dev\/loop\d+$/,
      others: [xfs(path, 'loop', 'nouuid')],
    })
    noLoopLeft()
  })
})

describe('btrfs', () => {
  const told = where(needs('mkfs.btrfs', 'btrfs'))
  const btrfs = asked('btrfs')
  let path = ''
  const prepare = (): void => {
    if (path !== '') return
    path = image('b.img', '130')
    sh('mkfs.btrfs', '-q', path)
    const place = `${SOURCE}/fill-btrfs`
    mkdirSync(place)
    sh('mount', '-t', 'btrfs', '-o', 'loop', path, place)
    writeFileSync(`${place}/who`, 'top')
    sh('btrfs', 'subvolume', 'create', `${place}/sub`)
    writeFileSync(`${place}/sub/who`, 'sub')
    sh('umount', place)
  }
  const shown = { fstype: 'btrfs', source: /^\/dev\/loop\d+$/ }

  told('from an image', async () => {
    prepare()
    await live(manager, 'btrfs', {
      ...shown,
      filesystem: btrfs(path, 'loop'),
      file: ['who', 'top'],
      others: [btrfs(path, 'loop', 'subvol=sub')],
    })
    noLoopLeft()
  })
  for (const subvol of ['sub', '/sub']) {
    told(`with subvol=${subvol}`, async () => {
      prepare()
      await live(manager, 'btrfs-sub', {
        ...shown,
        filesystem: btrfs(path, 'loop', `subvol=${subvol}`),
        file: ['who', 'sub'],
        root: '/sub',
        others: [btrfs(path, 'loop')],
      })
      noLoopLeft()
    })
  }
  told('of two devices, asked for by the second', async () => {
    const images = [image('b1.img', '130'), image('b2.img', '130')]
    const devices = images.map((each) => sh('losetup', '--find', '--show', each).trim())
    try {
      sh('mkfs.btrfs', '-q', '-d', 'raid1', '-m', 'raid1', ...devices)
      sh('btrfs', 'device', 'scan', ...devices)
      await live(manager, 'btrfs-two', {
        filesystem: btrfs(devices[1]!),
        fstype: 'btrfs',
        source: /^\/dev\/loop\d+$/,
        others: [btrfs(path, 'loop')],
      })
    } finally {
      for (const device of devices) sh('losetup', '--detach', device)
    }
  })
})

describe('squashfs', () => {
  where(needs('mksquashfs'))('from an image', async () => {
    const path = `${SOURCE}/s.img`
    sh('mksquashfs', `${SOURCE}/a`, path, '-quiet', '-no-progress')
    const squashfs = asked('squashfs')
    await live(manager, 'squashfs', {
      filesystem: squashfs(path, 'loop'),
      file: ['who', 'a'],
      fstype: 'squashfs',
      source: /^\/dev\/loop\d+$/,
      warnings: ['ReadOnly'],
      others: [squashfs(path, 'loop', 'errors=continue')],
    })
    noLoopLeft()
  })
})

describe('fuse.bindfs', () => {
  const told = where(hasFuse('bindfs') ? undefined : 'bindfs is not installed, or /dev/fuse is closed to us')
  const bindfs = asked('fuse.bindfs')
  told('of a directory', async () => {
    await live(manager, 'bindfs', {
      filesystem: bindfs(`${SOURCE}/a`),
      file: ['who', 'a'],
      fstype: 'fuse',
      source: `${SOURCE}/a`,
      others: [bindfs(`${SOURCE}/b`), bindfs(`${SOURCE}/a`, 'no-allow-other')],
    })
  })
  told('of a link to a directory: shown is where it leads', async () => {
    await live(manager, 'bindfs-link', {
      filesystem: bindfs(`${SOURCE}/link`),
      file: ['who', 'a'],
      fstype: 'fuse',
      source: `${SOURCE}/a`,
      others: [bindfs(`${SOURCE}/b`)],
    })
  })
})
