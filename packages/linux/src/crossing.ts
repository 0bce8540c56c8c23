// Which mounts a walk may cross: those of local filesystems, whose lookups ask no server and no daemon. One walk, or one burst
// of looks, reads the mount table at most once for that. Invariant: what is remembered of a mount was read in a table while
// a descriptor on it was open, and is forgotten before that is closed, since a freed id is used again at once.

import { isLeft } from './either.js'
import type { MayEnter, Place } from './descriptor.js'
import { close, openBelow } from './descriptor.js'
import type { MountTable } from './mount-table.js'
import { isLocalFstype, lineOf, readTable } from './mount-table.js'

/** Mounts on the way to roots that are known to be local, each with a descriptor on it. */
export interface KnownMounts {
  readonly has: (mountId: number) => boolean
  readonly add: (place: Place) => void
  /** Says that a burst of looks is over: a mount that many bursts did not cross is let go. */
  readonly rest: () => void
  readonly close: () => void
}

/** A mount that so many bursts did not cross is on the way to no root any more, and would only be kept from its unmount. */
const BURSTS_MAX = 16
/** Roots are few, and so are the mounts above them; more are asked about each time. */
const KNOWN_MAX = 64

/** Remembers mounts from one burst to the next. It keeps them from being unmounted, as mounts below them do. */
export const createKnownMounts = (): KnownMounts => {
  const known = new Map<number, { readonly fd: number; bursts: number }>()
  const drop = (mountId: number): void => {
    const one = known.get(mountId)
    known.delete(mountId)
    if (one !== undefined) close(one.fd)
  }
  return {
    has: (mountId) => {
      const one = known.get(mountId)
      if (one !== undefined) one.bursts = 0
      return one !== undefined
    },
    add: (place) => {
      if (known.size >= KNOWN_MAX || known.has(place.mountId)) return
      const held = openBelow(place, '.')
      if (isLeft(held)) return
      if (held.right.mountId === place.mountId) known.set(place.mountId, { fd: held.right.fd, bursts: 0 })
      else close(held.right.fd)
    },
    rest: () => {
      for (const [mountId, one] of known) {
        one.bursts += 1
        if (one.bursts > BURSTS_MAX) drop(mountId)
      }
    },
    close: () => {
      for (const mountId of [...known.keys()]) drop(mountId)
    },
  }
}

/** What a walk or a burst of looks asks with. */
export interface CrossingOptions {
  readonly read?: () => MountTable
  /** A table that was read after the looks were asked for. */
  readonly table?: MountTable | undefined
  readonly known?: KnownMounts | undefined
}

/** Whether mounts may be crossed, on the way to roots and elsewhere: what is remembered is only what leads to roots. */
export interface Crossings {
  readonly toRoots: MayEnter
  readonly elsewhere: MayEnter
}

/**
 * Says of the mounts that one walk or one burst crosses whether they are local. The table is read at the first question, or
 * given. A table that is older than the descriptor only permits a lookup, as documented under Limits; it identifies nothing.
 * A mount that it does not show is younger, or hidden: the table is read once more, not each time.
 */
export const createCrossings = ({ read = readTable, table: given, known }: CrossingOptions): Crossings => {
  let table = given
  let mayReadAgain = true
  const shows = (from: MountTable, mountId: number): 'local' | 'other' | 'missing' => {
    const found = lineOf(from, mountId)
    if (found._tag === 'Missing') return 'missing'
    return found._tag === 'Line' && isLocalFstype(found.line.fstype) ? 'local' : 'other'
  }
  /** `since`: by a table that was read after the question was asked. */
  const ask = (mountId: number): { readonly local: boolean; readonly since: boolean } => {
    const before = table === undefined ? 'missing' : shows(table, mountId)
    if (before !== 'missing') return { local: before === 'local', since: false }
    if (table !== undefined && !mayReadAgain) return { local: false, since: false }
    mayReadAgain = table === undefined
    table = read()
    return { local: shows(table, mountId) === 'local', since: true }
  }
  return {
    elsewhere: (mountId) => ask(mountId).local,
    toRoots: (mountId, place) => {
      if (known?.has(mountId) === true) return true
      const { local, since } = ask(mountId)
      if (local && since) known?.add(place)
      return local
    },
  }
}

/** Whether mounts are local, for one walk. */
export const localMounts = (read: () => MountTable = readTable): MayEnter => createCrossings({ read }).elsewhere
