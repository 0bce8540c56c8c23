// The disk of this process, with what the kernel does to those who ask it plainly: reads that give less than was asked for, and
// descriptors that stay open when they are forgotten.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeDisk } from '../src/disk.js'

let at: string
beforeAll(() => {
  at = mkdtempSync(join(tmpdir(), 'mountkeeper-disk-'))
})
afterAll(() => rmSync(at, { recursive: true }))

/** What this process has open at this path. */
const openAt = (path: string): number =>
  readdirSync('/proc/self/fd').filter((entry) => {
    try {
      return readlinkSync(`/proc/self/fd/${entry}`) === path
    } catch {
      // The one that listed them.
      return false
    }
  }).length

const LENGTH = 6_000

/** A file of which each read(2) gives a page at most, and that does not change: what a process that is stopped has mapped. */
const mappedBy = async (child: ChildProcess): Promise<string> => {
  child.kill('SIGSTOP')
  const of = `/proc/${child.pid ?? 0}`
  await expect.poll(() => readFileSync(`${of}/stat`, 'latin1')).toContain(') T ')
  return `${of}/maps`
}

test('a read that the kernel answers in parts is put together', async () => {
  const child = spawn(process.execPath, ['-e', 'console.log("runs"); setInterval(() => undefined, 1e9)'])
  try {
    await once(child.stdout, 'data')
    const large = await mappedBy(child)
    const text = readFileSync(large)
    const file = await nodeDisk.open(large, 'read')
    const read = await file.read(0, LENGTH)
    await file.close()
    expect(text.length).toBeGreaterThan(LENGTH)
    expect(Buffer.from(read).equals(text.subarray(0, LENGTH))).toBe(true)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a read beyond the end gives what there is', async () => {
  const path = join(at, 'short')
  writeFileSync(path, 'abc')
  const file = await nodeDisk.open(path, 'read')
  expect(Buffer.from(await file.read(1, 10)).toString()).toBe('bc')
  await file.close()
  expect(openAt(path)).toBe(0)
})

test('what is opened for reading keeps its mode, what is changed is only for its owner', async () => {
  const path = join(at, 'mode')
  writeFileSync(path, '')
  chmodSync(path, 0o644)
  await (await nodeDisk.open(path, 'read')).close()
  expect(statSync(path).mode & 0o777).toBe(0o644)
  await (await nodeDisk.open(path, 'change')).close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('to flush a directory leaves nothing open', async () => {
  await nodeDisk.flushDirectory(at)
  expect(openAt(at)).toBe(0)
})

test('the user is the one that this process acts as', () => {
  expect(nodeDisk.uid()).toBe(process.geteuid?.())
})
