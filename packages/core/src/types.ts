// The documented table of filesystem types: how each appears in the kernel's mount table, whether its server can hang, and
// which options it takes. Figures for the appearance were read from real mounts; see docs of the linux package.

import type { TypeRule } from './settings.js'

/** What is known about a type before anybody allows a source for it. */
export type KnownType = Omit<TypeRule, 'sources'>

const network = (fstypes: readonly string[], server: TypeRule['server'], options: readonly string[]): KnownType => ({
  options,
  insignificant: [],
  appears: { _tag: 'Source', fstypes },
  mayHang: true,
  server,
  sourceIsPath: false,
  pathOptions: [],
})

const block = (fstype: string, options: readonly string[]): KnownType => ({
  options: ['loop', 'offset', 'sizelimit', ...options],
  insignificant: [],
  appears: { _tag: 'Device', fstypes: [fstype] },
  mayHang: false,
  server: 'none',
  sourceIsPath: true,
  pathOptions: [],
})

const SSHFS_OPTIONS = [
  'port',
  'directport',
  'reconnect',
  'IdentityFile',
  'UserKnownHostsFile',
  'StrictHostKeyChecking',
  'BatchMode',
  'ConnectTimeout',
  'ServerAliveInterval',
  'ServerAliveCountMax',
  'allow_other',
  'default_permissions',
  'dir_cache',
  'attr_timeout',
  'entry_timeout',
  'max_conns',
]

const NFS_OPTIONS = [
  'vers',
  'nfsvers',
  'proto',
  'hard',
  'soft',
  'timeo',
  'retrans',
  'rsize',
  'wsize',
  'sec',
  'nolock',
  'port',
]

export const KNOWN_TYPES: Readonly<Record<string, KnownType>> = {
  tmpfs: {
    options: ['size', 'mode', 'nr_inodes', 'nr_blocks', 'uid', 'gid', 'huge'],
    insignificant: [],
    appears: { _tag: 'Source', fstypes: ['tmpfs'] },
    mayHang: false,
    server: 'none',
    sourceIsPath: false,
    pathOptions: [],
  },
  bind: {
    options: [],
    insignificant: [],
    appears: { _tag: 'RootAndDevice' },
    mayHang: false,
    server: 'none',
    sourceIsPath: true,
    pathOptions: [],
  },
  overlay: {
    options: ['lowerdir', 'upperdir', 'workdir', 'index', 'metacopy', 'redirect_dir', 'userxattr', 'volatile', 'xino'],
    insignificant: [],
    appears: { _tag: 'Source', fstypes: ['overlay'] },
    mayHang: false,
    server: 'none',
    sourceIsPath: false,
    pathOptions: ['lowerdir', 'upperdir', 'workdir'],
  },
  ext4: block('ext4', ['errors', 'data', 'barrier', 'commit', 'discard', 'nodiscard', 'acl', 'noacl', 'user_xattr']),
  xfs: block('xfs', ['inode64', 'logbufs', 'logbsize', 'discard', 'nouuid', 'uquota', 'pquota']),
  btrfs: block('btrfs', ['subvol', 'compress', 'discard', 'ssd', 'space_cache', 'degraded']),
  squashfs: block('squashfs', ['errors']),
  nfs: network(['nfs', 'nfs4'], 'host-colon', NFS_OPTIONS),
  nfs4: network(['nfs4', 'nfs'], 'host-colon', NFS_OPTIONS),
  cifs: network(['cifs', 'smb3'], 'unc', [
    'credentials',
    'vers',
    'uid',
    'gid',
    'file_mode',
    'dir_mode',
    'domain',
    'sec',
    'seal',
  ]),
  ceph: network(['ceph'], 'ceph', ['name', 'secretfile', 'mds_namespace', 'fs', 'conf']),
  glusterfs: network(['fuse.glusterfs'], 'host-colon', [
    'backup-volfile-servers',
    'backupvolfile-server',
    'log-level',
    'log-file',
    'direct-io-mode',
    'attribute-timeout',
    'entry-timeout',
  ]),
  sshfs: network(['fuse.sshfs'], 'host-colon', SSHFS_OPTIONS),
  'fuse.sshfs': network(['fuse.sshfs'], 'host-colon', SSHFS_OPTIONS),
  // Its daemon passes everything through to a directory of this host, and can be stopped like any other.
  'fuse.bindfs': {
    options: [
      'perms',
      'force-user',
      'force-group',
      'create-for-user',
      'create-for-group',
      'allow_other',
      'no-allow-other',
    ],
    insignificant: [],
    appears: { _tag: 'Source', fstypes: ['fuse', 'fuse.bindfs'] },
    mayHang: true,
    server: 'source',
    sourceIsPath: true,
    pathOptions: [],
  },
}

/** A type that is allowed but not in the table: compared by growth, expected to be able to hang, its source its server. */
export const UNKNOWN_TYPE: KnownType = {
  options: [],
  insignificant: [],
  appears: { _tag: 'Growth' },
  mayHang: true,
  server: 'source',
  sourceIsPath: false,
  pathOptions: [],
}

/** The rule of a type that is allowed from `sources`, with what the table knows about it. */
export const typeRule = (type: string, sources: readonly string[], options?: readonly string[]): TypeRule => {
  const known = (Object.hasOwn(KNOWN_TYPES, type) ? KNOWN_TYPES[type] : undefined) ?? UNKNOWN_TYPE
  return { ...known, sources, options: options ?? known.options }
}

/** The types that are allowed when nothing is configured: tmpfs from any source (specification, section 10). */
export const DEFAULT_TYPES: Readonly<Record<string, TypeRule>> = { tmpfs: typeRule('tmpfs', ['*']) }

/**
 * Filesystems, as the mount table names them, for which plain umount(8) hands umount2(2) the path that it was given, so that
 * it may name the mountpoint through a descriptor (traced with util-linux 2.38). For any other (overlay) it hands on what the
 * path leads to. A bind is of the filesystem that it shows.
 */
export const UMOUNT_TAKES_PATH: readonly string[] = ['tmpfs', 'ext4', 'xfs', 'btrfs', 'squashfs']
