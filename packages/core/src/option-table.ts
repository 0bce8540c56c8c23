// What mount options mean, type by type, as data: names of the same option, who reads its value, what excludes what, and what
// is so anyway. It is used to compare two requests (L5) and to refuse a list of options that contradicts itself.

import type { ValueReader } from './size.js'

/** What is known of the options of a type. */
export interface OptionMeanings {
  /** Another name of an option, and the name it stands for. */
  readonly aliases: Readonly<Record<string, string>>
  /** Who reads the value of an option, by the name it stands for. */
  readonly values: Readonly<Record<string, ValueReader>>
  /** Options of which only one may be given; `x` and `nox` exclude each other for every `x` and need no entry. */
  readonly exclusive: readonly (readonly string[])[]
  /** Options that say what is so without them, as their canonical text. */
  readonly defaults: readonly string[]
}

const meanings = (given: Partial<OptionMeanings>): OptionMeanings => ({
  aliases: {},
  values: {},
  exclusive: [],
  defaults: [],
  ...given,
})

/** Options of every type. `suid` and `dev` are no defaults: `nosuid` and `nodev` are added. */
export const GENERAL_MEANINGS: OptionMeanings = meanings({
  exclusive: [
    ['ro', 'rw'],
    ['sync', 'async'],
    ['noatime', 'relatime', 'strictatime'],
  ],
  defaults: ['rw', 'nosuid', 'nodev', 'exec', 'async'],
})

const BLOCK = { offset: 'mount-size', sizelimit: 'mount-size' } as const

const NFS = meanings({
  aliases: { nfsvers: 'vers' },
  values: { timeo: 'number', retrans: 'number', rsize: 'number', wsize: 'number', port: 'number' },
  exclusive: [
    ['hard', 'soft', 'softerr'],
    ['fg', 'bg'],
    ['proto', 'tcp', 'udp', 'rdma'],
    ['vers', 'v2', 'v3', 'v4', 'v4.0', 'v4.1', 'v4.2'],
  ],
  defaults: ['hard'],
})

const SSHFS = meanings({
  values: {
    port: 'number',
    directport: 'number',
    ConnectTimeout: 'number',
    ServerAliveInterval: 'number',
    ServerAliveCountMax: 'number',
    max_conns: 'number',
  },
})

const GLUSTERFS = meanings({ aliases: { 'backupvolfile-server': 'backup-volfile-servers' } })

const CIFS = meanings({
  aliases: { cred: 'credentials', dom: 'domain', workgroup: 'domain', username: 'user', password: 'pass' },
  values: { uid: 'number', gid: 'number', port: 'number' },
})

/** The meanings of each known type. */
export const TYPE_MEANINGS: Readonly<Record<string, OptionMeanings>> = {
  tmpfs: meanings({
    values: {
      size: 'kernel-size',
      nr_blocks: 'kernel-size',
      nr_inodes: 'kernel-size',
      mode: 'octal',
      uid: 'prefixed-number',
      gid: 'prefixed-number',
    },
    exclusive: [['size', 'nr_blocks']],
  }),
  ext4: meanings({ values: { ...BLOCK, commit: 'prefixed-number' } }),
  xfs: meanings({
    aliases: { usrquota: 'uquota', quota: 'uquota', prjquota: 'pquota', grpquota: 'gquota' },
    values: { ...BLOCK, logbsize: 'decimal-size', logbufs: 'prefixed-number' },
    exclusive: [['inode64', 'inode32']],
    defaults: ['inode64'],
  }),
  btrfs: meanings({ values: { ...BLOCK, subvol: 'inner-path' }, exclusive: [['subvol', 'subvolid']] }),
  squashfs: meanings({ values: BLOCK }),
  nfs: NFS,
  nfs4: NFS,
  cifs: CIFS,
  smb3: CIFS,
  ceph: meanings({ aliases: { fs: 'mds_namespace' } }),
  glusterfs: GLUSTERFS,
  sshfs: SSHFS,
  'fuse.sshfs': SSHFS,
  'fuse.bindfs': meanings({
    aliases: { user: 'force-user', owner: 'force-user', group: 'force-group' },
    exclusive: [['allow_other', 'no-allow-other']],
  }),
}

const UNKNOWN = meanings({})

/** What is known of the options of a type. */
export const meaningsOf = (type: string): OptionMeanings =>
  (Object.hasOwn(TYPE_MEANINGS, type) ? TYPE_MEANINGS[type] : undefined) ?? UNKNOWN
