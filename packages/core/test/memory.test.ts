// Filesystems in memory (A13): what is written out where a request leaves a size open. The limit of all of them together is reported
// in `11-memory-of-all-filesystems.txt`.

import { defaultSettings } from '@mountkeeper/border'
import { typeRule } from '@mountkeeper/types'
import { expect, test } from 'vitest'
import type { Filesystem } from '../src/index.js'
import { checkFilesystem } from '../src/index.js'
import { addedSizes, memoryOf } from '../src/memory.js'

const MIB = 1_048_576
const TMPFS = typeRule('tmpfs', ['*'])

const tmpfs = (...options: readonly string[]): Filesystem => ({ type: 'tmpfs', source: 'scratch', options })

test.each([
  [[], ['size=16m', 'nr_inodes=4096'], 20],
  [['size=1g'], ['nr_inodes=262144'], 1_024 + 256],
  [['size=64k'], ['nr_inodes=256'], 1 / 4 + 1 / 16],
  [['size=1m', 'nr_inodes=2k'], [], 3],
  [['nr_inodes=1m'], ['size=16m'], 16 + 1_024],
])('%j: %j is added, and it takes %d MiB', (options, added, mib) => {
  expect(addedSizes(TMPFS, tmpfs(...options))).toEqual(added)
  expect(memoryOf(TMPFS, tmpfs(...options))).toBe(mib * MIB)
})

test('what is added keeps to the limit of one mount', () => {
  const small = typeRule('tmpfs', ['*'], {
    size: { _tag: 'Size', reader: 'kernel-size', least: 1, most: 4 * MIB },
    nr_inodes: { _tag: 'Size', reader: 'kernel-size', least: 1, most: 100 },
  })
  expect(addedSizes(small, tmpfs())).toEqual(['size=4m', 'nr_inodes=100'])
})

test('other types get none, and take none', () => {
  expect(addedSizes(typeRule('nfs', ['*']), { type: 'nfs', source: 'h:/x', options: [] })).toEqual([])
  expect(memoryOf(typeRule('overlay', ['*']), { type: 'overlay', source: 'o', options: [] })).toBe(0)
})

test.each(['size=100%', 'size=0', 'size=999999999999', 'nr_inodes=0', 'huge=always', 'nr_blocks=0', 'size=1025m'])(
  '%s is refused, with what would be right',
  (option) => {
    const bad = checkFilesystem(defaultSettings('/srv/mounts'), tmpfs(option))
    expect(bad?.field).toBe('filesystem.options[0]')
    expect(bad?.why).toMatch(/expected|not allowed/)
  },
)
