// What mountkeeper-exec starts with: lists and roots that root alone can change. Anything else is refused by name, before a line is
// read.

import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { LISTS, ROOT, UID, hasSudo, isRoot, lists, prepareWorld, sh, talk, writeLists } from './world.js'

prepareWorld()

/** How it ends when it is started now. */
const refusal = async (...args: readonly string[]): Promise<string> => {
  const exec = talk(args)
  expect(await exec.close()).toBe(1)
  expect(exec.answers()).toEqual([])
  return exec.stderr()
}

describe.runIf(isRoot && hasSudo)('mountkeeper-exec does not start', () => {
  afterEach(async () => {
    writeLists()
    const exec = talk()
    await exec.until(({ _tag }) => _tag === 'ready')
    expect(await exec.close()).toBe(0)
  })

  test('with lists of another user', async () => {
    chownSync(LISTS, UID, UID)
    expect(await refusal()).toContain(`${LISTS} has to be a file of root that no other user can write`)
  })

  test.each([0o666, 0o664, 0o646])('with lists of mode %o', async (mode) => {
    chmodSync(LISTS, mode)
    expect(await refusal()).toContain('no other user can write')
  })

  test('with lists that are a link', async () => {
    renameSync(LISTS, `${LISTS}.real`)
    symlinkSync(`${LISTS}.real`, LISTS)
    expect(await refusal()).toContain(`${LISTS} is a symbolic link`)
    unlinkSync(LISTS)
    renameSync(`${LISTS}.real`, LISTS)
  })

  test('with lists in a directory that others can write', async () => {
    chmodSync('/etc/mountkeeper', 0o777)
    expect(await refusal()).toContain('/etc/mountkeeper can be changed by others than root')
    chmodSync('/etc/mountkeeper', 0o755)
  })

  test('with lists in a directory of another user', async () => {
    chownSync('/etc/mountkeeper', UID, UID)
    expect(await refusal()).toContain('/etc/mountkeeper can be changed by others than root')
    chownSync('/etc/mountkeeper', 0, 0)
  })

  test('without lists', async () => {
    renameSync(LISTS, `${LISTS}.real`)
    expect(await refusal()).toContain(`${LISTS}: ENOENT`)
    renameSync(`${LISTS}.real`, LISTS)
  })

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['another format', { ...lists, format: 2 }, 'its format is not 1'],
    ['no root', { ...lists, roots: [] }, 'roots is no list of paths'],
    ['a root with dots', { ...lists, roots: ['/srv/../etc'] }, 'roots is no list of paths'],
    ['a type that is a list of types', { ...lists, types: { 'a,b': lists.types['tmpfs'] } }, 'type a,b cannot be used'],
    ['a type that leaves types out', { ...lists, types: { notmpfs: lists.types['tmpfs'] } }, 'type notmpfs'],
    ['a rule without sources', { ...lists, types: { tmpfs: { options: {}, pathOptions: [] } } }, 'type tmpfs cannot'],
    ['suid that is a word', { ...lists, suid: 'allow' }, 'suid and dev'],
  ])('with lists that have %s', async (_, value, why) => {
    if (typeof value === 'string') writeFileSync(LISTS, value)
    else writeLists(value)
    expect(await refusal()).toContain(why)
  })

  test('with a root of another user', async () => {
    chownSync(ROOT, UID, UID)
    expect(await refusal()).toContain(`root ${ROOT} has to be a directory of root`)
    chownSync(ROOT, 0, 0)
  })

  test('with a root that others can write', async () => {
    chmodSync(ROOT, 0o1777)
    expect(await refusal()).toContain(`root ${ROOT} has to be a directory of root`)
    chmodSync(ROOT, 0o755)
  })

  test('with a root below a directory of another user', async () => {
    mkdirSync('/srv/tenant')
    chownSync('/srv/tenant', UID, UID)
    sh('install', '-d', '-o', 'root', '-m', '0755', '/srv/tenant/root')
    writeLists({ ...lists, roots: ['/srv/tenant/root'] })
    expect(await refusal()).toContain('/srv/tenant can be changed by others than root')
  })
})

describe.runIf(isRoot && hasSudo)('a root in a sticky directory of root', () => {
  test('is as good as any other if it belongs to root', async () => {
    mkdirSync('/srv/sticky')
    chmodSync('/srv/sticky', 0o1777)
    mkdirSync('/srv/sticky/root', { mode: 0o755 })
    writeLists({ ...lists, roots: ['/srv/sticky/root'] })
    const exec = talk()
    expect(await exec.until(({ _tag }) => _tag === 'ready')).toMatchObject({ roots: ['/srv/sticky/root'] })
    expect(await exec.close()).toBe(0)
    chownSync('/srv/sticky/root', UID, UID)
    expect(await refusal()).toContain('/srv/sticky/root belongs to another user than root')
  })
})
