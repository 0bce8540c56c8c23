// Directories, files and links: the few system calls that make, remove and rename them.

import type { ObstacleKind } from '@mountkeeper/core'
import type { Done, Inode, ModelHost, Owner } from './host.js'
import { done, inodeOf, refused, withEntry, withoutEntry } from './host.js'
import { detach } from './detach.js'
import { isLost, isWithin, parentOf, walk } from './path.js'

type Made = Pick<Inode, 'kind' | 'owner'> & Partial<Pick<Inode, 'target'>>

const make = (host: ModelHost, namespace: string, path: string, made: Made): Done => {
  const { directory, name } = parentOf(path)
  const parent = walk(host, namespace, directory, { links: 'follow', last: 'over' })
  if (isLost(parent)) return refused(host, parent.errno)
  const above = inodeOf(host, parent.inode)
  if (above.kind !== 'directory') return refused(host, 'ENOTDIR')
  if (above.removed) return refused(host, 'ENOENT')
  if (above.entries.has(name)) return refused(host, 'EEXIST')
  const inode: Inode = {
    superblock: above.superblock,
    parent: parent.inode,
    name,
    removed: false,
    entries: new Map(),
    target: undefined,
    ...made,
  }
  const id = host.nextInode
  const inodes = new Map(host.inodes)
  inodes.set(id, inode)
  inodes.set(parent.inode, { ...above, entries: withEntry(above.entries, name, id) })
  return done({ ...host, inodes, nextInode: id + 1 })
}

/** mkdir(2): one component. */
export const makeDirectory = (host: ModelHost, namespace: string, path: string, owner: Owner): Done =>
  make(host, namespace, path, { kind: 'directory', owner })

/** Makes a directory and all above it that are missing, for setting the scene; what is there already is left as it is. */
export const makePath = (host: ModelHost, namespace: string, path: string, owner: Owner): ModelHost => {
  const names = path.split('/').slice(1)
  const paths = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
  return paths.reduce((sofar, each) => makeDirectory(sofar, namespace, each, owner).host, host)
}

/** A file or something stranger: contents of a directory, or an obstacle in the place of one. */
export const makeFile = (
  host: ModelHost,
  namespace: string,
  path: string,
  kind: Exclude<ObstacleKind, 'symlink'>,
): Done => make(host, namespace, path, { kind, owner: 'others' })

/** symlink(2), to an absolute path. */
export const makeLink = (host: ModelHost, namespace: string, path: string, target: string): Done =>
  make(host, namespace, path, { kind: 'symlink', owner: 'others', target })

const isMountpoint = (host: ModelHost, namespace: string, inode: number): boolean =>
  [...host.mounts.values()].some(
    (entry) => entry.parent !== undefined && entry.at === inode && entry.namespace === namespace,
  )

/** What is mounted there in other namespaces goes with the name (Linux 3.19 and later). */
const detachElsewhere = (host: ModelHost, inode: number): ModelHost => {
  let left = host
  for (const [id, entry] of host.mounts) {
    if (entry.parent !== undefined && entry.at === inode && left.mounts.has(id)) left = detach(left, id)
  }
  return left
}

const unlinkAt = (host: ModelHost, inode: number): ModelHost => {
  const gone = inodeOf(host, inode)
  if (gone.parent === undefined) return host
  const above = inodeOf(host, gone.parent)
  const inodes = new Map(host.inodes)
  inodes.set(gone.parent, { ...above, entries: withoutEntry(above.entries, gone.name) })
  const isShown = [...host.mounts.values()].some((entry) => isWithin(host, entry.root, inode))
  if (isShown) inodes.set(inode, { ...gone, removed: true })
  else inodes.delete(inode)
  return { ...host, inodes }
}

const remove = (host: ModelHost, namespace: string, path: string, kind: 'directory' | 'file'): Done => {
  const place = walk(host, namespace, path, { links: 'last stays', last: 'under' })
  if (isLost(place)) return refused(host, place.errno)
  const inode = inodeOf(host, place.inode)
  if (kind === 'directory' && inode.kind !== 'directory') return refused(host, 'ENOTDIR')
  if (kind === 'file' && inode.kind === 'directory') return refused(host, 'EINVAL')
  if (isMountpoint(host, namespace, place.inode)) return refused(host, 'EBUSY')
  if (inode.entries.size > 0) return refused(host, 'ENOTEMPTY')
  return done(unlinkAt(detachElsewhere(host, place.inode), place.inode))
}

/** rmdir(2): of an empty directory that nothing is mounted on in this namespace. */
export const removeDirectory = (host: ModelHost, namespace: string, path: string): Done =>
  remove(host, namespace, path, 'directory')

/** unlink(2), of anything but a directory. */
export const removeFile = (host: ModelHost, namespace: string, path: string): Done =>
  remove(host, namespace, path, 'file')

/** rename(2) within one filesystem, to a name that is free. Mounts of what is renamed, and on what lies below, go along. */
export const rename = (host: ModelHost, namespace: string, from: string, to: string): Done => {
  const place = walk(host, namespace, from, { links: 'last stays', last: 'under' })
  if (isLost(place)) return refused(host, place.errno)
  const { directory, name } = parentOf(to)
  const target = walk(host, namespace, directory, { links: 'follow', last: 'over' })
  if (isLost(target)) return refused(host, target.errno)
  const moved = inodeOf(host, place.inode)
  const below = inodeOf(host, target.inode)
  if (moved.parent === undefined || isMountpoint(host, namespace, place.inode)) return refused(host, 'EBUSY')
  if (below.kind !== 'directory') return refused(host, 'ENOTDIR')
  if (place.mount !== target.mount || isWithin(host, target.inode, place.inode)) return refused(host, 'EINVAL')
  if (below.entries.has(name)) return refused(host, 'EEXIST')
  const inodes = new Map(host.inodes)
  const above = inodeOf(host, moved.parent)
  inodes.set(moved.parent, { ...above, entries: withoutEntry(above.entries, moved.name) })
  const into = inodes.get(target.inode) ?? below
  inodes.set(target.inode, { ...into, entries: withEntry(into.entries, name, place.inode) })
  inodes.set(place.inode, { ...moved, parent: target.inode, name })
  return done({ ...host, inodes })
}
