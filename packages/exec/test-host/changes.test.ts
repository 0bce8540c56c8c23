// Twenty changes that the lists allow, and near misses of each kind, by the real sudo as an ordinary user.

import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Talk } from './world.js'
import { ROOT, UID, allMounts, has, hasSudo, isRoot, mounted, prepareWorld, sh, talk } from './world.js'

prepareWorld()

const at = (name: string): string => `${ROOT}/${name}`
const mount = (name: string, type: string, source: string, ...options: readonly string[]): object => ({
  ...{ do: 'mount', mountpoint: at(name), type, source, options },
})
const tmpfs = (name: string, ...options: readonly string[]): object =>
  mount(name, 'tmpfs', 'scratch', 'size=1m', 'nr_inodes=64', ...options)
const make = (name: string): object => ({ do: 'make-directory', mountpoint: at(name) })
const remove = (name: string): object => ({ do: 'remove-directory', mountpoint: at(name) })
const unmount = (name: string, how = 'plain'): object => ({ do: 'unmount', mountpoint: at(name), how })

describe.runIf(isRoot && hasSudo)('mountkeeper-exec, started by an ordinary user', () => {
  let exec: Talk
  let before: readonly string[] = []
  beforeAll(() => {
    for (const path of [
      '/srv/images/tenant',
      '/srv/exports/tenant',
      '/srv/exports/tenant/dir',
      '/srv/exports/tenant/open',
    ]) {
      mkdirSync(path, { mode: 0o755 })
      chownSync(path, UID, UID)
    }
    symlinkSync('/srv/outside', '/srv/exports/link')
    symlinkSync('/srv/outside', '/srv/exports/tenant/link')
    symlinkSync('/srv/outside', at('link'))
    mkdirSync(at('plain'))
    mkdirSync(at('parent'))
    mkdirSync(at('tenants'), { mode: 0o755 })
    chownSync(at('tenants'), UID, UID)
    mkdirSync(at('tenants/dir'))
    mkdirSync(at('wide'))
    chmodSync(at('wide'), 0o777)
    mkdirSync(at('wide/dir'))
    writeFileSync(at('file'), '')
    sh('truncate', '-s', '8M', '/srv/images/disk')
    sh('mkfs.ext4', '-q', '/srv/images/disk')
    sh('cp', '/srv/images/disk', '/srv/images/tenant/disk')
    exec = talk()
  })
  afterAll(() => exec.close())

  const done = async (...changes: readonly object[]): Promise<void> => {
    for (const change of changes) {
      expect(await exec.ask(change), JSON.stringify(change)).toMatchObject({ _tag: 'done', status: 0, stderr: '' })
    }
  }

  test('it is ready, and says where its roots are', async () => {
    expect(await exec.until(({ _tag }) => _tag === 'ready')).toMatchObject({ roots: [ROOT] })
  })

  const hasLoop = existsSync('/dev/loop-control')
  const allowed: readonly (readonly [string, boolean, readonly object[]])[] = [
    ['a directory is made and removed', true, [make('a'), remove('a')]],
    ['a directory in a directory of root', true, [make('parent/a'), remove('parent/a')]],
    ['tmpfs', true, [tmpfs('plain'), unmount('plain')]],
    ['tmpfs with a mode', true, [tmpfs('plain', 'mode=0755'), unmount('plain')]],
    ['tmpfs with owner numbers', true, [tmpfs('plain', `uid=${UID}`, `gid=${UID}`), unmount('plain')]],
    ['tmpfs with flags', true, [tmpfs('plain', 'ro', 'noexec', 'noatime'), unmount('plain')]],
    [
      'tmpfs with flags that are there anyway',
      true,
      [tmpfs('plain', 'nosuid', 'nodev', 'defaults', 'nofail', 'noauto', '_netdev'), unmount('plain')],
    ],
    ['tmpfs, unmounted with force', true, [tmpfs('plain'), unmount('plain', 'force')]],
    ['tmpfs, unmounted lazily', true, [tmpfs('plain'), unmount('plain', 'lazy')]],
    ['tmpfs below a parent', true, [make('parent/a'), tmpfs('parent/a'), unmount('parent/a'), remove('parent/a')]],
    ['tmpfs on a tmpfs', true, [tmpfs('plain'), tmpfs('plain'), unmount('plain'), unmount('plain')]],
    ['a bind', true, [mount('plain', 'bind', '/srv/exports/one'), unmount('plain')]],
    ['a bind that can only be read', true, [mount('plain', 'bind', '/srv/exports/one', 'ro'), unmount('plain')]],
    [
      'a bind of a directory of the tenant',
      true,
      [mount('plain', 'bind', '/srv/exports/tenant/dir'), unmount('plain')],
    ],
    [
      'an overlay',
      true,
      [
        mount(
          'plain',
          'overlay',
          'overlay',
          'lowerdir=/srv/layers/low',
          'upperdir=/srv/layers/up',
          'workdir=/srv/layers/work',
        ),
        unmount('plain'),
      ],
    ],
    [
      'an overlay of two layers',
      true,
      [mount('plain', 'overlay', 'overlay', 'lowerdir=/srv/layers/low:/srv/layers/up'), unmount('plain')],
    ],
    ['an image', hasLoop, [mount('plain', 'ext4', '/srv/images/disk', 'loop'), unmount('plain')]],
    [
      'an image, read only',
      hasLoop,
      [mount('plain', 'ext4', '/srv/images/disk', 'loop', 'ro', 'errors=remount-ro'), unmount('plain')],
    ],
    ['bindfs', has('bindfs'), [mount('plain', 'fuse.bindfs', '/srv/exports/one'), unmount('plain')]],
    [
      'bindfs that can only be read',
      has('bindfs'),
      [mount('plain', 'fuse.bindfs', '/srv/exports/two', 'ro'), unmount('plain')],
    ],
  ]

  describe('does what the lists allow', () => {
    for (const [name, can, changes] of allowed) {
      test.runIf(can)(name, async () => {
        await done(...changes)
        expect(mounted()).toEqual([])
      })
    }

    test('what it mounts is nosuid and nodev', async () => {
      await done(tmpfs('plain'))
      expect(sh('findmnt', '-n', '-o', 'OPTIONS', at('plain'))).toMatch(/nosuid,nodev/)
      await done(unmount('plain'), mount('plain', 'bind', '/srv/exports/one'))
      expect(sh('findmnt', '-n', '-o', 'OPTIONS', at('plain'))).toMatch(/nosuid,nodev/)
      await done(unmount('plain'))
    })
  })

  const nearMisses: readonly (readonly [name: string, why: string, change: object])[] = [
    [
      'a mountpoint outside',
      '/srv/outside is below no root',
      { do: 'mount', mountpoint: '/srv/outside', type: 'tmpfs', source: 'x', options: ['size=1m'] },
    ],
    [
      'the root itself',
      '/srv/mounts is below no root',
      { do: 'mount', mountpoint: ROOT, type: 'tmpfs', source: 'x', options: ['size=1m'] },
    ],
    [
      'a mountpoint beside the root with its name as prefix',
      '/srv/mounts2/a is below no root',
      { do: 'make-directory', mountpoint: `${ROOT}2/a` },
    ],
    ['dots in the mountpoint', 'the mountpoint is no canonical path', make('../outside/a')],
    ['a double slash in the mountpoint', 'the mountpoint is no canonical path', make('/a')],
    ['a slash at its end', 'the mountpoint is no canonical path', make('a/')],
    ['a relative mountpoint', 'the mountpoint is no canonical path', { do: 'make-directory', mountpoint: 'mounts/a' }],
    ['a newline in the mountpoint', 'the mountpoint is no canonical path', make('a\nb')],
    ['a link as mountpoint', 'link is no directory', tmpfs('link')],
    ['a file as mountpoint', 'file is no directory', tmpfs('file')],
    ['a link above the mountpoint', '/srv/mounts/link/a: is no directory, or a', make('link/a')],
    ['a parent of another user', 'a directory above /srv/mounts/tenants/dir can', tmpfs('tenants/dir')],
    ['a directory in a parent of another user', 'a directory above /srv/mounts/tenants/a can be', make('tenants/a')],
    ['a parent that others can write', 'a directory above /srv/mounts/wide/dir can be', tmpfs('wide/dir')],
    ['an unmount outside', '/srv is below no root', { do: 'unmount', mountpoint: '/srv', how: 'lazy' }],
    ['an unmount of the root', '/srv/mounts is below no root', { do: 'unmount', mountpoint: ROOT, how: 'lazy' }],
    [
      'an unmount below a parent of another user',
      'a directory above /srv/mounts/tenants/dir can',
      unmount('tenants/dir'),
    ],
    ['an unmount in an unknown way', 'how is not what it has to be', unmount('plain', 'recursive')],
    ['a type that is not in the lists', 'type proc is not in the lists', mount('plain', 'proc', 'proc')],
    [
      'a type with an option in its name',
      'type tmpfs,bind is not in the lists',
      mount('plain', 'tmpfs,bind', 'x', 'size=1m'),
    ],
    ['a type that is a list', 'type notmpfs is not in the lists', mount('plain', 'notmpfs', 'x', 'size=1m')],
    ['a type of the prototype', 'type __proto__ is not in the lists', mount('plain', '__proto__', 'x')],
    ['tmpfs without a number of inodes', 'type tmpfs takes memory', mount('plain', 'tmpfs', 'x', 'size=1m')],
    ['tmpfs without a size', 'type tmpfs takes memory: its size and', mount('plain', 'tmpfs', 'x')],
    ['tmpfs of all memory', 'option size expected a size from 1 to', mount('plain', 'tmpfs', 'x', 'size=100%')],
    ['tmpfs that is too large', 'option size expected a size from 1 to', mount('plain', 'tmpfs', 'x', 'size=999g')],
    ['suid', 'suid is not allowed', tmpfs('plain', 'suid')],
    ['dev', 'dev is not allowed', tmpfs('plain', 'dev')],
    ['nosuid with a value', 'option nosuid takes no value', tmpfs('plain', 'nosuid=0')],
    ['a comma in an option', 'option mode expected an octal number from 0 to', tmpfs('plain', 'mode=0755,suid')],
    ['an option of mount(8)', 'an option is not allowed for type tmpfs', tmpfs('plain', 'X-mount.owner=0')],
    ['a program as an option', 'an option is not allowed for type tmpfs', tmpfs('plain', 'helper=sh')],
    ['remount', 'an option is not allowed for type tmpfs', tmpfs('plain', 'remount')],
    ['a bind by an option', 'an option is not allowed for type tmpfs', mount('plain', 'tmpfs', '/srv/outside', 'bind')],
    ['a bind of what is outside', 'the source is not allowed for type bind', mount('plain', 'bind', '/srv/outside')],
    [
      'a bind of a name with an allowed prefix',
      'the source is not allowed for type bind',
      mount('plain', 'bind', '/srv/exports2'),
    ],
    ['a bind by dots', 'the source is no canonical path', mount('plain', 'bind', '/srv/exports/../outside')],
    ['a bind of a link', '/srv/exports/link is a symbolic link', mount('plain', 'bind', '/srv/exports/link')],
    [
      'a bind through a link',
      '/srv/exports/link: is no directory, or a',
      mount('plain', 'bind', '/srv/exports/link/secret'),
    ],
    [
      'a bind of a link of the tenant',
      '/srv/exports/tenant/link is a symbolic link',
      mount('plain', 'bind', '/srv/exports/tenant/link'),
    ],
    [
      'a source that begins with -',
      'the source is empty, a tag, begins with -, or',
      mount('plain', 'tmpfs', '-osuid', 'size=1m'),
    ],
    ['a tag', 'the source is no canonical path', mount('plain', 'ext4', 'UUID=00000000-0000-0000-0000-000000000000')],
    [
      'an overlay with a backslash',
      'option lowerdir must not contain a backslash',
      mount('plain', 'overlay', 'overlay', String.raw`lowerdir=/srv/layers/up/\../\../outside`),
    ],
    [
      'an overlay of what is outside',
      'option lowerdir /srv/outside is not an allowed',
      mount('plain', 'overlay', 'overlay', 'lowerdir=/srv/layers/low:/srv/outside'),
    ],
    [
      'an image in a directory of the tenant',
      '/srv/images/tenant can be changed by others',
      mount('plain', 'ext4', '/srv/images/tenant/disk', 'loop'),
    ],
    [
      'a loop device of the caller',
      'option loop takes no value',
      mount('plain', 'ext4', '/srv/images/disk', 'loop=/dev/loop0'),
    ],
    [
      'errors=panic',
      'option errors expected one of remount-ro,',
      mount('plain', 'ext4', '/srv/images/disk', 'loop', 'errors=panic'),
    ],
    [
      'bindfs below a directory of the tenant',
      '/srv/exports/tenant can be changed by others',
      mount('plain', 'fuse.bindfs', '/srv/exports/tenant/dir'),
    ],
    [
      'bindfs that makes files of root',
      'an option is not allowed for type fuse.bindfs',
      mount('plain', 'fuse.bindfs', '/srv/exports/one', 'create-for-user=root'),
    ],
    [
      'nfs of another host by a second colon',
      'the source has a second colon before its path;',
      mount('plain', 'nfs', '127.0.0.1:x.corp.example:/export/a'),
    ],
    [
      'cifs of another host by a backslash',
      'the source must not contain a backslash; write',
      mount('plain', 'cifs', String.raw`//127.0.0.1\x.corp.example/share1`),
    ],
    [
      'cifs with an option in its source',
      'the source must not contain a comma (it would begin',
      mount('plain', 'cifs', '//a.corp.example/share1,ip=10.9.9.9'),
    ],
    [
      'sshfs with a program in its source',
      'the source must not have - after @ or [ (a helper',
      mount('plain', 'sshfs', '[-oProxyCommand=id]:/export/a'),
    ],
    [
      'sshfs that writes a file',
      'an option is not allowed for type sshfs',
      mount('plain', 'sshfs', 'a.corp.example:/export/a', 'UserKnownHostsFile=/etc/x'),
    ],
    [
      'glusterfs with a second server',
      'an option is not allowed for type glusterfs',
      mount('plain', 'glusterfs', 'gluster.corp.example:/vol1', 'backup-volfile-servers=127.0.0.1'),
    ],
    [
      'glusterfs that writes a log',
      'an option is not allowed for type glusterfs',
      mount('plain', 'glusterfs', 'gluster.corp.example:/vol1', 'log-file=/etc/profile.d/x'),
    ],
    ['one key more', 'mount has the keys do, id, mountpoint, options,', { ...tmpfs('plain'), cwd: '/' }],
    [
      'one key less',
      'mount has the keys do, id, mountpoint, options,',
      { do: 'mount', mountpoint: at('plain'), type: 'tmpfs', source: 'x' },
    ],
    ['options that are a text', 'options is not what it has to be', { ...tmpfs('plain'), options: 'size=1m' }],
    ['a change that does not exist', 'no such change', { do: 'run', mountpoint: at('plain') }],
    ['the process of another user', 'of is not what it has to be', { do: 'end', of: -1 }],
  ]

  describe('refuses', () => {
    beforeAll(() => {
      before = allMounts()
    })
    afterEach(() => expect(allMounts()).toEqual(before))

    test.each(nearMisses)('%s', async (_, why, change) => {
      expect(await exec.ask(change)).toMatchObject({ _tag: 'refused', why: expect.stringContaining(why) as string })
    })

    test('a mountpoint inside of a mount, although all is of root there', async () => {
      await done(mount('plain', 'bind', '/srv/exports/one'))
      const inside = { _tag: 'refused', why: expect.stringContaining('is on another mount than its root') as string }
      expect(await exec.ask(make('plain/deep/x'))).toMatchObject({ _tag: 'refused' })
      expect(await exec.ask(make('plain/x'))).toMatchObject(inside)
      expect(await exec.ask(tmpfs('plain/file'))).toMatchObject(inside)
      await done(unmount('plain'))
    })

    test('and there are at least forty near misses', () => {
      expect(allowed).toHaveLength(20)
      expect(nearMisses.length).toBeGreaterThanOrEqual(40)
    })
  })
})
