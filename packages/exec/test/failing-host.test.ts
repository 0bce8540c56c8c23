// What stays of a change when the host fails in the middle of it: no descriptor, and a sentence.

import type * as Fs from 'node:fs'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { beforeEach, expect, test, vi } from 'vitest'
import { spotOf, walk } from '../src/places.js'
import { giveSecret } from '../src/secret.js'

/** So many files of /proc can be read before no descriptor is left; and whether there are directories for secrets. */
const host = vi.hoisted(() => ({ readsLeft: Infinity, hasMemory: true }))
beforeEach(() => {
  Object.assign(host, { readsLeft: Infinity, hasMemory: true })
})

vi.mock('node:fs', async (original) => {
  const real = await original<typeof Fs>()
  const failing = (errno: string): never => {
    throw Object.assign(new Error(errno), { code: errno })
  }
  return {
    ...real,
    readFileSync: (...given: Parameters<typeof Fs.readFileSync>) => {
      host.readsLeft -= 1
      return host.readsLeft < 0 ? failing('EMFILE') : real.readFileSync(...given)
    },
    statfsSync: (path: string) => (host.hasMemory ? real.statfsSync(path) : failing('ENOENT')),
  }
})

const open = (): number => readdirSync('/proc/self/fd').length

/** How often it failed, each time with one more read that went well. */
const failures = (run: () => void): number => {
  for (let reads = 0; ; reads += 1) {
    const before = open()
    host.readsLeft = reads
    try {
      run()
      return reads
    } catch (error) {
      expect(String(error)).toContain('EMFILE')
    } finally {
      host.readsLeft = Infinity
    }
    expect(open()).toBe(before)
  }
}

test('a way that cannot be gone to its end leaves nothing open', () => {
  expect(failures(() => closeSync(walk('/usr/bin', false)))).toBe(2)
})

test('a mountpoint whose parent cannot be kept leaves nothing open', () => {
  const path = mkdtempSync(`${tmpdir()}/mountkeeper-exec-`)
  const fd = openSync(path, 'r')
  expect(failures(() => spotOf([{ path, fd, mount: '0' }], `${path}/a`))).toBe(1)
  closeSync(fd)
  rmSync(path, { recursive: true })
})

test('a secret for which there is no memory is refused with the reason', () => {
  host.hasMemory = false
  expect(() => giveSecret('login', { _tag: 'Secret', by: 'stdin' }, Buffer.from('planted'))).toThrow(
    'no tmpfs takes the secret: mount one at /dev/shm',
  )
})
