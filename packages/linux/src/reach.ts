// The way to a mountpoint: down from `/` to its managed root, which has to be the one of host-up, and from there to the directory
// above it, following no link. Nothing is looked up on a mount that may hang. The caller closes the descriptor.

import type { Found, RootIdentity, Unknown } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from './either.js'
import { localMounts } from './crossing.js'
import type { MayEnter, Place, Stop } from './descriptor.js'
import { close, componentsOf, descend, inodeOf, openBelow, openSlash } from './descriptor.js'
import type { Trust } from './trust.js'

/** The directory that a mountpoint is made in, held open: what is named through it stays below the root. */
export interface Parent {
  readonly place: Place
  readonly path: string
  readonly name: string
}

/** Why the directory of a mountpoint was not reached. */
export interface NotReached {
  readonly found: Found
  readonly why: string
}

/** An `Unknown` with its reason. */
export const unknown = (why: Unknown['why'], detail: string): Unknown => ({ _tag: 'Unknown', why, detail })

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a directory',
  ELOOP: 'is a symbolic link',
  EXDEV: 'is on another mount',
  EACCES: 'cannot be opened: the directory above may not be searched',
  ENAMETOOLONG: 'has a longer name than commands can be given',
}

/** A stop as a sentence. */
export const stopText = (stop: Stop): string =>
  stop.unsafe?.why ?? `${stop.path} ${REASONS[stop.errno] ?? `cannot be opened (${stop.errno})`}`

const slash = (): Either<NotReached, Place> => {
  const opened = openSlash()
  return isLeft(opened) ? left({ found: unknown('Unreadable', opened.left), why: opened.left }) : opened
}

/** Opens a managed root that is what it was at host-up. */
export type ReachRoot = (root: RootIdentity) => Either<NotReached, Place>

const changed = (why: string): Either<NotReached, Place> => left({ found: unknown('RootChanged', why), why })

/** Goes down to a root from `/` each time. */
export const rootReacher =
  (mayEnter: MayEnter): ReachRoot =>
  (root) => {
    const from = slash()
    if (isLeft(from)) return from
    const reached = descend(
      from.right,
      '/',
      componentsOf(root.path),
      (mountId, place) => mountId === root.mountId || mayEnter(mountId, place),
    )
    if (isLeft(reached)) return changed(stopText(reached.left))
    const place = reached.right
    // The mount first: only then is it the local filesystem of host-up that is asked for the inode.
    if (place.mountId === root.mountId && inodeOf(place) === root.directory) return reached
    close(place.fd)
    return changed(
      place.mountId === root.mountId
        ? `${root.path} is another directory than at host-up`
        : `${root.path} is on another mount than at host-up`,
    )
  }

/** Goes down to each root once, and keeps it open until all is closed: looks that are done together have most of their way in common. */
export const rootsOnce = (reachRoot: ReachRoot): { readonly reach: ReachRoot; readonly close: () => void } => {
  const held = new Map<string, Either<NotReached, Place>>()
  return {
    reach: (root) => {
      const key = JSON.stringify(root)
      const first = held.get(key) ?? reachRoot(root)
      held.set(key, first)
      if (isLeft(first)) return first
      const again = openBelow(first.right, '.')
      if (!isLeft(again)) return again
      const why = stopText({ path: root.path, errno: again.left })
      return left({ found: unknown('Unreadable', why), why })
    },
    close: () => {
      for (const place of held.values()) if (!isLeft(place)) close(place.right.fd)
    },
  }
}

const above = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

/** What is found where the way to a mountpoint, or its own last component, could not be opened. */
export const notReached = (stop: Stop): NotReached => {
  const why = stopText(stop)
  if (stop.unsafe !== undefined) {
    const { component, command } = stop.unsafe
    return { found: { ...unknown('UnsafeParent', why), component, command }, why }
  }
  switch (stop.errno) {
    case 'ENOENT':
      // Nothing can be at a path whose parent is not there.
      return { found: { _tag: 'NoDirectory' }, why }
    case 'EXDEV':
      return { found: unknown('ParentElsewhere', why), why }
    case 'ELOOP':
    case 'ENOTDIR':
      // What was mounted below may be there still, under another name.
      return { found: { ...unknown('NotADirectory', why), component: stop.path }, why }
    case 'EACCES':
      // With O_PATH only the directory above is asked for permission, that to search it (open(2)).
      return { found: { ...unknown('PermissionDenied', why), component: above(stop.path) }, why }
    case 'ENAMETOOLONG':
      return { found: unknown('NameTooLong', why), why }
    default:
      return { found: unknown('Unreadable', why), why }
  }
}

const split = (mountpoint: string): { readonly path: string; readonly name: string } => {
  const at = mountpoint.lastIndexOf('/')
  return { path: at <= 0 ? '/' : mountpoint.slice(0, at), name: mountpoint.slice(at + 1) }
}

/** Bytes of a path that the kernel takes (PATH_MAX without its end), and of `/proc/PID/fd/ROOT/` with numbers of any length. */
const PATH_BYTES_MAX = 4_095
const DESCRIPTOR_BYTES = Buffer.byteLength('/proc/4194304/fd/1073741816/')

/** Whether commands, who are given a mountpoint by its root's descriptor, can be given it at all. */
const isTooLong = (mountpoint: string, root: RootIdentity | undefined): boolean => {
  const from = root === undefined || root.path === '/' ? 1 : root.path.length + 1
  return DESCRIPTOR_BYTES + Buffer.byteLength(mountpoint.slice(from)) > PATH_BYTES_MAX
}

/**
 * Opens the directory above a mountpoint without following a link, and checks that the root is what it was, that the directory
 * is on the same mount, and with `trust` that each directory from the root on is safe; those above it are checked when the host
 * comes up. The descriptor is the caller's to close.
 */
export const reachParent = (
  mountpoint: string,
  root: RootIdentity | undefined,
  trust: Trust | undefined,
  mayEnter: MayEnter = localMounts(),
  reach: ReachRoot = rootReacher(mayEnter),
): Either<NotReached, Parent> => {
  const { path, name } = split(mountpoint)
  if (root !== undefined && path !== root.path && !path.startsWith(`${root.path}/`)) {
    const why = `${mountpoint} is not below ${root.path}`
    return left({ found: unknown('Unreadable', why), why })
  }
  if (isTooLong(mountpoint, root)) return left(notReached({ path: mountpoint, errno: 'ENAMETOOLONG' }))
  const top = root === undefined ? slash() : reach(root)
  if (isLeft(top)) return top
  const from = root?.path ?? '/'
  const names = componentsOf(path.slice(from.length))
  const place = descend(top.right, from, names, root === undefined ? mayEnter : () => false, trust)
  return isLeft(place) ? left(notReached(place.left)) : right({ place: place.right, path, name })
}
