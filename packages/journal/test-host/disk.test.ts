// Disks that fail for real: full, failing only when they are flushed, and read-only under an open file. Nothing that was not
// flushed is acknowledged, nothing is tried again, and what was acknowledged is there once the disk is well.

import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { FileJournal } from '../src/index.js'
import { createFileJournal, readJournal } from '../src/index.js'
import { held } from '../test/facts.js'

const TOP = '/srv/journal-disks'

const sh = (file: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout.trim()
}

beforeAll(() => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
  sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'disks', '/srv')
  mkdirSync(TOP)
})

const disk = (name: string, ...args: readonly string[]): string => {
  const directory = `${TOP}/${name}`
  mkdirSync(directory)
  sh('mount', ...args, name, directory)
  return directory
}

const opened = async (directory: string): Promise<FileJournal> => {
  const journal = createFileJournal({ directory })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  return journal
}

/** Appends one by one until it fails; gives how many were acknowledged, and why it ended. */
const appendAll = async (
  journal: FileJournal,
  most: number,
): Promise<{ readonly good: number; readonly why: string }> => {
  let good = 0
  for (; good < most; good += 1) {
    const appended = await journal.append([held(good)])()
    if (appended._tag === 'Left') return { good, why: appended.left.why }
  }
  return { good, why: 'it never failed' }
}

const volumes = async (directory: string): Promise<readonly string[]> => {
  const read = await readJournal(directory)()
  if (read._tag === 'Left') throw new Error(read.left.why)
  return read.right.flatMap((fact) => (fact._tag === 'Held' ? [fact.volume] : []))
}

const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => held(index).volume)

describe('a full disk', () => {
  test('ends it with the fix, for that append and all later ones, also after there is room again', async () => {
    const directory = disk('full', '-t', 'tmpfs', '-o', 'size=16k,mode=0700')
    const journal = await opened(directory)
    const { good, why } = await appendAll(journal, 1_000)
    expect(good).toBeGreaterThan(50)
    expect(why).toBe(
      `${directory}/journal cannot be written: the disk is full (ENOSPC); make room on its filesystem, ` +
        'then start the manager again: all that it has answered is kept',
    )
    // Only these options: mount(8) would repeat `uid=`, which a user namespace does not know.
    sh('mount', '--options-mode', 'ignore', '-o', 'remount,size=1m', directory)
    expect(await journal.append([held(7_000)])()).toMatchObject({ left: { why } })
    await journal.close('drain')
    expect(await volumes(directory)).toEqual(numbered(good))
    const again = await opened(directory)
    expect(await again.append([held(8_000)])()).toMatchObject({ _tag: 'Right' })
    await again.close('drain')
    expect(await volumes(directory)).toEqual([...numbered(good), 'vol-8000'])
    sh('umount', directory)
  })
})

const isRoot = process.env['MOUNTKEEPER_NAMESPACE'] === 'root'
if (!isRoot) process.stderr.write('SKIPPED: a device that fails needs the rights of root.\n')

describe.skipIf(!isRoot)('a device of our own', () => {
  /** An ext4 on a file on a small tmpfs: what it writes has nowhere to go once that is full. */
  const image = (name: string, backing: string, size: string, options: string): string => {
    const below = disk(`${name}-below`, '-t', 'tmpfs', '-o', `size=${backing}`)
    writeFileSync(`${below}/image`, '')
    truncateSync(`${below}/image`, Number(size))
    sh('mkfs.ext4', '-q', '-O', '^has_journal', '-E', 'root_owner=0:0', `${below}/image`)
    const directory = `${TOP}/${name}`
    mkdirSync(directory)
    sh('mount', '-o', `loop,${options}`, `${below}/image`, directory)
    sh('chmod', '0700', directory)
    return directory
  }

  test('that takes every write and fails when it is flushed ends it; nothing is tried again', async () => {
    const directory = image('failing', '2m', String(64 * 1024 * 1024), 'rw')
    const journal = await opened(directory)
    const few = await appendAll(journal, 20)
    expect(few.good).toBe(20)
    // Fills what the device stands on, from below.
    spawnSync('dd', ['if=/dev/zero', `of=${TOP}/failing-below/fill`, 'bs=4k'])
    const { why } = await appendAll(journal, 5_000)
    // The filesystem itself has room: it is the flush that fails.
    expect(Number(sh('stat', '-f', '-c', '%f', directory))).toBeGreaterThan(1_000)
    expect(why).toMatch(/\/journal cannot be written: (the disk is full \(ENOSPC\)|the device failed \(EIO\)); /)
    expect(await journal.append([held(1)])()).toMatchObject({ left: { why } })
    await journal.close('now')
    sh('umount', directory)
    expect(statSync(`${TOP}/failing-below/image`).isFile()).toBe(true)
    sh('umount', `${TOP}/failing-below`)
  })

  test('that its filesystem gives up, and makes read-only, ends it; what was acknowledged is there', async () => {
    const directory = image('read-only', '32m', String(16 * 1024 * 1024), 'errors=remount-ro')
    const journal = await opened(directory)
    const before = await appendAll(journal, 20)
    expect(before.good).toBe(20)
    const device = sh('findmnt', '-n', '-o', 'SOURCE', directory).replace('/dev/', '')
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'a test of the journal')
    const { good, why } = await appendAll(journal, 100)
    expect(good).toBe(0)
    expect(why).toMatch(/cannot be written: (its filesystem is read-only \(EROFS\)|the device failed \(EIO\))/)
    await journal.close('drain')
    expect((await volumes(directory)).slice(0, 20)).toEqual(numbered(20))
    sh('umount', directory)
    sh('umount', `${TOP}/read-only-below`)
  })
})
