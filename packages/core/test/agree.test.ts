// Does a layer agree with what was asked for, and what does a command say: row by row.

import { describe, expect, test } from 'vitest'
import type { CommandError, Filesystem, Identity, ResolvedSource } from '../src/index.js'
import { agrees, askedFlags, compareIdentity, defaultSettings, errorText } from '../src/index.js'
import { missingFlags, mountOptions, ruleOf, typeRule } from '../src/index.js'

const TYPES = ['tmpfs', 'nfs', 'bind', 'ext4', 'cifs', 'fuse.sshfs', 'ceph', 'xfs-in-a-dream']

const settings = {
  ...defaultSettings('/srv/mounts'),
  types: Object.fromEntries(TYPES.map((type) => [type, typeRule(type, ['*'])])),
}

const filesystem = (type: string, source: string, ...options: readonly string[]): Filesystem => ({
  type,
  source,
  options,
})

const LAYER: Identity = { mountId: 21, device: '8:1', fstype: 'tmpfs', source: 'scratch', root: '/', flags: ['rw'] }

const RESOLVED: ResolvedSource = { root: '/', device: '8:1' }

describe('a layer agrees', () => {
  const bind = filesystem('bind', '/srv/a')
  const disk = filesystem('ext4', '/dev/vdb')
  const dream = filesystem('xfs-in-a-dream', 'x')
  const ext4 = { ...LAYER, fstype: 'ext4', source: '/dev/vdb' }
  test.each<[string, boolean, Filesystem, Identity, ResolvedSource | undefined, boolean]>([
    ['shown by its source', true, filesystem('tmpfs', 'scratch'), LAYER, undefined, false],
    ['another source', false, filesystem('tmpfs', 'other'), LAYER, undefined, true],
    ['another type', false, filesystem('nfs', 'scratch'), LAYER, undefined, true],
    [
      'nfs shown as nfs4',
      true,
      filesystem('nfs', 's:/'),
      { ...LAYER, fstype: 'nfs4', source: 's:/' },
      undefined,
      false,
    ],
    ['bind, root and device', true, bind, { ...LAYER, root: '/a' }, { root: '/a', device: '8:1' }, false],
    ['bind, another root', false, bind, { ...LAYER, root: '/b' }, { root: '/a', device: '8:1' }, true],
    ['bind, another device', false, bind, { ...LAYER, root: '/a' }, { root: '/a', device: '8:2' }, true],
    ['bind, not resolved', false, bind, { ...LAYER, root: '/a' }, undefined, true],
    ['block, device and type', true, disk, ext4, RESOLVED, false],
    ['block, another device', false, disk, ext4, { ...RESOLVED, device: '8:2' }, true],
    ['block, another type', false, disk, { ...ext4, fstype: 'tmpfs' }, RESOLVED, true],
    ['block, not resolved', false, disk, ext4, undefined, true],
    ['of which nothing is known, and the stack grew', true, dream, LAYER, undefined, true],
    ['of which nothing is known, and it did not', false, dream, LAYER, RESOLVED, false],
  ])('%s: %s', (_, is, asked, layer, source, grew) => {
    expect(agrees(settings, asked, layer, source, grew)).toBe(is)
  })

  test('a type that is no longer configured has the rule of the table, from no source', () => {
    expect(ruleOf({ types: {} }, 'nfs')).toEqual(typeRule('nfs', []))
    expect(ruleOf({ types: {} }, 'constructor').sources).toEqual([])
  })
})

describe('options', () => {
  test.each<[readonly string[], readonly string[], readonly string[]]>([
    [[], ['nosuid', 'nodev'], []],
    [['suid', 'dev'], ['suid', 'dev'], []],
    [
      ['nosuid', 'ro'],
      ['nosuid', 'ro', 'nodev'],
      ['nosuid', 'ro'],
    ],
    [['size=1m', 'noexec'], ['size=1m', 'noexec', 'nosuid', 'nodev'], ['noexec']],
  ])('%j', (options, mounted, asked) => {
    const one = filesystem('tmpfs', 'scratch', ...options)
    expect(mountOptions(one)).toEqual(mounted)
    expect(askedFlags(one)).toEqual(asked)
  })

  test('what is demanded and not there is missing', () => {
    const one = filesystem('tmpfs', 'scratch', 'ro', 'size=1m', 'noexec')
    expect(missingFlags(one, { ...LAYER, flags: ['ro', 'nodev'] })).toEqual(['noexec', 'nosuid'])
  })
})

test.each<[string, Partial<CommandError>]>([
  ['said', { stderr: '  said\nand more', exitStatus: 1, signal: 'SIGTERM' }],
  ['ended by SIGKILL', { stderr: ' \n', signal: 'SIGKILL' }],
  ['exit status 0', { exitStatus: 0 }],
  ['exit status 32', { stderr: '', exitStatus: 32 }],
  ['the command has passed its deadline', {}],
])('a command error in words: %s', (words, error) => {
  expect(errorText({ command: ['mount'], stderr: '', ...error })).toBe(words)
})

test.each<[string, Partial<Identity>]>([
  ['same', {}],
  ['same', { flags: ['ro'] }],
  ['same', { root: '///deleted' }],
  ['renamed', { root: '/other' }],
  ['other', { mountId: 22 }],
  ['other', { device: '8:2' }],
  ['other', { fstype: 'ramfs' }],
  ['other', { source: 'else' }],
])('a layer seen again is %s where %j', (sameness, change) => {
  expect(compareIdentity(LAYER, { ...LAYER, ...change })).toBe(sameness)
})
