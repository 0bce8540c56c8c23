// The descriptors that commands name: one O_PATH descriptor for each managed root, open for the life of the process. A
// command, or a helper of it that goes on when it has ended, gets `/proc/PID/fd/ROOT/a/b/NAME`; since no such number is ever
// used again, what it does late is done at the mountpoint that it was started for, or nowhere.

import { readlinkSync } from 'node:fs'
import type { RootIdentity } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { MayEnter, Place } from './descriptor.js'
import { close, inodeOf, openBelow, ownProcess } from './descriptor.js'
import type { NotReached } from './reach.js'
import { reachParent, stopText } from './reach.js'
import type { Trust } from './trust.js'

/** A mountpoint as commands may name it. */
export interface Target {
  /** `/proc/PID/fd/ROOT/a/b`: the parent directory, reached through the root's descriptor. */
  readonly directory: string
  readonly name: string
  /** `/proc/PID/fd/ROOT/`, and the path that it stands for. */
  readonly shown: readonly [descriptor: string, path: string]
}

interface Kept {
  readonly path: string
  readonly place: Place
}

/** Never closed. One more for each root that is replaced while the process lives, and that a host-up then takes on. */
const kept = new Map<string, Kept>()

const keyOf = (path: string, mountId: number, directory: string): string => JSON.stringify([path, mountId, directory])

/** Keeps what was opened, or the descriptor that this directory has already. */
const keep = (path: string, place: Place): Kept => {
  const key = keyOf(path, place.mountId, inodeOf(place))
  const known = kept.get(key)
  if (known !== undefined) {
    close(place.fd)
    return known
  }
  const fresh = { path, place }
  kept.set(key, fresh)
  return fresh
}

const below = (directory: string, name: string): string => (directory === '/' ? `/${name}` : `${directory}/${name}`)

/** The root's descriptor; opened, and compared with what it was at host-up, when it is first needed. */
const keepRoot = (root: RootIdentity, mayEnter?: MayEnter): Either<NotReached, Kept> => {
  const known = kept.get(keyOf(root.path, root.mountId, root.directory))
  if (known !== undefined) return right(known)
  // Any name will do: what is opened is the directory above it.
  const reached = reachParent(below(root.path, 'any'), root, undefined, mayEnter)
  return isLeft(reached) ? reached : right(keep(root.path, reached.right.place))
}

/** A root that was renamed or removed after it was opened: the kernel shows where its descriptor leads, without any walk. */
const whereNow = ({ path, place }: Kept): NotReached | undefined => {
  const now = readlinkSync(`/proc/self/fd/${place.fd}`)
  if (now === path) return undefined
  const why = `${path} is another directory than at host-up, which is now ${now}`
  return { found: { _tag: 'Unknown', why: 'RootChanged', detail: why }, why }
}

/** A second descriptor of a root, for a walk that closes what it leaves behind. */
const again = ({ path, place }: Kept): Either<NotReached, Place> => {
  const opened = openBelow(place, '.')
  if (!isLeft(opened)) return opened
  const why = stopText({ path, errno: opened.left })
  return left({ found: { _tag: 'Unknown', why: 'Unreadable', detail: why }, why })
}

const targetIn = ({ path, place }: Kept, mountpoint: string): Target => {
  const prefix = path === '/' ? '/' : `${path}/`
  const descriptor = `${ownProcess()}/fd/${place.fd}/`
  const relative = mountpoint.slice(prefix.length)
  const slash = relative.lastIndexOf('/')
  return {
    directory: `${descriptor}${relative.slice(0, Math.max(0, slash))}`.replace(/\/$/, ''),
    name: relative.slice(slash + 1),
    shown: [descriptor, prefix],
  }
}

/**
 * How commands name a mountpoint. Each component between the root and the mountpoint is a safe directory on the root's own mount
 * now, and no link; that it stays so is for the owners of these directories, whom the manager trusts. Nothing is looked up
 * above the root, and no mount table is read. A mountpoint below no root is named by its parent, which is kept like a root.
 */
export const targetOf = (
  mountpoint: string,
  root: RootIdentity | undefined,
  trust: Trust,
): Either<NotReached, Target> => {
  if (root === undefined) {
    const reached = reachParent(mountpoint, undefined, trust)
    if (isLeft(reached)) return reached
    return right(targetIn(keep(reached.right.path, reached.right.place), mountpoint))
  }
  const held = keepRoot(root)
  if (isLeft(held)) return held
  const moved = whereNow(held.right)
  if (moved !== undefined) return left(moved)
  const reached = reachParent(
    mountpoint,
    root,
    trust,
    () => false,
    () => again(held.right),
  )
  if (isLeft(reached)) return reached
  close(reached.right.place.fd)
  return right(targetIn(held.right, mountpoint))
}

/** Opens the descriptors of these roots, as host-up found them; one that cannot be opened now is named by its first command. */
export const keepRoots = (roots: readonly RootIdentity[]): void => {
  for (const root of roots) {
    // All that is on the way was seen to be local right before, and no table is read for it again.
    const held = keepRoot(root, () => true)
    if (isLeft(held)) continue
    // The last one of a path is the one that the manager works in.
    const key = keyOf(root.path, root.mountId, root.directory)
    kept.delete(key)
    kept.set(key, held.right)
  }
}

/** How a command that only reads names a mountpoint whose root is known by its path alone: the one of the last host-up. */
export const readPathOf = (mountpoint: string): string => {
  const root = [...kept.values()].filter(({ path }) => mountpoint.startsWith(path === '/' ? '/' : `${path}/`)).at(-1)
  if (root === undefined) return mountpoint
  const { directory, name } = targetIn(root, mountpoint)
  return `${directory}/${name}`
}
