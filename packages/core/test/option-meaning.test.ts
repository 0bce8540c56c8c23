// Options by their meaning (W8): what is equal, what is not, and which lists contradict themselves.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MountOption } from '../src/index.js'
import type { ValueReader } from '@mountkeeper/types'
import { contradiction, sameFilesystem } from '../src/option-meaning.js'
import { readValue } from '@mountkeeper/types'

const same = (type: string, a: readonly MountOption[], b: readonly MountOption[]): boolean => {
  const filesystem = (options: readonly MountOption[]) => ({ type, source: 's:/x', options })
  const is = sameFilesystem(filesystem(a), filesystem(b), ['commit', 'nfsvers'])
  expect(sameFilesystem(filesystem(b), filesystem(a), ['commit', 'nfsvers'])).toBe(is)
  return is
}

const words = (list: string): readonly string[] => (list === '' ? [] : list.split(','))

test.each([
  ['tmpfs', 'size=8m', 'size=8192k'],
  ['tmpfs', 'size=8M', 'size=0x800000'],
  ['tmpfs', 'size=50%', 'size=062%'],
  ['tmpfs', 'nr_inodes=1k', 'nr_inodes=1024'],
  ['tmpfs', 'mode=700', 'mode=0700'],
  ['tmpfs', 'uid=0x10', 'uid=16'],
  ['tmpfs', 'nosuid,nodev,exec,rw,async', ''],
  ['tmpfs', 'nosuid', 'nodev'],
  ['tmpfs', 'noatime,_netdev,x-a=1', 'strictatime,defaults'],
  ['ext4', 'offset=1M', 'offset=0x100000'],
  ['ext4', 'offset=1M', 'loop,offset=1048576'],
  ['ext4', 'offset=1MiB', 'offset=1024K'],
  ['ext4', 'offset=1MB', 'offset=1000000'],
  ['ext4', 'loop', 'offset=0'],
  ['ext4', 'sizelimit=0,loop', 'loop'],
  ['ext4', 'commit=5', 'commit=7'],
  ['xfs', 'logbsize=32k', 'logbsize=32768'],
  ['xfs', 'usrquota', 'uquota'],
  ['xfs', 'inode64', ''],
  ['btrfs', 'subvol=a/b', 'subvol=/a/b/'],
  ['nfs', 'rsize=0x1000', 'rsize=4096'],
  ['nfs', 'hard', ''],
  ['cifs', 'domain=d', 'workgroup=d'],
  ['ceph', 'fs=a', 'mds_namespace=a'],
  ['fuse.sshfs', 'port=0x16', 'port=22'],
])('%s: %j and %j mean the same', (type, a, b) => {
  expect(same(type, words(a), words(b))).toBe(true)
})

test.each([
  ['tmpfs', 'size=8m', 'size=8MB'],
  ['tmpfs', 'size=8m', 'size=8m%'],
  ['tmpfs', 'size=08m', 'size=8m'],
  ['tmpfs', 'size=010', 'size=10'],
  ['tmpfs', 'mode=700', 'mode=1700'],
  ['tmpfs', 'ro', ''],
  ['tmpfs', 'noexec', ''],
  ['tmpfs', 'sync', ''],
  ['tmpfs', 'suid', ''],
  ['tmpfs', 'suid', 'nosuid'],
  ['ext4', 'offset=1M', 'offset=1MB'],
  ['ext4', 'offset=1MIB', 'offset=1MiB'],
  ['ext4', 'offset=0', ''],
  ['ext4', 'offset=16777216T', 'offset=0'],
  ['ext4', 'offset=1.5M', 'offset=1536K'],
  ['nfs', 'rsize=010', 'rsize=8'],
  ['nfs', 'soft', ''],
  ['xfs-in-a-dream', 'size=8m', 'size=8192k'],
])('%s: %j and %j do not', (type, a, b) => {
  expect(same(type, words(a), words(b))).toBe(false)
})

test('another name of an option is the option, also where it is insignificant', () => {
  const nfs = (option: string) => ({ type: 'nfs', source: 's:/x', options: [option] })
  expect(sameFilesystem(nfs('vers=4.1'), nfs('nfsvers=4.1'), [])).toBe(true)
  expect(sameFilesystem(nfs('vers=4.1'), nfs('nfsvers=4.2'), [])).toBe(false)
  expect(sameFilesystem(nfs('vers=4'), nfs('vers=4.0'), [])).toBe(false)
  expect(sameFilesystem(nfs('vers=4.1'), nfs('nfsvers=4.2'), ['nfsvers'])).toBe(true)
  expect(sameFilesystem(nfs('vers=4.1'), nfs('nfsvers=4.2'), ['vers'])).toBe(true)
})

test('a secret is never what an option says in writing', () => {
  const secret = { name: 'credentials', secretFile: '/etc/s' }
  expect(same('cifs', [secret], ['credentials=@/etc/s'])).toBe(false)
  expect(same('cifs', [secret], ['credentials=/etc/s'])).toBe(false)
  expect(same('cifs', [secret], [{ name: 'cred', secretFile: '/etc/s' }])).toBe(true)
})

test('secrets compare by reference', () => {
  const inFile = { name: 'credentials', secretFile: '/etc/s' }
  const inVariable = { name: 'credentials', secretEnvironment: 'S' }
  expect(same('cifs', [inVariable], [{ ...inVariable }])).toBe(true)
  expect(same('cifs', [inVariable], [{ ...inVariable, secretEnvironment: 'T' }])).toBe(false)
  expect(same('cifs', [inVariable], [inFile])).toBe(false)
  expect(same('cifs', [inVariable], ['credentials=$S'])).toBe(false)
})

test.each([
  ['tmpfs', 'size=1m,size=8m', 'size is given twice; give it once'],
  ['tmpfs', 'x-a,x-a', 'x-a is given twice; give it once'],
  ['tmpfs', 'rw,ro', 'ro contradicts rw; give one of them'],
  ['tmpfs', 'nosuid,size=1m,suid', 'suid contradicts nosuid; give one of them'],
  ['tmpfs', 'sync,async', 'async contradicts sync; give one of them'],
  ['tmpfs', 'strictatime,noatime', 'noatime contradicts strictatime; give one of them'],
  ['ext4', 'discard,nodiscard', 'nodiscard contradicts discard; give one of them'],
  ['ext4', 'barrier=0,nobarrier', 'nobarrier contradicts barrier; give one of them'],
  ['btrfs', 'subvol=a,subvolid=5', 'subvolid contradicts subvol; give one of them'],
  ['nfs', 'vers=3,nfsvers=4', 'nfsvers is another name of vers, which is given too; give one of them'],
  ['nfs', 'soft,hard', 'hard contradicts soft; give one of them'],
  ['nfs', 'v3,vers=4', 'vers contradicts v3; give one of them'],
  [
    'glusterfs',
    'backup-volfile-servers=a,backupvolfile-server=b',
    'backupvolfile-server is another name of backup-volfile-servers, which is given too; give one of them',
  ],
  ['xfs-in-a-dream', 'a=1,a=2', 'a is given twice; give it once'],
  ['xfs-in-a-dream', 'nothing,thing', 'thing contradicts nothing; give one of them'],
])('%s: %j contradicts itself', (type, list, why) => {
  expect(contradiction(type, words(list))).toMatchObject({ index: words(list).length - 1, why })
})

test.each([
  ['tmpfs', 'ro,nosuid,nodev,noexec,noatime,nodiratime,defaults,_netdev'],
  ['nfs', 'vers=4.1,hard,timeo=600,nolock'],
  ['constructor', 'toString,valueOf,__proto__'],
])('%s: %j does not', (type, list) => {
  expect(contradiction(type, words(list))).toBeUndefined()
  expect(same(type, words(list), words(list).toReversed())).toBe(true)
})

describe('properties', () => {
  const TYPES = ['tmpfs', 'ext4', 'nfs', 'cifs', 'fuse.sshfs', 'xfs-in-a-dream']
  const option = fc.constantFrom(
    ...['ro', 'rw', 'suid', 'nosuid', 'exec', 'noexec', 'size=1m', 'size=1024k', 'size=2m', 'vers=3', 'nfsvers=3'],
    ...['hard', 'soft', 'offset=1M', 'offset=1048576', 'loop', 'noatime', 'relatime', 'discard', 'nodiscard', 'x-a'],
  )
  const list = fc.array(option, { maxLength: 6 })

  test('lists that differ in order alone are the same, or contradict themselves in every order', () => {
    const given = fc
      .constantFrom(...TYPES)
      .chain((type) =>
        list.chain((one) =>
          fc.tuple(fc.constant(type), fc.constant(one), fc.shuffledSubarray(one, { minLength: one.length })),
        ),
      )
    fc.assert(
      fc.property(given, ([type, one, other]) => {
        expect(contradiction(type, one) === undefined).toBe(contradiction(type, other) === undefined)
        if (contradiction(type, one) === undefined) expect(same(type, one, other)).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  test('to mean the same is an equivalence', () => {
    const clean = list.filter((each) => contradiction('tmpfs', each) === undefined)
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), clean, clean, clean, (type, a, b, c) => {
        expect(same(type, a, a.slice())).toBe(true)
        if (same(type, a, b) && same(type, b, c)) expect(same(type, a, c)).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  const POWERS = ['k', 'm', 'g', 't', 'p', 'e']
  const SUFFIXES: readonly (readonly [ValueReader, string, bigint])[] = [
    ...POWERS.map((letter, at) => ['kernel-size', letter, 1024n ** BigInt(at + 1)] as const),
    ...POWERS.map((letter, at) => ['mount-size', letter, 1024n ** BigInt(at + 1)] as const),
    ...POWERS.map((letter, at) => ['mount-size', `${letter}iB`, 1024n ** BigInt(at + 1)] as const),
    ...POWERS.map((letter, at) => ['mount-size', `${letter}B`, 1000n ** BigInt(at + 1)] as const),
    ...POWERS.slice(0, 3).map((letter, at) => ['decimal-size', letter, 1024n ** BigInt(at + 1)] as const),
  ]

  test('a size is its number of bytes in every spelling', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SUFFIXES), fc.nat({ max: 15 }), ([reader, suffix, factor], number) => {
        const bytes = String(BigInt(number) * factor)
        const letters = [suffix, suffix.charAt(0).toUpperCase() + suffix.slice(1)]
        for (const each of letters) expect(readValue(reader, `${number}${each}`)).toBe(bytes)
        expect(readValue(reader, bytes)).toBe(bytes)
        if (reader === 'decimal-size') return
        // After 0x an E is a digit.
        for (const each of letters.filter((letter) => !/^e/i.test(letter))) {
          expect(readValue(reader, `0x${number.toString(16)}${each}`)).toBe(bytes)
          if (number > 0) expect(readValue(reader, `0${number.toString(8)}${each}`)).toBe(bytes)
        }
      }),
    )
  })
})
