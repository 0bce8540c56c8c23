// What was seen at a mountpoint, as JSON.

import type {
  CommandError,
  Discovered,
  EffectFound,
  Found,
  Identity,
  Inventory,
  InventoryEntry,
  NotDiscovered,
  Probed,
  ResolvedSource,
  RootIdentity,
  RootSeen,
  SourceSeen,
  UnknownWhy,
} from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import type { Fields, Members } from './shape.js'
import { list, moment, oneOf, optional, reading, record, tagged, text, wholeNumber } from './shape.js'

/** A layer as the kernel's table showed it. */
export const identityCodec: Codec<Identity> = record('an identity', {
  mountId: wholeNumber,
  device: text,
  fstype: text,
  source: text,
  root: text,
  flags: list(text),
  superblock: optional(oneOf({ rw: true, ro: true })),
})

/** What a source led to. */
export const resolvedSourceCodec: Codec<ResolvedSource> = tagged('_tag', 'a resolved source', {
  At: { root: text, device: text, inode: optional(text) },
  Files: { files: list(text), offset: optional(wholeNumber) },
  Absent: { path: text },
  NotChecked: { why: text },
})

/** The sources that were seen with a mountpoint; the first traces have the place of a source alone. */
export const sourceSeenCodec: Codec<SourceSeen> = reading(
  record<SourceSeen>('the sources that were seen', {
    asked: resolvedSourceCodec,
    shown: optional(resolvedSourceCodec),
  }),
  record<{ readonly root: string; readonly device: string }>('a resolved source', { root: text, device: text }),
  (value) => typeof value === 'object' && value !== null && 'device' in value,
  (at) => ({ asked: { _tag: 'At', ...at } }),
)

/** How a command ended that did not end well. */
export const commandErrorCodec: Codec<CommandError> = record('the error of a command', {
  command: list(text),
  exitStatus: optional(wholeNumber),
  signal: optional(text),
  stderr: text,
  pid: optional(wholeNumber),
})

/** A managed root as it was when the host came up. */
export const rootIdentityCodec: Codec<RootIdentity> = record('the identity of a root', {
  path: text,
  mountId: wholeNumber,
  directory: text,
})

/** Why a look was inconclusive. */
export const unknownWhyCodec: Codec<UnknownWhy> = oneOf({
  TimedOut: true,
  ParentElsewhere: true,
  RootChanged: true,
  RootRenamed: true,
  CommandAlive: true,
  TooManyLayers: true,
  NotADirectory: true,
  PermissionDenied: true,
  UnsafeParent: true,
  NameTooLong: true,
  Unreadable: true,
})

const foundMembers: Members<Found, '_tag'> = {
  NoDirectory: {},
  Directory: {},
  Obstacle: { kind: oneOf({ file: true, symlink: true, socket: true, fifo: true, device: true, other: true }) },
  Mounted: { layers: list(identityCodec) },
  Unknown: { why: unknownWhyCodec, detail: optional(text), component: optional(text), command: optional(text) },
}

/** What is at a mountpoint. */
export const foundCodec: Codec<Found> = tagged('_tag', 'what was found', foundMembers)

const probedMembers: Members<Probed, '_tag'> = { Alive: {}, Broken: { errno: text } }

const rootSeen: Codec<RootSeen> = record('a root', {
  path: text,
  mountId: wholeNumber,
  directory: text,
  propagation: oneOf({ private: true, shared: true, slave: true, unbindable: true }),
})

const inventoryEntry: Codec<InventoryEntry> = record('an entry of the inventory', {
  mountpoint: text,
  volume: text,
  consumer: text,
})

const discovered: Fields<Discovered, '_tag'> = {
  boot: text,
  mountNamespace: text,
  roots: list(rootSeen),
  mountpoints: list(
    record<Discovered['mountpoints'][number]>('a mountpoint', {
      mountpoint: text,
      found: foundCodec,
      source: optional(sourceSeenCodec),
      elsewhere: optional(text),
    }),
  ),
  inventory: optional(record<Inventory>('an inventory', { startedAt: moment, entries: list(inventoryEntry) })),
}

const notDiscovered: Fields<NotDiscovered, '_tag'> = { reason: text }

/** What is found after an effect, of whatever kind. */
export const effectFoundCodec: Codec<EffectFound> = tagged('_tag', 'what was found', {
  ...foundMembers,
  ...probedMembers,
  Elapsed: {},
  Discovered: discovered,
  NotDiscovered: notDiscovered,
})
