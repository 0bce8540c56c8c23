// The model of a host: everything the kernel and its surroundings know, as one immutable value. Every act is a function from
// one value to the next, so that a run can be copied, compared, hashed and shrunk. Nothing here knows of holders or requests.

import type { MountpointEffect, ObstacleKind } from '@mountkeeper/core'

/** Who made something: this manager, or a third party. */
export type Owner = 'us' | 'others'

/** Who mounted: a `stray` is what a command of ours mounted although it is not what was asked for. */
export type By = Owner | 'stray'

/** One file or directory of a filesystem. */
export interface Inode {
  readonly superblock: number
  readonly kind: 'directory' | ObstacleKind
  readonly owner: Owner
  /** The directory it is in; absent for the root of a filesystem. Stays when it is removed, as the kernel's does. */
  readonly parent: number | undefined
  readonly name: string
  /** It was removed while something still uses it: the table shows `//deleted`. */
  readonly removed: boolean
  readonly entries: ReadonlyMap<string, number>
  /** What a symlink points to. */
  readonly target: string | undefined
}

/** One mounted filesystem, however many mounts show it. */
export interface Superblock {
  readonly device: string
  readonly fstype: string
  /** As the table spells it. */
  readonly source: string
  readonly root: number
  /** What it was made from, however the table spells it; only an oracle sees it. */
  readonly madeFrom: string
  /** Of bindfs: the directory that it passes everything through to. */
  readonly through: number | undefined
  /** Nothing can be written, through whichever mount. */
  readonly readOnly: boolean
}

/** Whether a mount passes on what happens on it. */
export type Propagation = 'private' | 'shared' | 'slave'

/** One line of the mount table. */
export interface MountEntry {
  readonly namespace: string
  /** The mount it is on; absent for the root of a namespace. */
  readonly parent: number | undefined
  /** The directory of the parent's filesystem that it covers; of no meaning for the root of a namespace. */
  readonly at: number
  /** The directory of its own filesystem that it shows. */
  readonly root: number
  readonly superblock: number
  readonly flags: readonly string[]
  /** Its peer group: mounts among which mounting and unmounting is passed on both ways. */
  readonly peers: number | undefined
  /** The peer group it receives from without giving back. */
  readonly master: number | undefined
  readonly by: By
  /** The path it was mounted on; it may have moved since. Only an oracle sees it. */
  readonly mountedOn: string
  /** Never used again, unlike the mount id; only an oracle sees it. */
  readonly serial: number
}

/** What keeps a mount busy. */
export interface Process {
  /** Absent once the mount was detached under it. */
  readonly mount: number | undefined
  readonly uses: 'working directory' | 'open file'
}

/** How the far end of a network filesystem behaves. */
export type Server = 'answers' | 'refuses' | 'hangs'

/** A command of an earlier life of the manager that still lives: until it ends, it is unknown what it will do. */
export interface Orphan {
  readonly mountpoint: string
  /** What it does at its end; absent when it does nothing. */
  readonly does: MountpointEffect | undefined
}

/**
 * What only a person can change about a directory for what is below it: it may not be entered, another user may change it, the
 * filesystem takes no names as long as those that are asked for.
 */
export type Obstruction = 'PermissionDenied' | 'UnsafeParent' | 'NameTooLong'

/** All there is. Maps are never changed in place. */
export interface ModelHost {
  readonly boot: number
  /** The mount namespace the manager lives in. */
  readonly own: string
  readonly namespaces: readonly string[]
  readonly inodes: ReadonlyMap<number, Inode>
  readonly superblocks: ReadonlyMap<number, Superblock>
  /** By mount id, in order of mounting. */
  readonly mounts: ReadonlyMap<number, MountEntry>
  readonly processes: ReadonlyMap<number, Process>
  readonly servers: ReadonlyMap<string, Server>
  readonly orphans: readonly Orphan[]
  /** By directory. */
  readonly obstructions: ReadonlyMap<number, Obstruction>
  /** Types whose helper is not installed. */
  readonly uninstalled: ReadonlySet<string>
  readonly nextInode: number
  readonly nextSuperblock: number
  readonly nextGroup: number
  readonly nextPid: number
  readonly nextSerial: number
}

/** Why the kernel refused. */
export type Errno =
  | 'EBUSY'
  | 'EEXIST'
  | 'EINVAL'
  | 'EISDIR'
  | 'ELOOP'
  | 'ENODEV'
  | 'ENOENT'
  | 'ENOTDIR'
  | 'ENOTEMPTY'
  | 'EROFS'
  | 'EXDEV'
  | 'ECONNREFUSED'
  /** Not an error but its absence: the call does not come back. */
  | 'HANGS'

/** What an act came to: the host after it, unchanged where it was refused. */
export interface Done {
  readonly host: ModelHost
  readonly errno: Errno | undefined
}

/** The act has happened. */
export const done = (host: ModelHost): Done => ({ host, errno: undefined })

/** The act was refused, and nothing has changed. */
export const refused = (host: ModelHost, errno: Errno): Done => ({ host, errno })

/** A copy of a map with one entry more, or another one. */
export const withEntry = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key, value: Value): ReadonlyMap<Key, Value> =>
  new Map(map).set(key, value)

/** A copy of a map without an entry. */
export const withoutEntry = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): ReadonlyMap<Key, Value> => {
  const copy = new Map(map)
  copy.delete(key)
  return copy
}

/** The file with that number; one that does not exist is a mistake of the model. */
export const inodeOf = (host: ModelHost, inode: number): Inode => {
  const found = host.inodes.get(inode)
  if (found === undefined) throw new Error(`the model has lost inode ${inode}`)
  return found
}

/** The mount with that id; one that does not exist is a mistake of the model. */
export const mountOf = (host: ModelHost, mountId: number): MountEntry => {
  const found = host.mounts.get(mountId)
  if (found === undefined) throw new Error(`the model has lost mount ${mountId}`)
  return found
}

/** The filesystem with that number; one that does not exist is a mistake of the model. */
export const superblockOf = (host: ModelHost, superblock: number): Superblock => {
  const found = host.superblocks.get(superblock)
  if (found === undefined) throw new Error(`the model has lost filesystem ${superblock}`)
  return found
}

/** The smallest number from `first` on that is not taken: the kernel uses freed mount ids and device numbers at once. */
export const lowestFree = (first: number, isTaken: (candidate: number) => boolean): number => {
  let candidate = first
  while (isTaken(candidate)) candidate += 1
  return candidate
}

/** Whether nothing can be made or removed through that mount. */
export const isReadOnly = (host: ModelHost, mountId: number): boolean => {
  const { flags, superblock } = mountOf(host, mountId)
  return flags.includes('ro') || superblockOf(host, superblock).readOnly
}

const ROOT_INODE = 1
const ROOT_SUPERBLOCK = 1
const ROOT_MOUNT = 20
const ROOT_GROUP = 1
/** The namespace of a manager that runs nowhere else. */
export const FIRST_NAMESPACE = 'mnt:[1]'

/** The mount that a boot begins with. */
export const rootMount = (propagation: 'private' | 'shared'): readonly [number, MountEntry] => [
  ROOT_MOUNT,
  {
    namespace: FIRST_NAMESPACE,
    parent: undefined,
    at: ROOT_INODE,
    root: ROOT_INODE,
    superblock: ROOT_SUPERBLOCK,
    flags: ['rw', 'relatime'],
    peers: propagation === 'shared' ? ROOT_GROUP : undefined,
    master: undefined,
    by: 'others',
    mountedOn: '/',
    serial: 0,
  },
]

/** A host that has just been installed: an empty root filesystem, one namespace, all servers answering. */
export const newModelHost = (propagation: 'private' | 'shared'): ModelHost => ({
  boot: 1,
  own: FIRST_NAMESPACE,
  namespaces: [FIRST_NAMESPACE],
  inodes: new Map([
    [
      ROOT_INODE,
      {
        superblock: ROOT_SUPERBLOCK,
        kind: 'directory',
        owner: 'others',
        parent: undefined,
        name: '',
        removed: false,
        entries: new Map(),
        target: undefined,
      },
    ],
  ]),
  superblocks: new Map([
    [
      ROOT_SUPERBLOCK,
      {
        device: '8:1',
        fstype: 'ext4',
        source: '/dev/sda1',
        root: ROOT_INODE,
        madeFrom: '/dev/sda1',
        through: undefined,
        readOnly: false,
      },
    ],
  ]),
  mounts: new Map([rootMount(propagation)]),
  processes: new Map(),
  servers: new Map(),
  orphans: [],
  obstructions: new Map(),
  uninstalled: new Set(),
  nextInode: ROOT_INODE + 1,
  nextSuperblock: ROOT_SUPERBLOCK + 1,
  nextGroup: ROOT_GROUP + 1,
  nextPid: 1000,
  nextSerial: 1,
})
