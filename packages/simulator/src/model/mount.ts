// mount(2) and umount(2): stacking, binding, busy mounts, and what is passed on to other namespaces.

import type { By, Done, Errno, ModelHost, MountEntry, Superblock } from './host.js'
import { done, inodeOf, lowestFree, mountOf, refused, superblockOf, withEntry } from './host.js'
import { detach, mountsOn } from './detach.js'
import type { Place, Reached } from './path.js'
import { isLost, isWithin, walk } from './path.js'

const FIRST_MOUNT_ID = 20
const FIRST_MINOR = 40

const freeMountId = (host: ModelHost): number => lowestFree(FIRST_MOUNT_ID, (id) => host.mounts.has(id))

const freeDevice = (host: ModelHost): string => {
  const taken = new Set([...host.superblocks.values()].map(({ device }) => device))
  return `0:${lowestFree(FIRST_MINOR, (minor) => taken.has(`0:${minor}`))}`
}

/** Mounts that a change on `mountId` is passed on to: its peers, and those that receive from its group. */
const receiversOf = (host: ModelHost, mountId: number): readonly number[] => {
  const { peers } = mountOf(host, mountId)
  if (peers === undefined) return []
  return [...host.mounts].flatMap(([id, entry]) =>
    id !== mountId && (entry.peers === peers || entry.master === peers) ? [id] : [],
  )
}

type Shown = Pick<MountEntry, 'root' | 'superblock' | 'flags' | 'by' | 'mountedOn'>

const addEntry = (
  host: ModelHost,
  entry: Omit<MountEntry, 'serial'>,
): { readonly host: ModelHost; readonly id: number } => {
  const id = freeMountId(host)
  const mounts = new Map(host.mounts)
  mounts.set(id, { ...entry, serial: host.nextSerial })
  return { host: { ...host, mounts, nextSerial: host.nextSerial + 1 }, id }
}

/** A mount that is passed on slides under what is there already. */
const tuckUnder = (host: ModelHost, id: number, place: Place): ModelHost => {
  const { root } = mountOf(host, id)
  const mounts = new Map(host.mounts)
  for (const [other, entry] of host.mounts) {
    if (other !== id && entry.parent === place.mount && entry.at === place.inode) {
      mounts.set(other, { ...entry, parent: id, at: root })
    }
  }
  return { ...host, mounts }
}

/** Puts a mount onto a place, and onto the same place of all mounts that receive from the one it is on. */
const attachAt = (host: ModelHost, place: Place, shown: Shown): ModelHost => {
  const under = mountOf(host, place.mount)
  const isShared = under.peers !== undefined
  const group = host.nextGroup
  const add = (to: ModelHost, parent: number, receives: boolean): { readonly host: ModelHost; readonly id: number } =>
    addEntry(to, {
      ...shown,
      namespace: mountOf(to, parent).namespace,
      parent,
      at: place.inode,
      peers: isShared && !receives ? group : undefined,
      master: isShared && receives ? group : undefined,
    })
  let { host: after } = add(host, place.mount, false)
  if (!isShared) return after
  after = { ...after, nextGroup: group + 1 }
  for (const receiver of receiversOf(host, place.mount)) {
    const { root, peers } = mountOf(host, receiver)
    if (!isWithin(host, place.inode, root)) continue
    const copy = add(after, receiver, peers === undefined)
    after = tuckUnder(copy.host, copy.id, { mount: receiver, inode: place.inode })
  }
  return after
}

/** What to mount. */
export interface NewFilesystem {
  readonly fstype: string
  readonly source: string
  readonly flags: readonly string[]
  readonly by: By
  /** Where the table spells the source differently: what it was made from. */
  readonly madeFrom?: string
  readonly through?: number
}

const targetAt = (host: ModelHost, namespace: string, path: string): Reached =>
  walk(host, namespace, path, { links: 'follow', last: 'over' })

const isRemoved = (host: ModelHost, place: Place): boolean => inodeOf(host, place.inode).removed

const isDirectory = (host: ModelHost, place: Place): boolean => inodeOf(host, place.inode).kind === 'directory'

/** Whether a directory can be mounted there. One that was removed is still reached where it is bound. */
const whyNotOn = (host: ModelHost, place: Place): Errno | undefined => {
  if (isRemoved(host, place)) return 'ENOENT'
  return isDirectory(host, place) ? undefined : 'ENOTDIR'
}

/** Mounts a new filesystem on top of whatever is there. A second mount of the same stacks, as it does in Linux. */
export const mountFilesystem = (host: ModelHost, namespace: string, path: string, what: NewFilesystem): Done => {
  const place = targetAt(host, namespace, path)
  if (isLost(place)) return refused(host, place.errno)
  const errno = whyNotOn(host, place)
  if (errno !== undefined) return refused(host, errno)
  const superblock = host.nextSuperblock
  const root = host.nextInode
  const { fstype, source, flags, by, madeFrom = source, through } = what
  const readOnly = flags.includes('ro')
  const made: Superblock = { device: freeDevice(host), fstype, source, root, madeFrom, through, readOnly }
  const inodes = new Map(host.inodes).set(root, {
    superblock,
    kind: 'directory',
    owner: 'others',
    parent: undefined,
    name: '',
    removed: false,
    entries: new Map(),
    target: undefined,
  })
  const superblocks = new Map(host.superblocks).set(superblock, made)
  const withRoot = { ...host, inodes, superblocks, nextInode: root + 1, nextSuperblock: superblock + 1 }
  return done(attachAt(withRoot, place, { root, superblock, flags, by, mountedOn: path }))
}

const LOCKED = ['nosuid', 'nodev', 'noexec', 'ro']

const whyNotBound = (host: ModelHost, source: Place): Errno | undefined => {
  if (!isDirectory(host, source)) return 'ENOTDIR'
  return isRemoved(host, source) ? 'ENOENT' : undefined
}

/** Binds a directory onto another; the flags of the source's own mount stay on. */
export const bindDirectory = (
  host: ModelHost,
  namespace: string,
  source: string,
  path: string,
  what: Pick<NewFilesystem, 'flags' | 'by'>,
): Done => {
  const place = targetAt(host, namespace, path)
  if (isLost(place)) return refused(host, place.errno)
  const from = walk(host, namespace, source, { links: 'follow', last: 'over' })
  if (isLost(from)) return refused(host, from.errno)
  const errno = whyNotOn(host, place) ?? whyNotBound(host, from)
  if (errno !== undefined) return refused(host, errno)
  const { superblock, flags: own } = mountOf(host, from.mount)
  const kept = LOCKED.filter((flag) => own.includes(flag) && !what.flags.includes(flag))
  const asked = kept.includes('ro') ? what.flags.filter((flag) => flag !== 'rw') : what.flags
  const flags = [...asked, ...kept]
  const shown = { root: from.inode, superblock, flags, by: what.by, mountedOn: path }
  return done(attachAt(host, place, shown))
}

const isUsed = (host: ModelHost, mountId: number): boolean =>
  [...host.processes.values()].some((process) => process.mount === mountId)

/** The mounts elsewhere that go when this one goes. */
const copiesOf = (host: ModelHost, mountId: number): readonly number[] => {
  const { parent, at } = mountOf(host, mountId)
  if (parent === undefined) return []
  return receiversOf(host, parent).flatMap((receiver) =>
    mountsOn(host, receiver).filter((id) => mountOf(host, id).at === at),
  )
}

/** Takes a copy out from under what is on it, if that covers it whole; one with mounts deeper down stays. */
const detachCopy = (host: ModelHost, id: number): ModelHost => {
  const entry = mountOf(host, id)
  const children = mountsOn(host, id)
  if (children.some((child) => mountOf(host, child).at !== entry.root)) return host
  const mounts = new Map(host.mounts)
  for (const child of children) mounts.set(child, { ...mountOf(host, child), parent: entry.parent, at: entry.at })
  return detach({ ...host, mounts }, id)
}

/** How to unmount: `plain` refuses what is busy, `lazy` takes it out of sight. */
export type HowToUnmount = 'plain' | 'lazy'

/** umount(2) of the top layer at a path, and of its copies in the namespaces that receive from it. */
export const unmount = (host: ModelHost, namespace: string, path: string, how: HowToUnmount): Done => {
  const place = walk(host, namespace, path, { links: 'follow', last: 'over' })
  if (isLost(place)) return refused(host, place.errno)
  const entry = mountOf(host, place.mount)
  if (entry.root !== place.inode || entry.parent === undefined) return refused(host, 'EINVAL')
  const copies = copiesOf(host, place.mount)
  if (how === 'plain') {
    if (mountsOn(host, place.mount).length > 0 || isUsed(host, place.mount)) return refused(host, 'EBUSY')
    if (copies.some((id) => mountsOn(host, id).length === 0 && isUsed(host, id))) return refused(host, 'EBUSY')
  }
  const after = copies.reduce(detachCopy, host)
  return done(detach(after, place.mount))
}

/** mount --move of the top layer at a path to a directory, with all that is on it. Not from or to what passes on its mounts. */
export const moveMount = (host: ModelHost, namespace: string, from: string, to: string): Done => {
  const target = targetAt(host, namespace, to)
  if (isLost(target)) return refused(host, target.errno)
  const place = walk(host, namespace, from, { links: 'follow', last: 'over' })
  if (isLost(place)) return refused(host, place.errno)
  const entry = mountOf(host, place.mount)
  if (entry.root !== place.inode || entry.parent === undefined) return refused(host, 'EINVAL')
  if (isRemoved(host, target) || isRemoved(host, place)) return refused(host, 'ENOENT')
  if (!isDirectory(host, target)) return refused(host, 'EINVAL')
  if ([entry.parent, target.mount].some((id) => mountOf(host, id).peers !== undefined)) return refused(host, 'EINVAL')
  for (let id: number | undefined = target.mount; id !== undefined; id = mountOf(host, id).parent) {
    if (id === place.mount) return refused(host, 'ELOOP')
  }
  const mounts = new Map(host.mounts)
  mounts.set(place.mount, { ...entry, parent: target.mount, at: target.inode })
  return done({ ...host, mounts })
}

/** mount -o remount,bind: the top mount at a path has these flags from now on; its filesystem stays as it is. */
export const remount = (host: ModelHost, namespace: string, path: string, flags: readonly string[]): Done => {
  const place = targetAt(host, namespace, path)
  if (isLost(place)) return refused(host, place.errno)
  const entry = mountOf(host, place.mount)
  if (entry.root !== place.inode) return refused(host, 'EINVAL')
  return done({ ...host, mounts: withEntry(host.mounts, place.mount, { ...entry, flags }) })
}

/** A filesystem becomes read-only as a whole, as after an error on its device, or can be written again. */
export const turnReadOnly = (host: ModelHost, namespace: string, path: string, readOnly: boolean): Done => {
  const place = targetAt(host, namespace, path)
  if (isLost(place)) return refused(host, place.errno)
  const { superblock, root, parent } = mountOf(host, place.mount)
  if (root !== place.inode || parent === undefined) return refused(host, 'EINVAL')
  const turned = { ...superblockOf(host, superblock), readOnly }
  return done({ ...host, superblocks: withEntry(host.superblocks, superblock, turned) })
}

/** The layers at a place from the top down, as mount ids, down to the mount that its parent directory is on. */
export const layersAt = (host: ModelHost, top: number, base: number): readonly number[] => {
  const layers: number[] = []
  for (let id: number | undefined = top; id !== undefined && id !== base; id = mountOf(host, id).parent) layers.push(id)
  return layers
}

/** The source, type and device of a mount. */
export const filesystemOf = (host: ModelHost, mountId: number): Superblock =>
  superblockOf(host, mountOf(host, mountId).superblock)
