// Types whose data are on this host.

import type { TypeEntry } from '../entry.js'
import { allowed, byName, each, entry } from '../entry.js'
import type { Grammar } from '../grammar.js'
import { FLAG, LARGEST, number, size, words, wordsOrFlag } from '../grammar.js'

const MIB = 1_048_576

/** The most that one tmpfs may take where nothing else is configured: 1 GiB. */
export const TMPFS_BYTES_MAX: number = 1_024 * MIB

/** The most inodes that one tmpfs may have; each takes about 1 KiB of the kernel's memory beside the size. */
export const TMPFS_INODES_MAX = 1_048_576

/** A user or group by number; the last number of all means none. */
const ID: Grammar = number(0, 4_294_967_294, 'prefixed-number')

export const TMPFS: TypeEntry = entry({
  form: 'label',
  appears: { _tag: 'Source', fstypes: ['tmpfs'] },
  options: {
    size: allowed(
      size('kernel-size', 1, TMPFS_BYTES_MAX),
      'memory of this host; 0 is no limit and % depends on the host, so both are refused',
    ),
    nr_inodes: allowed(
      size('kernel-size', 1, TMPFS_INODES_MAX),
      'memory of the kernel beside the size; 0 is no limit and is refused',
    ),
    nr_blocks: byName(
      size('kernel-size', 1, TMPFS_BYTES_MAX / 65_536),
      'a size in pages, which are of 4 KiB to 64 KiB by machine: give `size`',
    ),
    mode: allowed(number(0, 0o7777, 'octal'), 'of the directory; `nosuid` holds for what is in it'),
    uid: allowed(ID, 'a number, never a name'),
    gid: allowed(ID, 'a number, never a name'),
    huge: allowed(words('never', 'within_size', 'advise'), '`always` takes 2 MiB for each byte'),
  },
  never: { mpol: 'binds memory to nodes of this host' },
  exclusive: [['size', 'nr_blocks']],
  memory: { bytes: 16 * MIB, bytesPerInode: 4_096 },
})

export const BIND: TypeEntry = entry({ form: 'path', appears: { _tag: 'RootAndDevice' } })

const LAYERS: Grammar = { _tag: 'Path', below: 'sources', list: true }
const LAYER: Grammar = { _tag: 'Path', below: 'sources', list: false }
const FOLLOWS = 'with a layer that others wrote the kernel would follow names that they chose'

export const OVERLAY: TypeEntry = entry({
  form: 'label',
  appears: { _tag: 'Source', fstypes: ['overlay'] },
  options: {
    lowerdir: allowed(LAYERS, 'directories that are sources; no backslash, comma, quote or $ in a name'),
    upperdir: allowed(LAYER, 'a directory that is a source; the same'),
    workdir: allowed(LAYER, 'a directory that is a source; the same'),
    index: allowed(words('on', 'off'), 'concerns this mount alone'),
    xino: allowed(words('on', 'off', 'auto'), 'concerns this mount alone'),
    userxattr: allowed(FLAG, 'keeps what marks whiteouts in attributes that give no rights'),
    metacopy: allowed(words('off'), FOLLOWS),
    redirect_dir: allowed(words('off', 'nofollow'), FOLLOWS),
    volatile: byName(FLAG, 'after a crash of the host the upper directory is lost'),
  },
})

const OFFSET = 'a number within the image'

const LOOP = {
  loop: allowed(FLAG, 'mount(8) takes a free loop device; one of the caller’s choice (`loop=/dev/…`) is refused'),
  offset: allowed(size('mount-size', 0, LARGEST), OFFSET),
  sizelimit: allowed(size('mount-size', 0, LARGEST), OFFSET),
}

const OWN = 'concerns this filesystem alone'
const DEVICE = 'names a device'

const block = (fstype: string, given: Partial<TypeEntry>): TypeEntry =>
  entry({
    form: 'path',
    appears: { _tag: 'Device', fstypes: [fstype] },
    ...given,
    options: { ...LOOP, ...given.options },
  })

export const EXT4: TypeEntry = block('ext4', {
  options: {
    errors: allowed(words('remount-ro', 'continue'), '`panic` stops the host, and an image can be made to have errors'),
    data: allowed(words('ordered', 'journal', 'writeback'), OWN),
    barrier: allowed(wordsOrFlag('0', '1'), OWN),
    commit: allowed(number(0, 900, 'prefixed-number'), OWN),
    ...each(['discard', 'nodiscard', 'acl', 'noacl', 'user_xattr'], allowed(FLAG, OWN)),
  },
  never: { journal_path: DEVICE, journal_dev: DEVICE, usrjquota: 'names a file', grpjquota: 'names a file' },
})

export const XFS: TypeEntry = block('xfs', {
  options: {
    inode64: allowed(FLAG, 'is so anyway'),
    logbufs: allowed(number(2, 8, 'prefixed-number'), OWN),
    logbsize: allowed(size('decimal-size', 16_384, 262_144), OWN),
    ...each(['discard', 'nouuid', 'uquota', 'pquota', 'gquota'], allowed(FLAG, OWN)),
  },
  never: { logdev: DEVICE, rtdev: DEVICE },
  aliases: { usrquota: 'uquota', quota: 'uquota', prjquota: 'pquota', grpquota: 'gquota' },
  exclusive: [['inode64', 'inode32']],
  defaults: ['inode64'],
})

const COMPRESSION = ['no', 'none', 'zlib', 'lzo', 'zstd'] as const
const LEVELS = Array.from({ length: 15 }, (_, index) => `zstd:${index + 1}`)

export const BTRFS: TypeEntry = block('btrfs', {
  options: {
    subvol: allowed({ _tag: 'InnerPath' }, 'a directory inside the source'),
    subvolid: byName(number(0, LARGEST), 'a directory inside the source, by number'),
    compress: allowed(
      wordsOrFlag(...COMPRESSION, ...LEVELS, ...LEVELS.slice(0, 9).map((level) => level.replace('zstd', 'zlib'))),
      OWN,
    ),
    discard: allowed(wordsOrFlag('sync', 'async'), OWN),
    space_cache: allowed(wordsOrFlag('v1', 'v2'), OWN),
    ...each(['ssd', 'degraded'], allowed(FLAG, OWN)),
  },
  never: { device: DEVICE, fatal_errors: '`panic` stops the host' },
  exclusive: [['subvol', 'subvolid']],
})

export const SQUASHFS: TypeEntry = block('squashfs', {
  options: { errors: allowed(words('continue'), '`panic` stops the host, and an image can be made to have errors') },
})

const USERS = 'names a user: who writes as another makes files that the host believes'
const CREATES = 'a file can be made with the setuid bit of another user'

// Its daemon passes everything through to a directory of this host, and can be stopped like any other.
export const BINDFS: TypeEntry = entry({
  form: 'fuse-path',
  appears: { _tag: 'Source', fstypes: ['fuse', 'fuse.bindfs'] },
  mayHang: true,
  server: 'source',
  options: {
    allow_other: allowed(FLAG, 'concerns who may use this mount'),
    'no-allow-other': allowed(FLAG, 'gives less'),
    ...each(['force-user', 'force-group'], byName(number(1, 4_294_967_294), `${USERS}; by number, never root`)),
  },
  never: {
    ...Object.fromEntries(
      [
        'create-for-user',
        'create-for-group',
        'create-with-perms',
        'create-as-user',
        'create-as-mounter',
        'chown-normal',
        'chgrp-normal',
        'chmod-normal',
      ].map((name) => [name, CREATES]),
    ),
    ...Object.fromEntries(['perms', 'map', 'map-passwd', 'mirror', 'mirror-only'].map((name) => [name, USERS])),
    ...Object.fromEntries(['map-group', 'map-passwd-rev', 'map-group-rev'].map((name) => [name, 'names a file'])),
  },
  aliases: { user: 'force-user', owner: 'force-user', group: 'force-group' },
  exclusive: [['allow_other', 'no-allow-other']],
})
