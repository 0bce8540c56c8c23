// Known holes of the programs that mounts are made with, as far as they concern a manager: which version of a program fixes each,
// and which package of Debian. An entry is here only if its facts were confirmed at the place that it names.

/** A program with a version, and the package that it is of. */
export type HoleProgram = 'util-linux' | 'sudo' | 'fuse' | 'sshfs' | 'cifs-utils' | 'nfs-utils' | 'glusterfs'

/** What a hole has to do with this host. */
export type Concerns =
  /** Local users who call mount(8) or umount(8) themselves: only where these are setuid. */
  | 'setuid-mount'
  /** Who may send requests for images, or give their content. */
  | 'images'
  /** The prefix is sudo. */
  | 'sudo'
  /** The program is one that a configured type runs. */
  | 'type'

/** One hole. */
export interface Hole {
  readonly program: HoleProgram
  readonly cve: string
  /** The first version with the hole, where not all older ones have it. */
  readonly since?: string
  /** From this version on no source confirms that the fix is there. */
  readonly unconfirmed?: string
  /** The versions that fix it, one for each branch that got the fix. */
  readonly fixed: readonly string[]
  /** Package versions of Debian that fix it, one for each release. */
  readonly debian?: readonly string[]
  readonly concerns: Concerns
  readonly text: string
  /** Where the facts are from. */
  readonly source: string
}

const FLATCAR = 'https://github.com/flatcar/Flatcar/issues'
const DEBIAN = 'changelog.Debian of the package'

const hole = (program: HoleProgram, concerns: Concerns, given: Omit<Hole, 'program' | 'concerns'>): Hole => ({
  ...{ program, concerns },
  ...given,
})

/** The table. */
export const KNOWN_HOLES: readonly Hole[] = [
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2021-3995',
    fixed: ['2.37.3'],
    debian: ['2.36.1-8+deb11u1', '2.37.3-1'],
    text: 'a local user unmounts FUSE filesystems of users with similar numbers',
    source: `https://github.com/gentoo/gentoo/pull/23940, ${DEBIAN}`,
  }),
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2021-3996',
    fixed: ['2.37.3'],
    debian: ['2.36.1-8+deb11u1', '2.37.3-1'],
    text: 'a local user unmounts filesystems of others',
    source: `https://github.com/gentoo/gentoo/pull/23940, ${DEBIAN}`,
  }),
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2026-27456',
    fixed: ['2.41.4'],
    text: 'a local user replaces the image of a loop mount that fstab allows to users, and reads files of root',
    source: `${FLATCAR}/2073`,
  }),
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2026-53612',
    fixed: ['2.41.5', '2.42.2'],
    text: 'a local user replaces the target before X-mount.owner and X-mount.mode are applied (mountkeeper passes neither)',
    source: `${FLATCAR}/2179`,
  }),
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2026-53613',
    fixed: ['2.41.5', '2.42.2'],
    text: 'a local user leads a mount that fstab allows to users to another target',
    source: `${FLATCAR}/2179`,
  }),
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2026-53614',
    fixed: ['2.41.5', '2.42.2'],
    text: 'a local user mounts without nosuid by LIBMOUNT_FORCE_MOUNT2',
    source: `${FLATCAR}/2179`,
  }),
  hole('util-linux', 'setuid-mount', {
    cve: 'CVE-2026-76642',
    fixed: ['2.42.3'],
    text: 'a local user gets X-mount.owner applied after a helper failed (mountkeeper never passes it)',
    source: `${FLATCAR}/2403`,
  }),
  hole('util-linux', 'images', {
    cve: 'CVE-2026-13595',
    fixed: ['2.41.5', '2.42.2'],
    text: 'a crafted image makes libblkid read freed memory',
    source: `${FLATCAR}/2179`,
  }),
  hole('sudo', 'sudo', {
    cve: 'CVE-2021-3156',
    fixed: ['1.9.5p2'],
    debian: ['1.9.5p1-1.1'],
    text: 'a local user becomes root by a heap overflow',
    source: `https://github.com/AOSC-Dev/aosc-os-abbs/issues/3239, ${DEBIAN}`,
  }),
  hole('sudo', 'sudo', {
    cve: 'CVE-2023-22809',
    fixed: ['1.9.12p2'],
    debian: ['1.9.12p2-1'],
    text: 'who may use sudoedit edits any file',
    source: `https://github.com/AOSC-Dev/aosc-os-abbs/issues/4496, ${DEBIAN}`,
  }),
  hole('sudo', 'sudo', {
    cve: 'CVE-2025-32462',
    since: '1.8.8',
    fixed: ['1.9.17p1'],
    debian: ['1.9.13p3-1+deb12u2'],
    text: 'a rule for another host holds for this one (--host)',
    source: `https://github.com/openwrt/packages/pull/26950, ${DEBIAN}`,
  }),
  hole('sudo', 'sudo', {
    cve: 'CVE-2025-32463',
    since: '1.9.14',
    fixed: ['1.9.17p1'],
    text: 'any local user becomes root (--chroot)',
    source: 'https://github.com/openwrt/packages/pull/26950',
  }),
  hole('fuse', 'type', {
    cve: 'CVE-2018-10906',
    fixed: ['2.9.8', '3.2.5'],
    text: 'with SELinux a local user mounts with allow_other although fuse.conf forbids it',
    source: 'https://github.com/libfuse/libfuse/blob/master/ChangeLog.rst',
  }),
  hole('fuse', 'type', {
    cve: 'CVE-2026-33150',
    since: '3.18.0',
    fixed: ['3.18.2'],
    text: 'a daemon with io_uring whose threads cannot be started uses freed memory at its end',
    source: 'https://github.com/libfuse/libfuse/security/advisories/GHSA-qxv7-xrc2-qmfx',
  }),
  hole('fuse', 'type', {
    cve: 'CVE-2026-33179',
    since: '3.18.0',
    fixed: ['3.18.2'],
    text: 'a daemon with io_uring ends, or answers no request, where memory is short',
    source: 'https://github.com/gominimal/pkgs/pull/90',
  }),
  hole('nfs-utils', 'type', {
    cve: 'CVE-2019-3689',
    fixed: ['2.4.2'],
    debian: ['1:1.3.4-3'],
    text: 'the user statd owns /var/lib/nfs, and makes root overwrite any file',
    source: `https://ubuntu.com/security/notices/USN-4400-1, ${DEBIAN}`,
  }),
  hole('glusterfs', 'type', {
    cve: 'CVE-2022-48340',
    fixed: ['10.5', '11.1'],
    text: 'the client reads freed memory when an attribute is set (dht)',
    source: 'https://github.com/gluster/glusterfs/issues/3732',
  }),
  hole('glusterfs', 'type', {
    cve: 'CVE-2023-26253',
    fixed: ['10.4'],
    unconfirmed: '11.0',
    debian: ['10.3-5'],
    text: 'the client reads beyond a buffer on its stack when a server reports an event',
    source: `https://github.com/gluster/glusterfs/issues/3954, ${DEBIAN}`,
  }),
  hole('sshfs', 'type', {
    cve: 'CVE-2026-48711',
    fixed: ['3.7.6'],
    debian: ['3.7.3-1.2~deb12u1'],
    text: 'a source with brackets gives ssh an option, and so a program to run',
    source: `https://github.com/getsolus/packages/pull/9089, ${DEBIAN}`,
  }),
  hole('sshfs', 'type', {
    cve: 'CVE-2026-47187',
    fixed: ['3.7.6'],
    debian: ['3.7.3-1.2~deb12u1'],
    text: 'links of a server lead out of the mount; the fix is an option (contain_symlinks)',
    source: `https://github.com/getsolus/packages/pull/9089, ${DEBIAN}`,
  }),
  hole('cifs-utils', 'type', {
    cve: 'CVE-2020-14342',
    fixed: ['6.11'],
    debian: ['2:6.11-1'],
    text: 'a user name runs a command by the shell',
    source: `https://github.com/openwrt/packages/pull/13394, ${DEBIAN}`,
  }),
  hole('cifs-utils', 'type', {
    cve: 'CVE-2022-27239',
    fixed: ['6.15'],
    debian: ['2:6.14-1.1'],
    text: 'ip= overflows a buffer of root',
    source: `https://github.com/NixOS/nixpkgs/issues/172480, ${DEBIAN}`,
  }),
  hole('cifs-utils', 'type', {
    cve: 'CVE-2022-29869',
    fixed: ['6.15'],
    debian: ['2:6.14-1.1'],
    text: 'verbose logging shows lines of a file that is no credentials file',
    source: `https://github.com/NixOS/nixpkgs/issues/172480, ${DEBIAN}`,
  }),
  hole('cifs-utils', 'type', {
    cve: 'CVE-2025-2312',
    fixed: ['7.2'],
    text: 'cifs.upcall shows Kerberos credentials of the host to a container',
    source: `${FLATCAR}/1704`,
  }),
  hole('cifs-utils', 'type', {
    cve: 'CVE-2026-12505',
    fixed: ['7.6'],
    text: 'a local user makes cifs.upcall load a library as root',
    source: `${FLATCAR}/2194`,
  }),
]

/** The numbers of a version; `p2` of sudo is one more. */
const partsOf = (version: string): readonly number[] => version.split(/[.p-]/).map(Number)

/** Negative, 0 or positive, as with any comparison. What is left out counts as 0. */
export const compareVersions = (one: string, other: string): number => {
  const [left, right] = [partsOf(one), partsOf(other)]
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Whether a version is of the branch that ends with this fix: 2.41.x of 2.41.5, 10.x of 10.4. */
const isOfBranch = (version: string, fix: string): boolean => {
  const branch = partsOf(fix).slice(0, -1)
  const parts = partsOf(version)
  return branch.every((part, index) => part === (parts[index] ?? 0))
}

/** Whether the program's own version has the fix: it is of a branch that got it, or newer than all of them. */
export const hasFix = ({ since, fixed }: Hole, version: string): boolean => {
  if (since !== undefined && compareVersions(version, since) < 0) return true
  const ofBranch = fixed.find((one) => isOfBranch(version, one))
  if (ofBranch !== undefined) return compareVersions(version, ofBranch) >= 0
  return fixed.every((one) => compareVersions(version, one) >= 0)
}

/** The first version number in what a program says of itself. */
export const versionIn = (text: string): string | undefined => /\b\d+\.\d+(?:\.\d+)*(?:p\d+)?\b/.exec(text)?.[0]

/** What is known of one hole in one installed version. */
export type Verdict =
  | 'fixed'
  | 'open'
  /** The distribution may have put the fix into its own package; its version does not say. */
  | 'unknown'

/** What is installed. */
export interface Installed {
  readonly version: string
  /** As the package manager names it; absent where none knows the program. */
  readonly package?: string
}

/** `isAtLeast` compares versions of packages as the package manager does. */
export const verdictOf = (
  one: Hole,
  installed: Installed,
  isAtLeast: (version: string, other: string) => boolean,
): Verdict => {
  const { unconfirmed } = one
  if (unconfirmed !== undefined && compareVersions(installed.version, unconfirmed) >= 0) return 'unknown'
  if (hasFix(one, installed.version)) return 'fixed'
  const { package: version } = installed
  if (version === undefined) return 'open'
  return one.debian?.some((fixed) => isAtLeast(version, fixed)) === true ? 'fixed' : 'unknown'
}
