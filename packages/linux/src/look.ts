// The look: what is at a mountpoint, by descriptors and the mount table, never by asking the filesystem that is mounted
// there. Invariant: all descriptors of a look are open while the table is read, so that no mount id in it is a used one.

import type {
  Appearance,
  Filesystem,
  Found,
  ObstacleKind,
  ResolvedSource,
  RootIdentity,
  Unknown,
} from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Place, Stop } from './descriptor.js'
import { close, componentsOf, descend, inodeOf, openBelow, openSlash, statOf } from './descriptor.js'
import { identityOf } from './mountinfo.js'
import type { MountTable, Stack } from './mount-table.js'
import { LAYERS_MAX, isLocalFstype, lineOf, readTable, stackAt, stackFrom, withIndex } from './mount-table.js'
import type { OpenSource } from './source.js'
import { closeSource, openSource, resolveSource } from './source.js'

/** What is to be looked at. */
export interface LookRequest {
  readonly mountpoint: string
  /** What the managed root was at host-up; without one the path is walked down from `/` over local filesystems only. */
  readonly root: RootIdentity | undefined
  readonly filesystem: Filesystem | undefined
  /** How layers of the filesystem's type are recognised; without a filesystem it does not matter. */
  readonly appears: Appearance
  /** The server of the filesystem, for those that hang to be counted together; `''` where there is none. */
  readonly server: string
  /** What may be mounted there: a type that asks its server as soon as it is opened is told by the table alone. */
  readonly mayBe: 'quiet' | 'anything'
  readonly deadlineMs: number
}

/** What was seen. */
export interface Seen {
  readonly found: Found
  /** The source as it resolves now, for types that are compared by it and where it is there. */
  readonly source?: ResolvedSource
}

/**
 * Looks at a mountpoint. Never rejects. One that runs elsewhere than in this process has to keep the deadline; whoever calls
 * it gives up at the deadline all the same.
 */
export type Looker = (request: LookRequest) => Promise<Seen>

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

const unknown = (why: Unknown['why'], detail: string): Unknown => ({ _tag: 'Unknown', why, detail })

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a directory',
  ELOOP: 'is a symbolic link',
  EXDEV: 'lies on another mount',
}

/** A stop as a sentence. */
export const stopText = (stop: Stop): string =>
  `${stop.path} ${REASONS[stop.errno] ?? `cannot be opened (${stop.errno})`}`

/** Whether a mount is of a local filesystem; one that the table does not show is not. */
export const isLocalMount = (mountId: number): boolean => {
  const found = lineOf(readTable(), mountId)
  return found._tag === 'Line' && isLocalFstype(found.line.fstype)
}

const slash = (): Either<NotReached, Place> => {
  const opened = openSlash()
  return isLeft(opened) ? left({ found: unknown('Unreadable', opened.left), why: opened.left }) : opened
}

const reachRoot = (root: RootIdentity): Either<NotReached, Place> => {
  const changed = (why: string): Either<NotReached, Place> => left({ found: unknown('RootChanged', why), why })
  const from = slash()
  if (isLeft(from)) return from
  const mayEnter = (mountId: number): boolean => mountId === root.mountId || isLocalMount(mountId)
  const reached = descend(from.right, '/', componentsOf(root.path), mayEnter)
  if (isLeft(reached)) return changed(stopText(reached.left))
  const place = reached.right
  // The mount first: only then is it the local filesystem of host-up that is asked for the inode.
  if (place.mountId === root.mountId && inodeOf(place) === root.directory) return reached
  close(place.fd)
  return changed(
    place.mountId === root.mountId
      ? `${root.path} is another directory than at host-up`
      : `${root.path} lies on another mount than at host-up`,
  )
}

/** Opens a managed root that is what it was at host-up. The descriptor is the caller's to close. */
type ReachRoot = (root: RootIdentity) => Either<NotReached, Place>

/** Goes down to each root once, and keeps it open until all is closed: looks that are done together have most of their way in common. */
const rootsOnce = (): { readonly reach: ReachRoot; readonly close: () => void } => {
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

const below = (stop: Stop): NotReached => {
  const why = stopText(stop)
  switch (stop.errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      // Nothing can be at a path whose parent is not there.
      return { found: { _tag: 'NoDirectory' }, why }
    case 'EXDEV':
      return { found: unknown('ParentElsewhere', why), why }
    default:
      return { found: unknown('Unreadable', why), why }
  }
}

const split = (mountpoint: string): { readonly path: string; readonly name: string } => {
  const at = mountpoint.lastIndexOf('/')
  return { path: at <= 0 ? '/' : mountpoint.slice(0, at), name: mountpoint.slice(at + 1) }
}

/**
 * Opens the directory above a mountpoint without following a link, and checks that the root is what it was and that the
 * directory lies on the same mount. The descriptor is the caller's to close.
 */
export const reachParent = (
  mountpoint: string,
  root: RootIdentity | undefined,
  reach: ReachRoot = reachRoot,
): Either<NotReached, Parent> => {
  const { path, name } = split(mountpoint)
  if (root !== undefined && path !== root.path && !path.startsWith(`${root.path}/`)) {
    const why = `${mountpoint} is not below ${root.path}`
    return left({ found: unknown('Unreadable', why), why })
  }
  const top = root === undefined ? slash() : reach(root)
  if (isLeft(top)) return top
  const from = root?.path ?? '/'
  const names = componentsOf(path.slice(from.length))
  const place = descend(top.right, from, names, root === undefined ? isLocalMount : () => false)
  return isLeft(place) ? left(below(place.left)) : right({ place: place.right, path, name })
}

const kindOf = (place: Place): ObstacleKind | 'directory' | undefined => {
  const stat = statOf(place)
  if (stat === undefined) return undefined
  if (stat.isDirectory()) return 'directory'
  if (stat.isFile()) return 'file'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isSocket()) return 'socket'
  if (stat.isFIFO()) return 'fifo'
  return stat.isBlockDevice() || stat.isCharacterDevice() ? 'device' : 'other'
}

/** What is at the target, as far as it can be told without the table. Nothing is asked of what is mounted. */
type Target =
  | { readonly _tag: 'Told'; readonly found: Found }
  | { readonly _tag: 'Mounted'; readonly place: Place; readonly baseId: number }

const openTarget = (parent: Parent): Target => {
  const target = openBelow(parent.place, parent.name)
  if (isLeft(target)) {
    if (target.left === 'ENOENT') return { _tag: 'Told', found: { _tag: 'NoDirectory' } }
    const path = `${parent.path}/${parent.name}`
    return { _tag: 'Told', found: unknown('Unreadable', stopText({ path, errno: target.left })) }
  }
  const place = target.right
  const baseId = parent.place.mountId
  if (place.mountId !== baseId) return { _tag: 'Mounted', place, baseId }
  const kind = kindOf(place)
  close(place.fd)
  if (kind === undefined) return { _tag: 'Told', found: unknown('Unreadable', `${parent.path} cannot be read`) }
  return { _tag: 'Told', found: kind === 'directory' ? { _tag: 'Directory' } : { _tag: 'Obstacle', kind } }
}

/** A look that has its descriptors and waits for the table. */
interface Opened {
  readonly request: LookRequest
  readonly parent: Parent | undefined
  /** Absent where the table has to be asked before the target may be touched. */
  readonly target: Target | undefined
  readonly source: OpenSource | undefined
}

const open = (request: LookRequest, reach: ReachRoot): Opened => {
  const { filesystem, appears } = request
  const source = filesystem === undefined ? undefined : openSource(filesystem, appears, isLocalMount)
  const reached = reachParent(request.mountpoint, request.root, reach)
  if (isLeft(reached)) {
    return { request, parent: undefined, target: { _tag: 'Told', found: reached.left.found }, source }
  }
  const target = request.mayBe === 'quiet' ? openTarget(reached.right) : undefined
  return { request, parent: reached.right, target, source }
}

const shut = ({ parent, target, source }: Opened): void => {
  if (parent !== undefined) close(parent.place.fd)
  if (target?._tag === 'Mounted') close(target.place.fd)
  closeSource(source)
}

const foundOf = (stack: Stack): Found | undefined => {
  switch (stack._tag) {
    case 'Stack':
      return { _tag: 'Mounted', layers: stack.layers.map(identityOf) }
    case 'TooMany':
      return unknown('TooManyLayers', `more than ${LAYERS_MAX} layers`)
    case 'Malformed':
      return unknown('Unreadable', `a line of the mount table cannot be read: ${stack.text}`)
    case 'Missing':
      return undefined
  }
}

/** What the table says of a target that was not opened; it is opened when nothing is mounted there. */
const byTable = (parent: Parent, mountpoint: string, table: MountTable): Found | undefined => {
  const stack = stackAt(table, parent.place.mountId, mountpoint)
  if (stack._tag !== 'Stack' || stack.layers.length > 0) return foundOf(stack)
  const target = openTarget(parent)
  if (target._tag === 'Told') return target.found
  // It was mounted after the table was read.
  close(target.place.fd)
  return undefined
}

/** Undefined when the table does not show what a descriptor shows. */
const conclude = (opened: Opened, table: () => MountTable): Seen | undefined => {
  const { request, parent, target, source } = opened
  const found =
    target?._tag === 'Told'
      ? target.found
      : target?._tag === 'Mounted'
        ? foundOf(stackFrom(table(), target.place.mountId, target.baseId))
        : parent === undefined
          ? undefined
          : byTable(parent, request.mountpoint, table())
  if (found === undefined) return undefined
  const top = found._tag === 'Mounted' ? found.layers[0]?.device : undefined
  const resolved = source === undefined ? undefined : resolveSource(source, table(), top)
  return resolved === undefined ? { found } : { found, source: resolved }
}

/** So many lookups in one table that it pays to have an index of it. */
const INDEXED_MIN = 16

const attempt = (requests: readonly LookRequest[]): readonly (Seen | undefined)[] => {
  const opened: Opened[] = []
  const roots = rootsOnce()
  let table: MountTable | undefined
  const read = (): MountTable => (requests.length < INDEXED_MIN ? readTable() : withIndex(readTable()))
  try {
    for (const request of requests) opened.push(open(request, roots.reach))
    return opened.map((one) => conclude(one, () => (table ??= read())))
  } finally {
    opened.forEach(shut)
    roots.close()
  }
}

const LOST = unknown('Unreadable', 'the mount table twice did not show the mount that is there')

/**
 * Looks at several mountpoints with one reading of the table; each holds up to three descriptors meanwhile. What the table
 * does not show is looked at once more. Throws only where `/proc` cannot be read.
 */
export const lookTogether = (requests: readonly LookRequest[]): readonly Seen[] =>
  attempt(requests).map((seen, index) => {
    const request = requests[index]
    if (seen !== undefined || request === undefined) return seen ?? { found: LOST }
    return attempt([request])[0] ?? { found: LOST }
  })

/** Looks that share one slice of the event loop and one reading of the table. */
const LOOKS_TOGETHER_MAX = 64

const lookSafely = (requests: readonly LookRequest[]): readonly Seen[] => {
  try {
    return lookTogether(requests)
  } catch (error) {
    return requests.map(() => ({ found: unknown('Unreadable', String(error)) }))
  }
}

/** A look that waits for the end of the turn. */
export interface WaitingLook {
  readonly request: LookRequest
  readonly tell: (seen: Seen | Promise<Seen>) => void
}

/** Gathers the looks of one turn of the event loop, and serves them in slices, so that the loop is never held for long. */
export const gathering = (serve: (slice: readonly WaitingLook[]) => void): Looker => {
  let waiting: WaitingLook[] = []
  const next = (): void => {
    const slice = waiting.slice(0, LOOKS_TOGETHER_MAX)
    waiting = waiting.slice(LOOKS_TOGETHER_MAX)
    if (waiting.length > 0) setImmediate(next)
    serve(slice)
  }
  return (request) =>
    new Promise((tell) => {
      if (waiting.length === 0) setImmediate(next)
      waiting.push({ request, tell })
    })
}

/** Does these looks in this process, with one reading of the table. */
export const serveHere = (slice: readonly WaitingLook[]): void => {
  const seen = lookSafely(slice.map(({ request }) => request))
  slice.forEach(({ tell }, index) => {
    tell(seen[index] ?? { found: LOST })
  })
}

/**
 * A looker in this process, for where nothing can hang: it waits with whoever mounted a type that asks its server when opened
 * (NFS, 9p) where a quiet one is expected, if that server hangs.
 */
export const createLooker = (): Looker => gathering(serveHere)
