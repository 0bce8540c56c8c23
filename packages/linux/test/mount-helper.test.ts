// Which types cannot be mounted without a program that is not installed.

import { release } from 'node:os'
import { KNOWN_TYPES } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import type { Installed } from '../src/mount-helper.js'
import { hasHelper, missingHelper } from '../src/mount-helper.js'

const host = (programs: readonly string[], texts: Readonly<Record<string, string>> = {}): Installed => ({
  isProgram: (path) => programs.includes(path),
  text: (path) => texts[path] ?? '',
})

const KERNEL = { '/proc/filesystems': 'nodev\tsysfs\n\text4\nnodev\t9p\n' }

describe('missing helpers', () => {
  test.each(['bind', 'tmpfs', 'overlay', 'ext4', 'xfs', 'btrfs', 'squashfs'])('%s needs none', (type) => {
    expect(missingHelper(type, host([]))).toBeUndefined()
  })
  test.each(['nfs', 'nfs4', 'cifs', 'ceph', 'glusterfs', 'sshfs'])('%s needs its own', (type) => {
    expect(missingHelper(type, host([], KERNEL))).toBe(`/sbin/mount.${type}`)
    expect(missingHelper(type, host([`/sbin/mount.${type}`]))).toBeUndefined()
    expect(missingHelper(type, host([`/usr/sbin/mount.${type}`]))).toBeUndefined()
  })
  test('a FUSE filesystem is mounted by the helper of FUSE, or by one of its own', () => {
    expect(missingHelper('fuse.bindfs', host([]))).toBe('/sbin/mount.fuse')
    expect(missingHelper('fuse.bindfs', host(['/sbin/mount.fuse']))).toBeUndefined()
    expect(missingHelper('fuse.sshfs', host(['/sbin/mount.fuse.sshfs']))).toBeUndefined()
  })
  test('a network type needs its own although the kernel knows it, for the kernel takes no names', () => {
    const known = { '/proc/filesystems': 'nodev\tnfs\nnodev\tcifs\nnodev\tfuse.sshfs\n' }
    expect(missingHelper('nfs', host([], known))).toBe('/sbin/mount.nfs')
    expect(missingHelper('cifs', host([], known))).toBe('/sbin/mount.cifs')
    expect(missingHelper('fuse.sshfs', host([], known))).toBe('/sbin/mount.fuse')
  })
  test('every type of the table is either mounted by the kernel or needs a helper', () => {
    const without = Object.keys(KNOWN_TYPES).filter((type) => missingHelper(type, host([], KERNEL)) === undefined)
    expect(without).toEqual(['tmpfs', 'bind', 'overlay', 'ext4', 'xfs', 'btrfs', 'squashfs'])
  })
  test('a type without entry needs a helper unless the kernel knows it or has a module for it', () => {
    expect(missingHelper('9p', host([], KERNEL))).toBeUndefined()
    expect(missingHelper('gfs2', host([], KERNEL))).toBe('/sbin/mount.gfs2')
    const modules = { [`/lib/modules/${release()}/modules.alias`]: 'alias x y\nalias fs-gfs2 gfs2\n' }
    expect(missingHelper('gfs2', host([], { ...KERNEL, ...modules }))).toBeUndefined()
    expect(missingHelper('gfs', host([], { ...KERNEL, ...modules }))).toBe('/sbin/mount.gfs')
  })
})

test('without another word this host is asked: what is no program there is none', () => {
  expect(hasHelper('no-such-type')).toBe(false)
  expect(missingHelper('no-such-type')).toBe('/sbin/mount.no-such-type')
  expect(missingHelper('proc')).toBeUndefined()
})

test('mount(8) hands no bind to a helper', () => {
  expect(hasHelper('bind', host(['/sbin/mount.bind']))).toBe(false)
  expect(hasHelper('nfs', host(['/sbin/fs.d/mount.nfs']))).toBe(true)
  expect(hasHelper('nfs', host([]))).toBe(false)
})
