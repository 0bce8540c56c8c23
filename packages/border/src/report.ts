// Reports of a host port, of any shape: what was found, read once into a plain copy, or why it is no report. Layers go into
// the journal, so that what is kept has exactly the fields that a fact may have; what else a port says is left out.

import type {
  CommandError,
  Discovered,
  EffectFound,
  Found,
  Identity,
  Inventory,
  InventoryEntry,
  NotDiscovered,
  Outcome,
  Probed,
  ResolvedSource,
  RootSeen,
  SourceSeen,
} from '@mountkeeper/core'
import type { Fields, Members, Read, Reader, Wrong } from './reader.js'
import { isWrong, list, moment, oneOf, optional, readWith, record, tagged, text, wholeNumber } from './reader.js'

/** What an outcome has from its report. */
export type Reported = Omit<Outcome, '_tag' | 'at' | 'effect' | 'mountpoint'>

const OPEN = 'all others'

const identity: Reader<Identity> = record<Identity>(
  'an identity',
  {
    mountId: wholeNumber,
    device: text,
    fstype: text,
    source: text,
    root: text,
    flags: list(text),
    superblock: optional(oneOf({ rw: true, ro: true })),
  },
  OPEN,
)

const resolved: Reader<ResolvedSource> = tagged(
  '_tag',
  'a resolved source',
  {
    At: { root: text, device: text, inode: optional(text) },
    Files: { files: list(text), offset: optional(wholeNumber) },
    Absent: { path: text },
    NotChecked: { why: text },
  },
  OPEN,
)

const source: Reader<SourceSeen> = record<SourceSeen>(
  'the sources that were seen',
  { asked: resolved, shown: optional(resolved) },
  OPEN,
)

const error: Reader<CommandError> = record<CommandError>(
  'the error of a command',
  {
    command: list(text),
    exitStatus: optional(wholeNumber),
    signal: optional(text),
    stderr: text,
    pid: optional(wholeNumber),
  },
  OPEN,
)

const unknown: Fields<Extract<Found, { readonly _tag: 'Unknown' }>, '_tag'> = {
  why: oneOf({
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
  }),
  detail: optional(text),
  component: optional(text),
  command: optional(text),
}

const foundMembers: Members<Found, '_tag'> = {
  NoDirectory: {},
  Directory: {},
  Obstacle: { kind: oneOf({ file: true, symlink: true, socket: true, fifo: true, device: true, other: true }) },
  Mounted: { layers: list(identity) },
  Unknown: unknown,
}

const FOUND = 'what was found'

const found: Reader<Found> = tagged('_tag', FOUND, foundMembers, OPEN)

type Unknown = Extract<Found, { readonly _tag: 'Unknown' }>

const probed: Reader<Probed | Unknown> = tagged(
  '_tag',
  'what a probe found',
  { Alive: {}, Broken: { errno: text }, Unknown: unknown },
  OPEN,
)

const rootSeen: Reader<RootSeen> = record<RootSeen>(
  'a root',
  {
    path: text,
    mountId: wholeNumber,
    directory: text,
    propagation: oneOf({ private: true, shared: true, slave: true, unbindable: true }),
  },
  OPEN,
)

const inventory: Reader<Inventory> = record<Inventory>(
  'an inventory',
  {
    startedAt: moment,
    entries: list(record<InventoryEntry>('an entry', { mountpoint: text, volume: text, consumer: text }, OPEN)),
  },
  OPEN,
)

const discovered: Reader<Discovered | NotDiscovered | Unknown> = tagged(
  '_tag',
  'what a discovery found',
  {
    Discovered: {
      boot: text,
      mountNamespace: text,
      roots: list(rootSeen),
      mountpoints: list(
        record<Discovered['mountpoints'][number]>(
          'a mountpoint',
          { mountpoint: text, found, source: optional(source), elsewhere: optional(text) },
          OPEN,
        ),
      ),
      inventory: optional(inventory),
    },
    NotDiscovered: { reason: text },
    Unknown: unknown,
  },
  OPEN,
)

// Each kind of effect has a part of what can be found, and only that part.
const reportWith = <Part extends EffectFound>({ kind, read }: Reader<Part>): Reader<Reported> =>
  record<Reported>(
    'a report',
    {
      found: { kind, read },
      error: optional(error),
      source: optional(source),
      elsewhere: optional(text),
      submounts: optional(list(text)),
      missingHelper: optional(text),
    },
    OPEN,
  )

const OF_LOOKS = reportWith(found)
const OF_PROBES = reportWith(probed)
const OF_DISCOVERY = reportWith(discovered)

/** Reads what a host port has reported about an effect of this kind. Never throws. */
export const readReport = (kind: string, value: unknown): Reported | { readonly wrong: Wrong } => {
  const reader = kind === 'Discover' ? OF_DISCOVERY : kind === 'Probe' ? OF_PROBES : OF_LOOKS
  const read: Read<Reported> = readWith(reader, value)
  return isWrong(read) ? read : read.value
}
