// Sources that a helper would take apart otherwise than the list of allowed sources does are refused (security: A7, A2; case 16).

import { defaultSettings } from '@mountkeeper/border'
import { sourceAllowed, typeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkFilesystem } from '../src/index.js'

const TYPES = ['tmpfs', 'nfs', 'nfs4', 'cifs', 'fuse.sshfs', 'sshfs', 'glusterfs', 'ceph', 'bind', 'xfs-in-a-dream']

const settings = {
  ...defaultSettings('/srv/mounts'),
  types: Object.fromEntries(TYPES.map((type) => [type, typeRule(type, ['*'])])),
}

const whyOf = (type: string, source: string): string | undefined => {
  const bad = checkFilesystem(settings, { type, source, options: [] })
  if (bad !== undefined) expect(bad.field).toBe('filesystem.source')
  return bad?.why
}

const DASH = 'must not have - after @ or [ (a helper could read it as an option)'
const COLON = 'has a second colon before its path; write an IPv6 address in brackets'

test.each([
  ['fuse.sshfs', '[-oProxyCommand=touch x]:/export', DASH],
  ['fuse.sshfs', 'me@-oProxyCommand=x:/export', DASH],
  ['sshfs', 'me@[-F x]:/export', DASH],
  ['fuse.sshfs', '[evil]:/export', 'has brackets around evil, which is not an IPv6 address'],
  ['fuse.sshfs', 'a[b]:/export', 'has a[b] for a host, which is neither a host name nor an address'],
  ['fuse.sshfs', 'evil:x.corp.example:/export', COLON],
  [
    'fuse.sshfs',
    'evil.example x:/export',
    'has evil.example x for a host, which is neither a host name nor an address',
  ],
  ['fuse.sshfs', '@host:/export', 'has  for a user, which is not a user name'],
  ['fuse.sshfs', 'fd00::1:/export', COLON],
  ['fuse.sshfs', ':/export', 'has an empty host'],
  ['nfs', '127.0.0.1:x.corp.example:/export/a', COLON],
  ['nfs', '[::1]:x.corp.example:/export/a', COLON],
  ['nfs', 'fd00::1:/export', COLON],
  ['nfs', '@x.corp.example:/export', 'has @x.corp.example for a host, which is neither a host name nor an address'],
  [
    'nfs',
    'evil#.corp.example:/export',
    'has evil#.corp.example for a host, which is neither a host name nor an address',
  ],
  ['nfs', '[2024:/export', 'has [2024 for a host, which is neither a host name nor an address'],
  ['nfs', '[::1]x:/export', 'has [::1]x for a host, which is neither a host name nor an address'],
  ['nfs', 'a,,b:/export', 'has an empty host'],
  ['nfs', ':/export', 'has an empty host'],
  ['nfs4', 'NFS://evil/export', 'is a URL; write host:/path'],
  ['cifs', '//localhost\\x.corp.example/share', 'must not contain a backslash; write //host/share'],
  ['cifs', '\\\\host\\share', 'must not contain a backslash; write //host/share'],
  ['cifs', '//localhost/share,ip=10.9.9.9', 'must not contain a comma (it would begin an option)'],
  ['cifs', '///share/x', 'has an empty host'],
  ['cifs', '//host', 'is not //host/share'],
  ['cifs', '//-host/share', 'has -host for a host, which is neither a host name nor an address'],
  ['cifs', '//user@host/share', 'has user@host for a host, which is neither a host name nor an address'],
  [
    'glusterfs',
    'host:/allowed:other',
    'must not have a colon in the volume (mount.glusterfs would begin the volume there)',
  ],
  ['glusterfs', 'host:/vol --x', 'must not contain a space (mount.glusterfs would end the volume there)'],
  ['glusterfs', '[fd00::1]:/vol', 'has brackets, which mount.glusterfs cannot read; write the address without'],
  ['glusterfs', 'a,-b:/vol', 'has -b for a host, which is neither a host name nor an address'],
  [
    'glusterfs',
    'evil:x.corp.example:/vol',
    'has evil:x.corp.example for a host, which is neither a host name nor an address',
  ],
  ['ceph', 'mon1,@evil:6789:/', 'has @evil for a host, which is neither a host name nor an address'],
  ['ceph', 'me@-x.fs=/', DASH],
  ['xfs-in-a-dream', 'me@-oX:/y', DASH],
])('%s %j is refused: %s', (type, source, why) => {
  expect(whyOf(type, source)).toBe(why)
})

test.each([
  ['nfs', 'server:/media/[2024] films, all: of them'],
  ['nfs', 'a_b-c.example.:/export@-x'],
  ['nfs', '[2001:db8::1]:/[x]'],
  ['nfs', '[fe80::1%eth0]:/x'],
  ['nfs', 'a,b:/export'],
  ['nfs', 'bücher.example:/x'],
  ['cifs', '//host.example/share/my photos'],
  ['cifs', '//fd00::1/share'],
  ['fuse.sshfs', "me@host:/a b,#\\'[x]:y"],
  ['fuse.sshfs', 'me@corp.example@host:dir'],
  ['fuse.sshfs', 'me@[::1]:/x'],
  ['fuse.sshfs', 'host:'],
  ['glusterfs', 'h1,h2:/vol/sub/'],
  ['glusterfs', 'fd00::1:/vol'],
  ['glusterfs', 'h:vol'],
  ['ceph', 'mon1:6789,[fd00::1]:6789,192.0.2.1:/path'],
  ['ceph', 'admin@b3acfc0d.cephfs=/path'],
  ['tmpfs', 'a@-b'],
  ['bind', '/srv/[-x]'],
])('%s %j is allowed', (type, source) => {
  expect(whyOf(type, source)).toBeUndefined()
})

/** The host that a helper would talk to: sshfs and mount.nfs end it at the first colon that is in no brackets. */
const hostOfHelper = (source: string): string => {
  const rest = source.startsWith('[') ? source.indexOf(']') : 0
  const colon = source.indexOf(':', Math.max(rest, 0))
  return colon < 0 ? source : source.slice(0, colon)
}

test('a volume file, which says what the daemon of root runs, is allowed by a pattern that is a path alone', () => {
  const source = '/etc/glusterfs/vol.vol'
  const allowedBy = (pattern: string): boolean => sourceAllowed(typeRule('glusterfs', [pattern]), source)
  expect(['*', '*:/*', '/etc/glusterfs/', '/etc/glusterfs/*.vol'].map(allowedBy)).toEqual([false, false, true, true])
})

test('what a pattern with * allows goes to a host of that pattern', () => {
  const types = {
    nfs: typeRule('nfs', ['*.corp.example:/export/*']),
    sshfs: typeRule('sshfs', ['*.corp.example:/export/*']),
  }
  const bit = fc.constantFrom(
    'a',
    '.corp.example',
    ':/export/x',
    ':',
    '/',
    '[',
    ']',
    '@',
    '::1',
    '-',
    '#',
    ' ',
    ',',
    '.',
  )
  const source = fc.array(bit, { minLength: 1, maxLength: 8 }).map((bits) => `${bits.join('')}.corp.example:/export/x`)
  fc.assert(
    fc.property(fc.constantFrom('nfs', 'sshfs'), source, (type, text) => {
      if (checkFilesystem({ ...settings, types }, { type, source: text, options: [] }) !== undefined) return
      for (const host of hostOfHelper(text).split(',').slice(0, 1)) expect(host).toMatch(/\.corp\.example$/)
    }),
    { numRuns: 5_000 },
  )
})
