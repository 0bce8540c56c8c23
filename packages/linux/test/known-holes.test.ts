// The table of known holes, and how installed versions are judged by it.

import { expect, test } from 'vitest'
import { holeCheck, holeChecks } from '../src/hole-checks.js'
import type { Hole } from '../src/known-holes.js'
import { KNOWN_HOLES, compareVersions, hasFix, verdictOf, versionIn } from '../src/known-holes.js'

const known = (cve: string): Hole => KNOWN_HOLES.find((one) => one.cve === cve)!
const never = (): boolean => false
const always = (): boolean => true

test('every entry has a number, a version that fixes it, and where its facts are from', () => {
  for (const one of KNOWN_HOLES) {
    expect(one.cve).toMatch(/^CVE-20\d\d-\d{4,}$/)
    expect(one.fixed.length).toBeGreaterThan(0)
    for (const version of [...one.fixed, ...(one.since === undefined ? [] : [one.since])]) {
      expect(versionIn(version)).toBe(version)
    }
    expect(one.source).toMatch(/^https:\/\/(?:github\.com|ubuntu\.com\/security)\//)
  }
  const cves = KNOWN_HOLES.map(({ cve }) => cve)
  expect(new Set(cves).size).toBe(cves.length)
})

test.each([
  ['mount from util-linux 2.38.1 (libmount 2.38.1: selinux, smack, btrfs)', '2.38.1'],
  ['Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3', '1.9.13p3'],
  ['mount.cifs version: 7.0', '7.0'],
  ['SSHFS version 3.7.3\nFUSE library version 3.14.0', '3.7.3'],
  ['fusermount3 version: 3.14.0', '3.14.0'],
  ['mount.nfs: (linux nfs-utils 2.6.2)', '2.6.2'],
  ['glusterfs 10.3\nRepository revision: git://git.gluster.org/glusterfs.git', '10.3'],
  ['no number here', undefined],
])('the version in %j', (text, version) => {
  expect(versionIn(text)).toBe(version)
})

test.each([
  ['1.9.17', '1.9.17p1', -1],
  ['1.9.17p1', '1.9.17p1', 0],
  ['1.9.5p2', '1.9.13', -1],
  ['2.42', '2.42.0', 0],
  ['3.10.0', '3.9.9', 1],
])('%s against %s', (one, other, sign) => {
  expect(Math.sign(compareVersions(one, other))).toBe(sign)
})

test.each([
  ['CVE-2026-53612', '2.41.4', false],
  ['CVE-2026-53612', '2.41.5', true],
  ['CVE-2026-53612', '2.42.1', false],
  ['CVE-2026-53612', '2.42.2', true],
  ['CVE-2026-53612', '2.43', true],
  ['CVE-2026-53612', '2.40.9', false],
  ['CVE-2026-76642', '2.41.5', false],
  ['CVE-2025-32463', '1.9.13p3', true],
  ['CVE-2025-32463', '1.9.14', false],
  ['CVE-2025-32463', '1.9.17', false],
  ['CVE-2025-32463', '1.9.17p1', true],
  ['CVE-2018-10906', '2.9.9', true],
  ['CVE-2018-10906', '3.1.0', false],
  ['CVE-2026-33150', '3.14.0', true],
  ['CVE-2026-33150', '3.18.1', false],
  ['CVE-2026-33150', '3.18.2', true],
  ['CVE-2019-3689', '2.4.1', false],
  ['CVE-2019-3689', '2.6.2', true],
  ['CVE-2022-48340', '9.6', false],
  ['CVE-2022-48340', '10.4', false],
  ['CVE-2022-48340', '10.5', true],
  ['CVE-2022-48340', '11.0', false],
  ['CVE-2022-48340', '11.2', true],
])('%s: version %s has the fix: %s', (cve, version, fixed) => {
  expect(hasFix(known(cve), version)).toBe(fixed)
})

test('a package of a distribution is fixed by its own version, else it is unknown, and without one the hole is open', () => {
  const host = known('CVE-2025-32462')
  expect(verdictOf(host, { version: '1.9.13p3', package: '1.9.13p3-1+deb12u2' }, always)).toBe('fixed')
  expect(verdictOf(host, { version: '1.9.13p3', package: '1.9.13p3-1' }, never)).toBe('unknown')
  expect(verdictOf(host, { version: '1.9.13p3' }, always)).toBe('open')
  const chroot = known('CVE-2025-32463')
  expect(verdictOf(chroot, { version: '1.9.15', package: '1.9.15-1' }, always)).toBe('unknown')
})

test('a branch for which no source confirms the fix is unknown, also without a package', () => {
  const notify = known('CVE-2023-26253')
  expect(verdictOf(notify, { version: '10.3', package: '10.3-5' }, always)).toBe('fixed')
  expect(verdictOf(notify, { version: '10.3' }, never)).toBe('open')
  expect(verdictOf(notify, { version: '10.5' }, never)).toBe('fixed')
  expect(verdictOf(notify, { version: '11.1' }, never)).toBe('unknown')
})

test('the line names version, package, hole, the version that fixes it, and what to do', () => {
  const holes = [known('CVE-2022-27239'), known('CVE-2026-12505')]
  const unknown = holeCheck('cifs-utils', { version: '7.0', package: '2:7.0-2' }, holes, always)
  expect(unknown).toMatchObject({ ok: 'warn', name: 'known holes of cifs-utils' })
  expect(unknown.text).toBe(
    '7.0, package 2:7.0-2: unknown: CVE-2026-12505 (a local user makes cifs.upcall load a library as root; fixed in 7.6)',
  )
  expect(unknown.mend).toContain('https://security-tracker.debian.org/tracker/source-package/cifs-utils')
  expect(holeCheck('cifs-utils', { version: '7.0' }, holes, never)).toMatchObject({ mend: 'update cifs-utils' })
  expect(holeCheck('cifs-utils', { version: '7.6' }, holes, never)).toMatchObject({ ok: 'ok' })
})

test('only programs that the configuration runs are named', () => {
  const named = (types: readonly string[], prefix: readonly string[] = []): readonly string[] =>
    holeChecks({ types, prefix }).map(({ name }) => name)
  expect(named(['tmpfs']).filter((name) => !name.endsWith('util-linux'))).toEqual([])
  expect(named(['tmpfs'], ['doas']).some((name) => name.endsWith('sudo'))).toBe(false)
})
