// What is asked for, as a table: when two wishes are the same filesystem, and what the parts of an option are.

import { describe, expect, test } from 'vitest'
import { optionName, optionText } from '../src/index.js'
import { BOOT_FLAGS } from '@mountkeeper/types'
import { isInsignificant } from '../src/filesystem.js'
import { sameFilesystem } from '../src/option-meaning.js'
import { readFilesystem } from './transcript/request.js'

describe('options', () => {
  test.each([
    ['ro', 'ro'],
    ['size=1m', 'size'],
    ['data=a=b', 'data'],
    ['=1m', ''],
    ['size=', 'size'],
  ])('the name of %j is %j', (option, name) => {
    expect(optionName(option)).toBe(name)
  })

  test('a secret has its own name, and its text is its reference', () => {
    const secret = { name: 'password', secretFile: '/etc/secret' }
    expect([optionName(secret), optionText(secret)]).toEqual(['password', 'password=@/etc/secret'])
  })

  test.each([
    ['x-systemd.automount', true],
    ['noatime', true],
    ['ro', false],
    ['xattr', false],
  ])('%s is insignificant: %j', (name, is) => {
    expect(isInsignificant(name)).toBe(is)
  })
})

describe('two wishes', () => {
  test.each([
    ['tmpfs:scratch', 'tmpfs:scratch', true],
    ['tmpfs:scratch', 'ramfs:scratch', false],
    ['tmpfs:scratch', 'tmpfs:other', false],
    ['nfs:a:/b', 'nfs4:a:/b', false],
    ['tmpfs:scratch[ro,size=1m]', 'tmpfs:scratch[size=1m,ro]', true],
    ['tmpfs:scratch[ro,ro]', 'tmpfs:scratch[ro]', true],
    ['tmpfs:scratch[ro]', 'tmpfs:scratch', false],
    ['tmpfs:scratch', 'tmpfs:scratch[ro]', false],
    ['tmpfs:scratch[ro,size=1m]', 'tmpfs:scratch[ro,size=2m]', false],
    ['tmpfs:scratch[noatime]', 'tmpfs:scratch[x-a,rw]', true],
    ['tmpfs:scratch[mode=700]', 'tmpfs:scratch[mode=755]', true],
    ['tmpfs:scratch[password=@/a]', 'tmpfs:scratch[password=@/b]', false],
    ['tmpfs:scratch[password=@/a]', 'tmpfs:scratch[password=@/a]', true],
  ])('%s and %s are one filesystem: %j', (a, b, is) => {
    expect(sameFilesystem(readFilesystem(a), readFilesystem(b), ['mode'])).toBe(is)
    expect(sameFilesystem(readFilesystem(b), readFilesystem(a), ['mode'])).toBe(is)
  })
})

test('words for the boot are insignificant, all that the table has', () => {
  expect(BOOT_FLAGS.filter((name) => !isInsignificant(name))).toEqual([])
})
