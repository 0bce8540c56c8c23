// The look: what is at a mountpoint, by descriptors and the mount table, never by asking the filesystem that is mounted
// there. Invariant: all descriptors of a look are open while the table is read, so that no mount id in it is a used one.

import type { Filesystem, Found, Identity, ObstacleKind, RootIdentity, SourceSeen, Unknown } from '@mountkeeper/core'
import { compareIdentity, layersOf } from '@mountkeeper/core/seen'
import { isLeft } from './either.js'
import type { KnownMounts } from './crossing.js'
import { createCrossings } from './crossing.js'
import type { MayEnter, Place } from './descriptor.js'
import { close, openBelow, statOf } from './descriptor.js'
import type { TableLine } from './mountinfo.js'
import { identityOf } from './mountinfo.js'
import type { MountTable, Stack } from './mount-table.js'
import { LAYERS_MAX, isLocalFstype, lineOf, readTable, stackAt, stackFrom, withIndex } from './mount-table.js'
import type { RecentMounts } from './recent-mounts.js'
import type { Parent, ReachRoot } from './reach.js'
import { notReached, reachParent, rootReacher, rootsOnce, unknown } from './reach.js'
import type { Named, OpenSource, SourceRule } from './source.js'
import { closeSource, openSource, resolveSource, submountsOf } from './source.js'
import type { Trust } from './trust.js'

/** What is to be looked at. */
export interface LookRequest {
  readonly mountpoint: string
  /** What the managed root was at host-up; without one the path is walked down from `/` over local filesystems only. */
  readonly root: RootIdentity | undefined
  readonly filesystem: Filesystem | undefined
  /** Who may change the directories from the root to the mountpoint. */
  readonly trust: Trust
  /** Which paths the filesystem's source and options are; without a filesystem it does not matter. */
  readonly rule: SourceRule
  /** The server of the filesystem, for those that hang to be counted together; `''` where there is none. */
  readonly server: string
  /** Right after a command: the descriptors that it was given in the place of paths. */
  readonly named?: Named | undefined
  /** Our layer as it is recorded: where it is not at the mountpoint, the whole table is searched for it. */
  readonly layer?: Identity | undefined
  /** What may be mounted there: a type that asks its server as soon as it is opened is judged by the table alone. */
  readonly mayBe: 'quiet' | 'anything'
  readonly deadlineMs: number
}

/** What was seen. */
export interface Seen {
  readonly found: Found
  /** What the source leads to now, and what is mounted comes from, for types whose source is a path or names paths. */
  readonly source?: SourceSeen
  /** Where the recorded layer is mounted now, if it is not at the mountpoint. */
  readonly elsewhere?: string
  /** The first of the mounts below the source, if it is a directory that is bound. */
  readonly submounts?: readonly string[]
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

/** What is at the target, as far as it can be seen without the table. Nothing is asked of what is mounted. */
type Target =
  | { readonly _tag: 'Told'; readonly found: Found }
  | { readonly _tag: 'Mounted'; readonly place: Place; readonly baseId: number }

const openTarget = (parent: Parent): Target => {
  const target = openBelow(parent.place, parent.name)
  if (isLeft(target)) {
    const path = `${parent.path === '/' ? '' : parent.path}/${parent.name}`
    return { _tag: 'Told', found: notReached({ path, errno: target.left }).found }
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

const open = (request: LookRequest, mayEnter: MayEnter, reach: ReachRoot): Opened => {
  const { filesystem, rule } = request
  const source = filesystem === undefined ? undefined : openSource(filesystem, rule, mayEnter)
  const reached = reachParent(request.mountpoint, request.root, request.trust, mayEnter, reach)
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

/** What is there, and the line of the layer on top. */
interface FoundAt {
  readonly found: Found
  readonly top?: TableLine
}

const foundOf = (stack: Stack): FoundAt | undefined => {
  switch (stack._tag) {
    case 'Stack': {
      const found: Found = { _tag: 'Mounted', layers: stack.layers.map(identityOf) }
      const [top] = stack.layers
      return top === undefined ? { found } : { found, top }
    }
    case 'TooMany':
      return { found: unknown('TooManyLayers', `more than ${LAYERS_MAX} layers`) }
    case 'Malformed':
      return { found: unknown('Unreadable', `a line of the mount table cannot be read: ${stack.text}`) }
    case 'Missing':
      return undefined
  }
}

/** What the table says of a target that was not opened; it is opened when nothing is mounted there. */
const byTable = (parent: Parent, mountpoint: string, table: MountTable): FoundAt | undefined => {
  const stack = stackAt(table, parent.place.mountId, mountpoint)
  if (stack._tag !== 'Stack' || stack.layers.length > 0) return foundOf(stack)
  const target = openTarget(parent)
  if (target._tag === 'Told') return { found: target.found }
  // It was mounted after the table was read.
  close(target.place.fd)
  return undefined
}

/** Where a recorded layer is mounted, if a conclusive look has not found it at its path. */
const whereElse = (table: () => MountTable, layer: Identity, found: Found): string | undefined => {
  if (found._tag === 'Unknown') return undefined
  const isSame = (each: Identity): boolean => compareIdentity(layer, each) === 'same'
  if (layersOf(found).some(isSame)) return undefined
  const there = lineOf(table(), layer.mountId)
  return there._tag === 'Line' && isSame(identityOf(there.line)) ? there.line.target : undefined
}

/** The inode of what is bound there, which the table does not show; only of a filesystem that answers by itself. */
const inodeOnTop = ({ target, request }: Opened, top: TableLine | undefined): string | undefined => {
  if (request.rule.appears._tag !== 'RootAndDevice' || target?._tag !== 'Mounted') return undefined
  return top !== undefined && isLocalFstype(top.fstype) ? statOf(target.place)?.ino.toString() : undefined
}

/** What a burst of looks knows of mounts; both were read when all its descriptors were open. */
interface Tables {
  readonly table: () => MountTable
  /** Lines in which that of this mount stands, if it can be had without the whole table. */
  readonly showing: (mountId: number) => MountTable | undefined
}

const nothing: Tables['showing'] = () => undefined

const mountedAt = (
  { place, baseId }: Extract<Target, { readonly _tag: 'Mounted' }>,
  { table, showing }: Tables,
): FoundAt | undefined => {
  const recent = showing(place.mountId)
  const found = recent === undefined ? undefined : foundOf(stackFrom(recent, place.mountId, baseId))
  return found ?? foundOf(stackFrom(table(), place.mountId, baseId))
}

/** Undefined when the table does not show what a descriptor shows. */
const conclude = (opened: Opened, { table, showing }: Tables): Seen | undefined => {
  const { request, parent, target, source } = opened
  const at: FoundAt | undefined =
    target?._tag === 'Told'
      ? { found: target.found }
      : target?._tag === 'Mounted'
        ? mountedAt(target, { table, showing: source === undefined ? showing : nothing })
        : parent === undefined
          ? undefined
          : byTable(parent, request.mountpoint, table())
  if (at === undefined) return undefined
  const { found, top } = at
  const elsewhere = request.layer === undefined ? undefined : whereElse(table, request.layer, found)
  // The table has it at the mountpoint, and the descriptors have not: it came or went between the two.
  if (elsewhere === request.mountpoint) return undefined
  const moved = elsewhere === undefined ? {} : { elsewhere }
  if (source === undefined) return { found, ...moved }
  const submounts = submountsOf(source, table(), request.mountpoint)
  const resolved = resolveSource(source, table(), { top, inode: inodeOnTop(opened, top), named: request.named })
  return { found, source: resolved, ...moved, ...(submounts.length > 0 && { submounts }) }
}

/** So many lookups in one table that it pays to have an index of it. */
const INDEXED_MIN = 16

/** What a burst of looks reads and remembers. */
export interface BurstOptions {
  /** Reads the mount table; tests count that. */
  readonly read?: () => MountTable
  /** A table that was read after the looks were asked for: it says which mounts may be crossed. */
  readonly table?: MountTable
  /** Mounts above roots that earlier bursts have learned of; without, each burst asks the table again. */
  readonly known?: KnownMounts
  /** Reads the whole table in the place of `read`, and less of it where that is enough. */
  readonly recent?: RecentMounts
}

const attempt = (requests: readonly LookRequest[], options: BurstOptions): readonly (Seen | undefined)[] => {
  const { known, recent } = options
  const read = options.read ?? recent?.readWhole ?? readTable
  const opened: Opened[] = []
  // May read the table before the descriptors are open; what it says is not used for more than that.
  const crossings = createCrossings({ read, table: options.table, known })
  const roots = rootsOnce(rootReacher(crossings.toRoots))
  let table: MountTable | undefined
  const readAfter = (): MountTable => (requests.length < INDEXED_MIN ? read() : withIndex(read()))
  try {
    for (const request of requests) opened.push(open(request, crossings.elsewhere, roots.reach))
    const whole = (): MountTable => (table ??= readAfter())
    // Of many looks one may need the whole table, and then it serves all.
    const showing = requests.length < INDEXED_MIN ? recent?.begin() : undefined
    return opened.map((one) => conclude(one, { table: whole, showing: showing ?? nothing }))
  } finally {
    opened.forEach(shut)
    roots.close()
    known?.rest()
  }
}

/** What is said of a mount that the table twice did not show. */
export const LOST: Unknown = unknown('Unreadable', 'the mount table twice did not show the mount that is there')

/**
 * Looks at several mountpoints. The table is read at most once before, where a mount is crossed that is not known yet, and
 * once after their descriptors were opened, where something is mounted; each holds up to three descriptors meanwhile. What
 * the table does not show is looked at once more, together. Throws only where `/proc` cannot be read.
 */
export const lookTogether = (requests: readonly LookRequest[], options: BurstOptions = {}): readonly Seen[] => {
  const first = attempt(requests, options)
  const lost = requests.filter((_, index) => first[index] === undefined)
  if (lost.length === 0) return first.map((seen) => seen ?? { found: LOST })
  const { table: _, ...fresh } = options
  const second = attempt(lost, fresh)
  let next = 0
  return first.map((seen) => seen ?? second[next++] ?? { found: LOST })
}
