// Which rule a type has, which flags a layer has to carry, and what a command says: row by row.

import { typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import { askedFlags, missingFlags, ruleOf } from '../src/agree.js'
import { errorText } from '../src/found.js'
import type { CommandError, Filesystem, Identity } from '../src/index.js'
import { compareIdentity } from '../src/index.js'
import { mountOptions } from '../src/state.js'

const filesystem = (type: string, source: string, ...options: readonly string[]): Filesystem => ({
  type,
  source,
  options,
})

const LAYER: Identity = { mountId: 21, device: '8:1', fstype: 'tmpfs', source: 'scratch', root: '/', flags: ['rw'] }

test('a type that is no longer configured has the rule of the table, from no source', () => {
  expect(ruleOf({ types: {} }, 'nfs')).toEqual(typeRule('nfs', []))
  expect(ruleOf({ types: {} }, 'constructor').sources).toEqual([])
})

/** The rule of a type that takes no memory. */
const PLAIN = typeRule('overlay', ['*'])

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
    expect(mountOptions(PLAIN, one)).toEqual(mounted)
    expect(askedFlags(one)).toEqual(asked)
  })

  test('what is demanded and not there is missing', () => {
    const one = filesystem('tmpfs', 'scratch', 'ro', 'size=1m', 'noexec')
    expect(missingFlags(one, { ...LAYER, flags: ['ro', 'nodev'] })).toEqual(['noexec', 'nosuid'])
  })

  test('read-only is carried by the mount or by its filesystem', () => {
    const one = filesystem('tmpfs', 'scratch', 'ro', 'suid', 'dev')
    expect(missingFlags(one, LAYER)).toEqual(['ro'])
    expect(missingFlags(one, { ...LAYER, superblock: 'rw' })).toEqual(['ro'])
    expect(missingFlags(one, { ...LAYER, superblock: 'ro' })).toEqual([])
  })
})

test.each<[string, Partial<CommandError>]>([
  ['said', { stderr: '  said\nand more', exitStatus: 1, signal: 'SIGTERM' }],
  ['ended by SIGKILL', { stderr: ' \n', signal: 'SIGKILL' }],
  ['exit status 0', { exitStatus: 0 }],
  ['exit status 32', { stderr: '', exitStatus: 32 }],
  ['the command timed out', {}],
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
