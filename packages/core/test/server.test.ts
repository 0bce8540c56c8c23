// One server has one name, however a source or an operator spells it (W10).

import { defaultSettings, readSettings } from '@mountkeeper/border'
import { canonicalHost, typeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalServer, serverOf } from '../src/index.js'
import { serversOf } from '../src/server.js'

const TYPES = ['tmpfs', 'ext4', 'nfs', 'cifs', 'fuse.sshfs', 'glusterfs', 'ceph', 'fuse.bindfs', 'xfs-in-a-dream']

const settings = {
  ...defaultSettings('/srv/mounts'),
  types: Object.fromEntries(TYPES.map((type) => [type, typeRule(type, ['*'])])),
  aliases: { '192.0.2.7': 'nas', 'nas.corp.example': 'nas' },
}

const of = (type: string, source: string): string => serverOf(settings, { type, source, options: [] })
const all = (type: string, source: string): readonly string[] => serversOf(settings, { type, source, options: [] })

test.each([
  ['tmpfs', 'scratch', ''],
  ['ext4', '/dev/vdb', ''],
  ['nfs', 'server:/export', 'server'],
  ['nfs', 'server', 'server'],
  ['nfs', ':/export', ':/export'],
  ['nfs', 'server:/media/[2024] films', 'server'],
  ['nfs', 'server:/media/]1', 'server'],
  ['nfs', '[2024:/x', '[2024'],
  ['nfs', 'SERVER:/export', 'server'],
  ['nfs', 'server.:/export', 'server'],
  ['nfs', '[2001:db8::1]:/export', '2001:db8::1'],
  ['nfs', '[2001:0DB8:0:0::1]:/[a]', '2001:db8::1'],
  ['nfs', '2001:db8::1:/export', '2001:db8::1'],
  ['nfs', '[FE80::1%eth0]:/export', 'fe80::1%eth0'],
  ['nfs', '[::ffff:192.0.2.1]:/export', '192.0.2.1'],
  ['nfs', '127.1:/export', '127.0.0.1'],
  ['nfs', '0x7f000001:/export', '127.0.0.1'],
  ['nfs', '192.0.2.7:/export', 'nas'],
  ['nfs', 'NAS.corp.example.:/export', 'nas'],
  ['nfs', 'server,other:/export', 'server'],
  ['fuse.sshfs', 'me@server:/home', 'server'],
  ['fuse.sshfs', 'me@server:dir@[x]', 'server'],
  ['fuse.sshfs', 'me@[2001:db8::1]:/home', '2001:db8::1'],
  ['fuse.sshfs', 'server:a:b', 'server'],
  ['fuse.sshfs', 'server:a,b', 'server'],
  ['glusterfs', 'h1,h2:/vol', 'h1'],
  ['glusterfs', 'h1,h2:vol', 'h1'],
  ['glusterfs', 'fd00::1,fd00::2:/vol', 'fd00::1'],
  ['cifs', '//server/share', 'server'],
  ['cifs', '//Server./share', 'server'],
  ['cifs', '\\\\SERVER\\share', 'server'],
  ['cifs', '//2001:DB8::0:1/share', '2001:db8::1'],
  ['cifs', '//', '//'],
  ['ceph', 'mon2:6789,MON1:/path', 'mon1'],
  ['ceph', 'mon1,mon2:6789:/path', 'mon1'],
  ['ceph', '[2001:db8::2]:6789,[2001:db8::1]:6789:/', '2001:db8::1'],
  ['ceph', '192.0.2.2:6789:/', '192.0.2.2'],
  ['ceph', 'admin@B3acfc0d.cephfs=/path', 'b3acfc0d'],
  ['ceph', 'admin@.cephfs=/path', 'admin@.cephfs=/path'],
  ['fuse.bindfs', '/srv/A', '/srv/A'],
  ['xfs-in-a-dream', 'NAS:/x', 'NAS:/x'],
  ['xfs-in-a-dream', 'Somewhere', 'somewhere'],
])('the server of %s %s is %j', (type, source, server) => {
  expect(of(type, source)).toBe(server)
})

test('a list names all its servers, the first one before the others', () => {
  expect(all('glusterfs', 'h2,H1,192.0.2.7:/vol')).toEqual(['h2', 'h1', 'nas'])
  expect(all('nfs', '[fd00:0::1],b:/export')).toEqual(['fd00::1', 'b'])
  expect(all('ceph', 'mon2,mon1:/')).toEqual(['mon1', 'mon2'])
  expect(all('tmpfs', 'scratch')).toEqual([])
})

test('aliases that are not canonical are refused with the settings', () => {
  expect(readSettings(settings)).toEqual(settings)
  expect(readSettings({ ...settings, aliases: { 'NAS.': 'nas' } })).toEqual({
    _tag: 'Invalid',
    field: 'settings.aliases.NAS.',
    why: 'NAS. is not canonical; write nas',
  })
  expect(readSettings({ ...settings, aliases: { other: '' } })).toMatchObject({ why: 'has an empty name' })
})

// The URL of the platform reads and writes addresses by the rules of the WHATWG, and knows nothing of this code.
const hostnameOf = (host: string): string => new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, '')

const group = fc.oneof(fc.constant(0), fc.nat({ max: 0xff_ff }))

/** Eight groups in any spelling: leading zeros, upper case, and `::` for any run of zeros. */
const ipv6: fc.Arbitrary<string> = fc
  .record({
    groups: fc.array(group, { minLength: 8, maxLength: 8 }),
    upper: fc.boolean(),
    wide: fc.boolean(),
    gap: fc.tuple(fc.nat({ max: 7 }), fc.integer({ min: 1, max: 8 })),
  })
  .map(({ groups, upper, wide, gap: [from, length] }) => {
    const to = Math.min(from + length, 8)
    const hex = groups.map((each) => each.toString(16).padStart(wide ? 4 : 1, '0'))
    const zeros = groups.slice(from, to).every((each) => each === 0)
    const text = zeros ? `${hex.slice(0, from).join(':')}::${hex.slice(to).join(':')}` : hex.join(':')
    return upper ? text.toUpperCase() : text
  })
  .filter((text) => !/^(0*:)*:?(0*:)*ffff:/i.test(text))

const spelledNumber = (value: number): fc.Arbitrary<string> =>
  fc.constantFrom(String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`)

/** An IPv4 address in one to four parts, each decimal, octal or hexadecimal. */
const ipv4: fc.Arbitrary<string> = fc
  .tuple(fc.nat({ max: 0xff_ff_ff_ff }), fc.nat({ max: 3 }))
  .chain(([bits, firsts]) => {
    const bytes = [24, 16, 8].slice(0, firsts).map((shift) => (bits >>> shift) & 0xff)
    const rest = bits % 256 ** (4 - firsts)
    return fc.tuple(...[...bytes, rest].map(spelledNumber)).map((parts) => parts.join('.'))
  })

describe('properties', () => {
  test('an IPv6 address is written as the platform writes it', () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        expect(canonicalHost(text)).toBe(hostnameOf(`[${text}]`))
        expect(of('nfs', `[${text}]:/x/[y]:z`)).toBe(hostnameOf(`[${text}]`))
        expect(canonicalServer(settings, `[${text}]`)).toBe(hostnameOf(`[${text}]`))
      }),
      { numRuns: 2_000 },
    )
  })

  test('an IPv4 address is written as the platform writes it', () => {
    fc.assert(
      fc.property(ipv4, (text) => {
        expect(canonicalHost(text)).toBe(hostnameOf(text))
      }),
      { numRuns: 2_000 },
    )
  })

  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/)
  const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'))
  const path = fc.stringMatching(/^[ -~]{0,12}$/)
  const spelled = (name: string): fc.Arbitrary<string> =>
    fc
      .tuple(fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }), fc.constantFrom('', '.'))
      .map(
        ([upper, dot]) => name.replace(/./g, (letter, at: number) => (upper[at] ? letter.toUpperCase() : letter)) + dot,
      )

  test('a host has one name for every type, path, spelling and user', () => {
    const given = host.chain((name) => fc.tuple(fc.constant(name), spelled(name), path, fc.constantFrom('', 'me@')))
    fc.assert(
      fc.property(given, ([name, written, below, user]) => {
        expect(of('nfs', `${written}:/${below}`)).toBe(name)
        expect(of('fuse.sshfs', `${user}${written}:/${below}`)).toBe(name)
        expect(of('glusterfs', `${written},other:/${below}`)).toBe(name)
        expect(of('cifs', `//${written}/${below}`)).toBe(name)
        expect(of('cifs', `\\\\${written}\\${below}`)).toBe(name)
        expect(of('ceph', `${written}:6789:/${below}`)).toBe(name)
        expect(canonicalServer(settings, `${user}${written}`)).toBe(name)
      }),
      { numRuns: 2_000 },
    )
  })

  test('different hosts have different names', () => {
    fc.assert(
      fc.property(host, host, path, (a, b, below) => {
        fc.pre(a !== b)
        expect(of('nfs', `${a}:/${below}`)).not.toBe(of('nfs', `${b}:/${below}`))
      }),
    )
  })

  test('a canonical name is its own canonical name, and never empty', () => {
    const bit = fc.constantFrom('[', ']', ':', '::', '@', '.', '%', ',', '1', 'fF', '0x', 'nas', '/')
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.array(bit, { minLength: 1, maxLength: 8 }).map((bits) => bits.join('')),
    )
    fc.assert(
      fc.property(text, (server) => {
        const name = canonicalServer(settings, server)
        expect(canonicalServer(settings, name)).toBe(name)
        expect(name).not.toBe('')
        for (const type of ['nfs', 'cifs', 'ceph', 'fuse.sshfs', 'xfs-in-a-dream'])
          expect(of(type, server)).not.toBe('')
      }),
      { numRuns: 5_000 },
    )
  })
})
