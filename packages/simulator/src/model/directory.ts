// Directories, files and links: the few system calls that make, remove and rename them.

import type { ObstacleKind } from '@mountkeeper/core'
import type { Done, Inode, ModelHost, Owner } from './host.js'
import { done, inodeOf, isReadOnly, refused, withEntry, withoutEntry } from './host.js'
import { detach } from './detach.js'
import type { Reached } from './path.js'
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
  if (isReadOnly(host, parent.mount)) return refused(host, 'EROFS')
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

/** The directory of a path's last component, and what that is; in the order in which the kernel looks at them. */
const entryAt = (host: ModelHost, namespace: string, path: string): Reached => {
  const { directory, name } = parentOf(path)
  const parent = walk(host, namespace, directory, { links: 'follow', last: 'over' })
  if (isLost(parent)) return parent
  const above = inodeOf(host, parent.inode)
  if (above.kind !== 'directory') return { errno: 'ENOTDIR' }
  if (isReadOnly(host, parent.mount)) return { errno: 'EROFS' }
  const inode = above.entries.get(name)
  return inode === undefined ? { errno: 'ENOENT' } : { mount: parent.mount, inode }
}

const remove = (host: ModelHost, namespace: string, path: string, kind: 'directory' | 'file'): Done => {
  const place = entryAt(host, namespace, path)
  if (isLost(place)) return refused(host, place.errno)
  const inode = inodeOf(host, place.inode)
  if (kind === 'directory' && inode.kind !== 'directory') return refused(host, 'ENOTDIR')
  if (kind === 'file' && inode.kind === 'directory') return refused(host, 'EISDIR')
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

/** renameat2(2) with RENAME_NOREPLACE. Mounts of what is renamed, and on what is below, go along. */
export const rename = (host: ModelHost, namespace: string, from: string, to: string): Done => {
  const source = parentOf(from)
  const target = parentOf(to)
  const left = walk(host, namespace, source.directory, { links: 'follow', last: 'over' })
  if (isLost(left)) return refused(host, left.errno)
  const entered = walk(host, namespace, target.directory, { links: 'follow', last: 'over' })
  if (isLost(entered)) return refused(host, entered.errno)
  const above = inodeOf(host, left.inode)
  const below = inodeOf(host, entered.inode)
  if (above.kind !== 'directory' || below.kind !== 'directory') return refused(host, 'ENOTDIR')
  if (left.mount !== entered.mount) return refused(host, 'EXDEV')
  if (isReadOnly(host, left.mount)) return refused(host, 'EROFS')
  const inode = above.entries.get(source.name)
  if (inode === undefined) return refused(host, 'ENOENT')
  if (below.entries.has(target.name)) return refused(host, 'EEXIST')
  if (isWithin(host, entered.inode, inode)) return refused(host, 'EINVAL')
  if (below.removed) return refused(host, 'ENOENT')
  if (isMountpoint(host, namespace, inode)) return refused(host, 'EBUSY')
  const inodes = new Map(host.inodes)
  inodes.set(left.inode, { ...above, entries: withoutEntry(above.entries, source.name) })
  const into = inodes.get(entered.inode) ?? below
  inodes.set(entered.inode, { ...into, entries: withEntry(into.entries, target.name, inode) })
  inodes.set(inode, { ...inodeOf(host, inode), parent: entered.inode, name: target.name })
  return done({ ...host, inodes })
}
