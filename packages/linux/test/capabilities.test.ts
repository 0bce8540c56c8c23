// What the processes of the manager keep of its capabilities: taken where that is possible and changes nothing else.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { LOOK_CAPABILITIES, SHELL_CAPABILITIES, WATCH_CAPABILITIES, isEffective, keeping } from '../src/capabilities.js'

const ALL = 'CapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n'
const without = (bit: number): string =>
  `CapEff:\t${(0x1ffffffffffn & ~(1n << BigInt(bit))).toString(16).padStart(16, '0')}\n`

test('root keeps what the process needs, and no more', () => {
  expect(keeping(SHELL_CAPABILITIES, 0, ALL)).toEqual([
    expect.stringMatching(/setpriv$/),
    '--bounding-set=-all,+sys_admin,+sys_ptrace,+dac_override,+dac_read_search',
    '--inh-caps=-all',
    '--',
  ])
  expect(keeping(WATCH_CAPABILITIES, 0, ALL)).toContain('--bounding-set=-all')
})

describe('nothing is taken', () => {
  test.each<[string, number, string]>([
    ['of another user', 1_000, ALL],
    ['without the capability to take them', 0, without(8)],
    ['where the kernel shows none', 0, ''],
    ['where the shell could no longer go through our descriptors', 0, without(19)],
    ['where the shell could not mount anyway', 0, without(21)],
  ])('%s', (_, uid, status) => {
    expect(keeping(SHELL_CAPABILITIES, uid, status)).toEqual([])
  })
})

test('a look is started without them also where this process has no sys_ptrace', () => {
  expect(keeping(LOOK_CAPABILITIES, 0, without(19))).not.toEqual([])
})

const own = readFileSync('/proc/self/status', 'latin1')
const root = process.getuid?.() === 0 && isEffective(own, 'setpcap') === true

test.runIf(root)('the kernel shows exactly these, for the process and for what it could start', () => {
  const [file, ...args] = [...keeping(LOOK_CAPABILITIES), 'grep', '^Cap', '/proc/self/status']
  const caps = spawnSync(file, args, { encoding: 'utf8' }).stdout.match(/[0-9a-f]{16}$/gm)
  expect(caps).toEqual(['0', '4', '4', '4', '0'].map((hex) => hex.padStart(16, '0')))
})
