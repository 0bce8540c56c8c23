// Each source is taken apart as its helper does, compared part by part, and rewritten as it was.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSource, sourceAllowed, sourceMatches, typeRule, writeSource } from '../src/index.js'
import type { SourceForm } from '../src/index.js'

describe('a pattern is compared part by part', () => {
  test.each([
    ['nfs', '*.corp.example:/export/*', 'nas.corp.example:/export/a', true],
    ['nfs', '*.corp.example:/export/*', 'NAS.Corp.Example.:/export/a', true],
    ['nfs', '*.corp.example:/export/*', 'a.corp.example,b.corp.example:/export/a', true],
    ['nfs', '*.corp.example:/export/*', 'a.corp.example,evil:/export/a', false],
    ['nfs', '*.corp.example:/export/*', '.corp.example:/export/a', false],
    ['nfs', '*.corp.example:/export/*', '127.0.0.1:x.corp.example:/export/a', false],
    ['nfs', '*.corp.example:/export/*', 'evil#.corp.example:/export/a', false],
    ['nfs', '*.corp.example:/export/*', 'evil%.corp.example:/export/a', false],
    ['nfs', '*.corp.example:/export/*', 'nas.corp.example:/export/a/b', false],
    ['nfs', '*.corp.example:/export/', 'nas.corp.example:/export/a/b', true],
    ['nfs', '*.corp.example:/export/', 'nas.corp.example:/exports', false],
    ['nfs', '*:/x', '[::1]:/x', false],
    ['nfs', '[0:0::1]:/x', '[::1]:/x', true],
    ['nfs', '127.0.0.1:/x', '0x7f000001:/x', true],
    ['nfs', 'a,b:/x', 'b:/x', true],
    ['nfs', '10.0.0.*:/x', '10.0.0.7:/x', true],
    ['sshfs', '*:/export/*', 'me@host:/export/a', true],
    ['sshfs', 'host:/export/*', 'me@host:/export/a', false],
    ['sshfs', 'me@host:/export/*', 'me@host:/export/a', true],
    ['sshfs', 'me@host:/export/*', 'host:/export/a', false],
    ['sshfs', '*@host:/export/*', 'root@host:/export/a', true],
    ['sshfs', '*:/export/*', '[-oProxyCommand=x]:/export/a', false],
    ['sshfs', '*:/export/*', 'a@-oProxyCommand=x:/export/a', false],
    ['glusterfs', 'g.corp.example:/vol*', 'g.corp.example:/vol1', true],
    ['glusterfs', 'g.corp.example:/vol*', 'g.corp.example:/vol1 --x', false],
    ['glusterfs', 'g.corp.example:/vol*', 'evil,g.corp.example:/vol1', false],
    ['glusterfs', '*:/vol*', '/etc/evil.vol', false],
    ['cifs', '//*.corp.example/share*', '//nas.corp.example/share1', true],
    ['cifs', '//*.corp.example/share*', '//127.0.0.1\\x.corp.example/share1', false],
    ['cifs', '//*.corp.example/share*', '//nas.corp.example/share1,ip=10.9.9.9', false],
    ['cifs', '//*.corp.example/share*', '//nas.corp.example/share1/deep', false],
    ['cifs', '//files/', '//files/my photos/2024', true],
    ['cifs', '//files/', '//files2/x', false],
    ['ceph', 'mon1,mon2:/volumes/', 'mon1:6789,mon2:3300:/volumes/a', true],
    ['ceph', 'mon1,mon2:/volumes/', 'mon1:6789,evil:/volumes/a', false],
    ['ceph', 'mon1,mon2:/volumes/', 'mon1:9:/volumes/a', false],
    ['ceph', 'admin@*.cephfs=/a/*', 'admin@b3acfc0d.cephfs=/a/b', true],
    ['ceph', 'admin@*.cephfs=/a/*', 'admin@b3acfc0d.other=/a/b', false],
    ['ceph', 'admin@*.cephfs=/a/*', 'root@b3acfc0d.cephfs=/a/b', false],
    ['fuse.mine', '*.corp.example:/x', 'a.corp.example:/x', true],
    ['fuse.mine', '*.corp.example:/x', '127.0.0.1:a.corp.example:/x', false],
    ['fuse.mine', 'https://*.corp.example/x', 'https://nas.corp.example/x', true],
    ['fuse.mine', 'https://*.corp.example/x', 'https://evil#.corp.example/x', false],
    ['fuse.mine', 'https://*.corp.example/x', 'https://a@b.corp.example/x', false],
    ['fuse.mine', '*', 'a\\b', false],
    ['fuse.mine', '*', 'a,b', false],
    ['fuse.bindfs', '/srv/exports/', '/srv/exports/a,b', false],
    ['fuse.bindfs', '/srv/exports/', '/srv/exports/a', true],
    ['tmpfs', 'vol-*', 'vol-a_b', true],
  ])('%s from %s: %s %j', (type, pattern, source, is) => {
    expect(sourceAllowed(typeRule(type, [pattern]), source)).toBe(is)
  })
})

const FORMS: readonly SourceForm[] = [
  'path',
  'fuse-path',
  'label',
  'nfs',
  'sshfs',
  'glusterfs',
  'unc',
  'ceph',
  'opaque',
]

const bits = fc.array(
  fc.oneof(
    fc.constantFrom('a', 'host', '.corp.example', ':/x', '/', '//', ':', '[::1]', '[', ']', '@', '::1', '-', '#', ' '),
    fc.constantFrom(',', '.', '\\', '=', '6789', 'user@', '=/x', '%', '*', ',ip=1', '/share', 'fd00::2'),
  ),
  { minLength: 1, maxLength: 8 },
)
const text = bits.map((parts) => parts.join(''))

/** Where each helper ends the host, in its own words: mount.nfs and sshfs at the first colon, glusterfs at the last. */
const hostsRead: Readonly<Partial<Record<SourceForm, (source: string) => readonly string[]>>> = {
  nfs: (source) => {
    const end = source.startsWith('[') ? source.indexOf(']') + 1 : source.indexOf(':')
    return source.slice(0, end).split(',')
  },
  // find_base_path of sshfs, and then ssh, which takes the user away.
  sshfs: (source) => {
    const device = /^(?:[^:[]|\[[^\]]*\])*/.exec(source)?.[0] ?? ''
    return [device.slice(device.lastIndexOf('@') + 1)]
  },
  glusterfs: (source) => (source.startsWith('/') ? [] : source.slice(0, source.lastIndexOf(':')).split(',')),
  unc: (source) => [source.split(/[\\/]/)[2] ?? ''],
}

test('what is accepted is written as it was, and read again it is the same', () => {
  let accepted = 0
  fc.assert(
    fc.property(fc.constantFrom(...FORMS), text, (form, source) => {
      const parsed = parseSource(form, source)
      if (parsed._tag === 'Wrong') return
      accepted += 1
      expect(writeSource(parsed)).toBe(source)
      expect(parseSource(form, writeSource(parsed))).toEqual(parsed)
    }),
    { numRuns: 20_000 },
  )
  expect(accepted).toBeGreaterThan(1_000)
})

test('the hosts of a source are those that its helper would ask', () => {
  let compared = 0
  fc.assert(
    fc.property(fc.constantFrom('nfs', 'sshfs', 'glusterfs', 'unc'), text, (form, source) => {
      const parsed = parseSource(form, source)
      const hosts = parsed._tag === 'Export' ? parsed.hosts : parsed._tag === 'Share' ? [parsed.host] : undefined
      if (hosts === undefined) return
      compared += 1
      expect(hosts, source).toEqual(hostsRead[form]?.(source))
    }),
    { numRuns: 40_000 },
  )
  expect(compared).toBeGreaterThan(150)
})

test('a star in a host lets no host in that does not end like the pattern', () => {
  fc.assert(
    fc.property(fc.constantFrom('nfs', 'sshfs', 'glusterfs'), text, (form, source) => {
      const parsed = parseSource(form, `${source}.corp.example:/x`)
      if (parsed._tag === 'Wrong' || !sourceMatches(form, ['*.corp.example:/x'], parsed)) return
      for (const host of hostsRead[form]?.(`${source}.corp.example:/x`) ?? []) {
        expect(host).toMatch(/^[A-Za-z0-9.-]+\.corp\.example$/)
      }
    }),
    { numRuns: 20_000 },
  )
})
