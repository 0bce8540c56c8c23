// Limits of all mounts below the roots together: their number, and the memory of the filesystems in memory. The kernel's table is the
// count, so that a restart, a second process and a remount by root do not get around it.

import { mkdirSync } from 'node:fs'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Talk } from './world.js'
import { ROOT, hasSudo, isRoot, lists, mounted, prepareWorld, sh, talk, writeLists } from './world.js'

prepareWorld()

const MIB = 1_048_576
const KIB = 1_024
const NAMES = ['a', 'b', 'c', 'd', 'with space', 'with\\back'] as const

const mount = (name: string, type: string, source: string, ...options: readonly string[]): object => ({
  ...{ do: 'mount', mountpoint: `${ROOT}/${name}`, type, source, options },
})
/** 1 MiB and 64 KiB for inodes. */
const tmpfs = (name: string): object => mount(name, 'tmpfs', 'scratch', 'size=1m', 'nr_inodes=64')
const unmount = (name: string): object => ({ do: 'unmount', mountpoint: `${ROOT}/${name}`, how: 'plain' })
const limited = (mounts: number, memoryBytes: number): void => writeLists({ ...lists, limits: { mounts, memoryBytes } })

describe.runIf(isRoot && hasSudo)('below the roots', () => {
  let exec: Talk
  const restart = async (): Promise<void> => {
    await exec.close()
    exec = talk()
  }
  beforeAll(() => {
    for (const name of NAMES) mkdirSync(`${ROOT}/${name}`)
  })
  beforeEach(() => {
    exec = talk()
  })
  afterEach(async () => {
    await exec.close()
    for (const line of mounted().toReversed()) {
      sh('umount', line.slice(0, line.lastIndexOf(' ')).replaceAll('\\040', ' ').replaceAll('\\134', '\\'))
    }
  })
  const ok = async (change: object): Promise<void> => {
    expect(await exec.ask(change), JSON.stringify(change)).toMatchObject({ _tag: 'done', status: 0 })
  }
  const refused = async (change: object, why: string): Promise<void> => {
    const before = mounted()
    expect(await exec.ask(change)).toMatchObject({ _tag: 'refused', why: expect.stringContaining(why) as string })
    expect(mounted()).toEqual(before)
  }

  const TOO_MANY = 'there would be more than 2 mounts below the roots'
  const TOO_MUCH = 'filesystems in memory could take more than'

  test('a mount beyond the number is refused, of any type, until one is unmounted', async () => {
    limited(2, 1_000 * MIB)
    await restart()
    await ok(tmpfs('a'))
    await ok(mount('with space', 'bind', '/srv/exports/one'))
    await refused(tmpfs('b'), TOO_MANY)
    await refused(mount('b', 'bind', '/srv/exports/one'), TOO_MANY)
    await refused(tmpfs('a'), TOO_MANY)
    await ok(unmount('with space'))
    await ok(tmpfs('b'))
  })

  test('a tmpfs beyond the memory is refused, its inodes counted, and a bind is not', async () => {
    limited(100, 2 * (MIB + 64 * KIB))
    await restart()
    await ok(tmpfs('with space'))
    await ok(tmpfs('with\\back'))
    await refused(mount('a', 'tmpfs', 'x', 'size=4k', 'nr_inodes=1'), TOO_MUCH)
    await ok(mount('a', 'bind', '/srv/exports/one'))
    await ok(unmount('with space'))
    await refused(mount('b', 'tmpfs', 'x', 'size=1m', 'nr_inodes=65'), TOO_MUCH)
    await ok(tmpfs('b'))
  })

  test('the larger one of two sizes counts', async () => {
    limited(100, 2 * MIB)
    await restart()
    await refused(mount('a', 'tmpfs', 'x', 'size=4k', 'size=3m', 'nr_inodes=1'), TOO_MUCH)
    await refused(mount('a', 'tmpfs', 'x', 'size=3m', 'size=4k', 'nr_inodes=1'), TOO_MUCH)
    await refused(mount('a', 'tmpfs', 'x', 'size=4k', 'nr_blocks=1k', 'nr_inodes=1'), TOO_MUCH)
    await refused(mount('a', 'tmpfs', 'x', 'size=4k', 'nr_inodes=1', 'nr_inodes=4k'), TOO_MUCH)
  })

  test('a process that is started again counts what the one before has mounted', async () => {
    limited(100, 2 * (MIB + 64 * KIB))
    await restart()
    await ok(tmpfs('a'))
    await ok(tmpfs('b'))
    await restart()
    await refused(tmpfs('c'), TOO_MUCH)
  })

  test('after a remount by root the new size counts', async () => {
    limited(100, 3 * MIB)
    await restart()
    await ok(tmpfs('a'))
    sh('mount', '-o', 'remount,size=2560k', `${ROOT}/a`)
    await refused(tmpfs('b'), TOO_MUCH)
    sh('mount', '-o', 'remount,size=1m', `${ROOT}/a`)
    await ok(tmpfs('b'))
  })

  test('a tmpfs of root counts with half of the memory where it has no size, and one without a limit leaves nothing', async () => {
    limited(100, 8 * MIB)
    await restart()
    sh('mount', '-t', 'tmpfs', 'of-root', `${ROOT}/a`)
    await refused(tmpfs('b'), TOO_MUCH)
    sh('mount', '-o', 'remount,size=1m,nr_inodes=100', `${ROOT}/a`)
    await ok(tmpfs('b'))
    sh('mount', '-t', 'tmpfs', '-o', 'size=0', 'of-root', `${ROOT}/c`)
    await refused(tmpfs('d'), TOO_MUCH)
  })

  test('a filesystem that is shown twice counts once', async () => {
    limited(100, 2 * (MIB + 64 * KIB))
    await restart()
    await ok(tmpfs('a'))
    sh('mount', '--bind', `${ROOT}/a`, `${ROOT}/c`)
    await ok(tmpfs('b'))
    await refused(tmpfs('d'), TOO_MUCH)
  })

  test('of mounts that are asked for at once those are made that fit, and no other', async () => {
    limited(100, 2 * (MIB + 64 * KIB))
    await restart()
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => exec.ask(tmpfs(name))))
      expect(answers.map(({ _tag }) => _tag)).toEqual(['done', 'done', 'refused', 'refused'])
      expect(mounted()).toHaveLength(2)
      await ok(unmount('a'))
      await ok(unmount('b'))
    }
  })

  test('two mounts at one place are not under way together', async () => {
    const answers = await Promise.all([exec.ask(tmpfs('a')), exec.ask(tmpfs('a'))])
    expect(answers).toMatchObject([{ _tag: 'done' }, { _tag: 'refused', why: 'a mount is under way there' }])
  })

  test('processes that mount at the same time stay within the limits together', async () => {
    limited(100, 2 * (MIB + 64 * KIB))
    await restart()
    const all = [exec, talk(), talk(), talk()]
    await Promise.all(all.map((each) => each.until(({ _tag }) => _tag === 'ready')))
    const places = ['a', 'b', 'c', 'd'] as const
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(all.map((each, index) => each.ask(tmpfs(places[index] ?? ''))))
      const made = answers.filter((one) => one._tag === 'done' && one.status === 0).length
      expect(made).toBe(mounted().length)
      expect(made).toBeLessThanOrEqual(2)
      for (const line of mounted()) sh('umount', line.slice(0, line.lastIndexOf(' ')))
    }
    await Promise.all(all.slice(1).map((each) => each.close()))
  })
})
