// What is explored: how many of everything, and what may go wrong. A configuration is data; nothing else distinguishes runs.

import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
} from '@mountkeeper/border'
import type { Attachment, Settings } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'

/** What may happen beside requests and effects that end well. */
export interface Allowed {
  /** A command ends with an error, or with exit 0, whatever it did. */
  readonly errors: boolean
  /** No look can see how an effect ended. */
  readonly cannotTell: boolean
  /** What is found, also by discovery, is that only a person can change what is in the way. */
  readonly inTheWay: boolean
  /** An effect passes its deadline and ends later. */
  readonly timeOuts: boolean
  /** A mount appears, or what was unmounted disappears, only after its command has ended, within `settleMs`. */
  readonly late: boolean
  /** A mount comes without a flag that was demanded. */
  readonly bareMounts: boolean
  /** The mount table may spell the source of a mount differently. */
  readonly respelled: boolean
  /** Third parties take the flags from a layer of ours. */
  readonly flagsChange: boolean
  /** At most this many layers of third parties at a mountpoint; 0: there are none, and no third party unmounts ours. */
  readonly foreignLayers: number
  /** What third parties mount looks like what is asked for, unless a `Mount` of ours may still do its work there. */
  readonly twins: boolean
  /** The manager ends between any two steps, with all of its facts written or a part of the last, and begins again. */
  readonly crashes: boolean
  /** With a crash the whole machine may begin again. */
  readonly reboots: boolean
  readonly cancels: boolean
  readonly releases: boolean
  readonly deadlines: boolean
  readonly observations: boolean
  /** host-up and host-down are asked for; at most so many host-ups wait at once. */
  readonly wishes: number
  readonly reconciles: boolean
  readonly discoveryFails: boolean
  /** A slot is granted as soon as it is free, or at any later moment. */
  readonly grants: 'at once' | 'at any time'
}

export interface Configuration {
  readonly name: string
  readonly settings: Settings
  readonly places: readonly string[]
  readonly attachments: readonly Attachment[]
  readonly sources: readonly string[]
  /** At most so many requests wait at a mountpoint. */
  readonly waiting: number
  readonly allowed: Allowed
  /** What is there before anything begins. */
  readonly directories: readonly ('none' | 'theirs')[]
  readonly begins: 'up' | 'down'
  /** No state further away than so many steps; absent: to the fixed point. */
  readonly depth?: number
}

const ALL: Allowed = {
  errors: true,
  cannotTell: true,
  inTheWay: true,
  timeOuts: true,
  late: true,
  bareMounts: true,
  respelled: true,
  flagsChange: true,
  foreignLayers: 1,
  twins: false,
  crashes: true,
  reboots: false,
  cancels: true,
  releases: false,
  deadlines: true,
  observations: true,
  wishes: 0,
  reconciles: false,
  discoveryFails: true,
  grants: 'at once',
}

const NOTHING: Allowed = {
  errors: false,
  cannotTell: false,
  inTheWay: false,
  timeOuts: false,
  late: false,
  bareMounts: false,
  respelled: false,
  flagsChange: false,
  foreignLayers: 0,
  twins: false,
  crashes: false,
  reboots: false,
  cancels: false,
  releases: false,
  deadlines: false,
  observations: false,
  wishes: 0,
  reconciles: false,
  discoveryFails: false,
  grants: 'at once',
}

/**
 * Explored are `backOffSteps` steps of the back-off instead of eight, and two attempts to unmount instead of three: a step more
 * does what the one before it did.
 */
export const exploredSettings = (waiting: number, backOffSteps: number): Settings => ({
  roots: [{ path: '/m', ladder: 'off' }],
  types: { tmpfs: typeRule('tmpfs', ['*']) },
  policies: DEFAULT_POLICIES,
  limits: { ...DEFAULT_LIMITS, waitingPerMountpoint: waiting },
  slots: DEFAULT_SLOTS,
  deadlinesMs: DEFAULT_DEADLINES_MS,
  delaysMs: {
    ...DEFAULT_DELAYS_MS,
    unmountRetry: [500],
    backOffCeiling: DEFAULT_DELAYS_MS.backOffFirst * 2 ** (backOffSteps - 1),
  },
})

const HANGING: Settings['types'] = { tmpfs: { ...typeRule('tmpfs', ['*']), mayHang: true, server: 'source' } }

const attachment = (number: number): Attachment => ({ volume: `v${number}`, consumer: `c${number}` })

/** Two attachments and two filesystems with all there is: for the deep run. */
export const EVERYTHING: Configuration = {
  name: 'one mountpoint, two attachments, two filesystems, everything',
  settings: exploredSettings(2, 2),
  places: ['/m/a'],
  attachments: [attachment(1), attachment(2)],
  sources: ['f', 'g'],
  waiting: 2,
  allowed: ALL,
  directories: ['none', 'theirs'],
  begins: 'up',
}

/** Every effect ends in every way, third parties, crashes, cancel, deadlines: what runs in CI, to its fixed point. */
export const SHARED: Configuration = {
  ...EVERYTHING,
  name: 'one mountpoint, two attachments, two filesystems',
  settings: exploredSettings(2, 1),
  allowed: {
    ...ALL,
    inTheWay: false,
    late: false,
    bareMounts: false,
    respelled: false,
    flagsChange: false,
    observations: false,
    discoveryFails: false,
  },
  directories: ['none'],
}

/** A mount that is seen late or comes without its flags, observations, a directory of others: the rest, on one filesystem. */
export const ODD: Configuration = {
  ...EVERYTHING,
  name: 'late and bare mounts, observations, a directory of others',
  settings: exploredSettings(1, 1),
  attachments: [attachment(1)],
  sources: ['f', 'g'],
  waiting: 2,
  allowed: { ...ALL, respelled: false, flagsChange: false, inTheWay: false },
}

/** The table spells the source of a mount differently, and others take flags from ours: apart from `ODD`, which they would double. */
export const SPELLED: Configuration = {
  ...EVERYTHING,
  name: 'sources spelled differently, flags that others take',
  settings: exploredSettings(1, 1),
  attachments: [attachment(1)],
  sources: ['f', 'g'],
  waiting: 1,
  allowed: { ...SHARED.allowed, respelled: true, flagsChange: true },
  directories: ['none'],
}

/** Every report may be that another user may change the parent: who waits is answered at once, and nothing recorded is lost. */
export const OBSTRUCTED: Configuration = {
  ...EVERYTHING,
  name: 'what only a person can remove',
  settings: exploredSettings(2, 1),
  attachments: [attachment(1)],
  sources: ['f'],
  waiting: 2,
  allowed: { ...SHARED.allowed, inTheWay: true, cancels: false },
  directories: ['none'],
}

/** Two volumes of one consumer, that it gives back at once; slots are granted late, and the machine may begin again. */
export const RELEASED: Configuration = {
  ...EVERYTHING,
  name: 'one consumer that releases, slots granted late, reboots',
  settings: exploredSettings(1, 1),
  attachments: [
    { volume: 'v1', consumer: 'c1' },
    { volume: 'v2', consumer: 'c1' },
  ],
  sources: ['f'],
  waiting: 1,
  allowed: { ...SHARED.allowed, releases: true, reboots: true, grants: 'at any time' },
}

/** The table of the host (R6), with one request at a time behind it and effects that end well. */
export const HOST: Configuration = {
  ...EVERYTHING,
  name: 'the host',
  settings: exploredSettings(1, 1),
  attachments: [attachment(1)],
  sources: ['f'],
  waiting: 1,
  allowed: { ...NOTHING, deadlines: true, wishes: 2, reconciles: true, discoveryFails: true },
  directories: ['none'],
  begins: 'down',
}

/**
 * One mountpoint whose server may hang, and reconciles that probe it and mount again what was lost. Without cancel and deadlines,
 * by which an attach could be refused while a reconcile mounts, and claims, for the holder of the same name: no observer outside could
 * show whose claim is left then.
 */
export const PROBED: Configuration = {
  ...EVERYTHING,
  name: 'a server that may hang, probed at reconcile',
  directories: ['theirs'],
  settings: { ...exploredSettings(1, 1), types: HANGING },
  attachments: [attachment(1)],
  sources: ['f'],
  waiting: 1,
  allowed: { ...SHARED.allowed, reconciles: true, cancels: false, deadlines: false },
}

/** Third parties mount what looks like what is asked for: it is ours only where a `Mount` was emitted (L34). */
export const TWIN: Configuration = {
  ...EVERYTHING,
  name: 'third parties that mount what was asked for',
  directories: ['none'],
  settings: exploredSettings(1, 1),
  attachments: [attachment(1)],
  sources: ['f'],
  waiting: 1,
  allowed: { ...SHARED.allowed, cancels: false, twins: true },
}

/** Nothing but requests: nothing that the rules allow is refused. */
export const FAULTLESS: Configuration = {
  ...EVERYTHING,
  name: 'no faults',
  settings: exploredSettings(2, 1),
  allowed: { ...NOTHING, observations: true, releases: true },
}

const beside = exploredSettings(2, 1)

/** Two mountpoints of one server that may hang, with one slot between them; to a stated depth. */
export const BESIDE: Configuration = {
  ...EVERYTHING,
  name: 'two mountpoints, one slot',
  settings: {
    ...beside,
    types: HANGING,
    slots: { hanging: 2, perServer: 1, local: 1 },
  },
  places: ['/m/a', '/m/b'],
  sources: ['f'],
  waiting: 2,
  allowed: { ...ALL, wishes: 1, cancels: false, respelled: false, flagsChange: false, inTheWay: false },
  directories: ['none'],
  depth: 6,
}

/** Two mountpoints of two servers that may hang, with a slot for each and one in total: a server that hangs keeps only its own. */
export const SERVERS: Configuration = {
  ...EVERYTHING,
  name: 'two servers, one slot in all',
  settings: { ...BESIDE.settings, slots: { hanging: 1, perServer: 1, local: 1 } },
  places: ['/m/a', '/m/b'],
  attachments: [attachment(1)],
  waiting: 1,
  allowed: { ...NOTHING, timeOuts: true, grants: 'at any time' },
  directories: ['none'],
}

/** What the page of transitions is drawn from; `SHARED` has no edge besides. */
export const DRAWN: readonly Configuration[] = [
  HOST,
  FAULTLESS,
  PROBED,
  TWIN,
  OBSTRUCTED,
  RELEASED,
  ODD,
  SPELLED,
  SERVERS,
  BESIDE,
]

/** All that CI explores, each to its fixed point or its depth. */
export const IN_CI: readonly Configuration[] = [...DRAWN, SHARED]

/** Three attachments that may all wait, and everything that `SHARED` has: an hour and 7 GB to its fixed point. */
export const DEEP: Configuration = {
  ...EVERYTHING,
  name: 'one mountpoint, three attachments, two filesystems, three waiting',
  settings: exploredSettings(3, 1),
  attachments: [attachment(1), attachment(2), attachment(3)],
  waiting: 3,
  allowed: SHARED.allowed,
  directories: ['none'],
}

/** What `npm run explore` explores, in this order. */
export const IN_DEPTH: readonly Configuration[] = [
  ...IN_CI,
  EVERYTHING,
  { ...BESIDE, name: 'two mountpoints, one slot, further', depth: 8 },
  DEEP,
]
