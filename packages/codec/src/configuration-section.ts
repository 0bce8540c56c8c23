// The numbers and choices of the configuration, section by section, with their bounds and defaults. Defaults are core's;
// names carry their unit. A setting that core gains is a compile error here until it has a row.

import type { Policies, Settings } from '@mountkeeper/core'
import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
} from '@mountkeeper/core'
import type { LibvirtSettings } from './configured.js'
import type { Codec } from './decode-error.js'
import type { Section, Setting } from './section.js'
import { policyCodecs } from './settings.js'
import { between, dictionary, list, optional, record, refined } from './shape.js'
import { typeNameCodec, uriCodec } from './form.js'

/** One day: the longest delay or deadline that may be configured, in ms. */
export const DURATION_MS_MAX = 86_400_000

const MS = ' of ms'
const ATTEMPTS_MAX = 10

const number = (least: number, most: number, value: number, meaning: string): Setting<number> => ({
  codec: between(least, most),
  default: value,
  meaning,
})

const duration = (least: number, value: number, meaning: string): Setting<number> => ({
  codec: between(least, DURATION_MS_MAX, MS),
  default: value,
  meaning,
})

const policy = <K extends keyof Policies>(name: K, meaning: string): Setting<Policies[K]> => ({
  codec: policyCodecs[name],
  default: DEFAULT_POLICIES[name],
  meaning,
})

/** `policies`. */
export const POLICY_SETTINGS: Section<Policies> = {
  foreign: policy('foreign', 'What an attach does with a fitting layer that this manager did not mount.'),
  keepMountedMs: duration(
    0,
    DEFAULT_POLICIES.keepMountedMs,
    'How long the last detach leaves the layer mounted for the next attach.',
  ),
  lost: policy('lost', 'Whether a layer that vanished under its holders is only reported, or mounted again.'),
  broken: policy('broken', 'Whether an attach to a filesystem that is mounted and dead is refused, or mounts it anew.'),
  detachWhileDown: policy('detachWhileDown', 'Whether a detach while the host is down is refused, or ends the holder.'),
  afterReboot: policy(
    'afterReboot',
    'What becomes of holders after a reboot: kept as lost, mounted again, or dropped.',
  ),
  holders: policy(
    'holders',
    'Whether a holder that a complete inventory does not show is kept, or dropped at discovery.',
  ),
  suid: policy('suid', 'Whether requests may ask for `suid`; otherwise `nosuid` is added to every mount.'),
  dev: policy('dev', 'Whether requests may ask for `dev`; otherwise `nodev` is added to every mount.'),
}

/** `limits`. */
export const LIMIT_SETTINGS: Section<Required<Settings['limits']>> = {
  waitingPerMountpoint: number(
    1,
    1_000_000,
    DEFAULT_LIMITS.waitingPerMountpoint,
    'Requests that may wait at one mountpoint; more are refused `Overloaded`.',
  ),
  waitingPerHost: number(
    1,
    1_000_000,
    DEFAULT_LIMITS.waitingPerHost,
    'Requests that may wait on the whole host; more are refused `Overloaded`.',
  ),
  holdersPerMountpoint: number(
    1,
    10_000_000,
    DEFAULT_LIMITS.holdersPerMountpoint,
    'Holders that one mountpoint may have; more are refused `Overloaded`.',
  ),
  options: number(0, 1024, DEFAULT_LIMITS.options, 'Options that one request may ask for.'),
  memoryBytes: number(
    0,
    Number.MAX_SAFE_INTEGER,
    DEFAULT_LIMITS.memoryBytes,
    'Memory that all tmpfs mounts together may take, with 1 KiB for each inode; one more is refused `Overloaded`. The command takes at most half of the memory of the host for the default.',
  ),
  mountpointsPerHost: number(
    1,
    1_000_000,
    DEFAULT_LIMITS.mountpointsPerHost,
    'Mountpoints with a record; an attach at one more is refused `Overloaded`.',
  ),
  holdersPerConsumer: number(
    1,
    10_000_000,
    DEFAULT_LIMITS.holdersPerConsumer,
    'Attachments that one consumer may have when it asks for one more, which is refused `Overloaded`.',
  ),
  bytesPerRecord: number(
    1_024,
    65_536,
    DEFAULT_LIMITS.bytesPerRecord,
    'Bytes of mountpoint, type, source and options together; a longer request is refused `Invalid`.',
  ),
}

/** `slots`. */
export const SLOT_SETTINGS: Section<Settings['slots']> = {
  hanging: number(
    1,
    1024,
    DEFAULT_SLOTS.hanging,
    'Mountpoints of types that can hang that are worked on at once; from 4 on one consumer has at most half while others wait.',
  ),
  perServer: number(1, 1024, DEFAULT_SLOTS.perServer, 'The same for one server; a server that hangs takes no more.'),
  local: number(1, 65_536, DEFAULT_SLOTS.local, 'Mountpoints of types that cannot hang that are worked on at once.'),
}

type Deadlines = Settings['deadlinesMs']
type WithUnit<A> = { readonly [K in keyof A as K extends string ? `${K}Ms` : never]: A[K] }

/** The deadlines that a type has of its own, as the file names them. */
export type TypeDeadlines = WithUnit<Deadlines['perType'][string]>

/** `deadlines`, as the file names them. */
export type DeadlineSection = WithUnit<Omit<Deadlines, 'perType'>> & {
  readonly perType: Readonly<Record<string, TypeDeadlines>>
}

const bound: Codec<number> = between(1, DURATION_MS_MAX, MS)

const typeDeadlines: Codec<TypeDeadlines> = record('an object with lookMs, mountMs, unmountMs or probeMs', {
  lookMs: optional(bound),
  mountMs: optional(bound),
  unmountMs: optional(bound),
  probeMs: optional(bound),
})

/** `deadlines`. */
export const DEADLINE_SETTINGS: Section<DeadlineSection> = {
  requestMs: duration(
    1,
    DEFAULT_DEADLINES_MS.request,
    'When a request that names no `deadlineMs` is answered at last.',
  ),
  lookMs: duration(1, DEFAULT_DEADLINES_MS.look, 'For seeing what is at a mountpoint.'),
  directoryMs: duration(1, DEFAULT_DEADLINES_MS.directory, 'For making or removing a directory.'),
  mountMs: duration(1, DEFAULT_DEADLINES_MS.mount, 'For the mount command.'),
  unmountMs: duration(1, DEFAULT_DEADLINES_MS.unmount, 'For the umount command.'),
  probeMs: duration(1, DEFAULT_DEADLINES_MS.probe, 'For a mounted filesystem to show that it answers.'),
  discoverMs: duration(1, DEFAULT_DEADLINES_MS.discover, 'For reading the whole host when it comes up.'),
  perType: {
    codec: dictionary(typeNameCodec, typeDeadlines),
    default: {},
    meaning: 'For types that take another time: `lookMs`, `mountMs`, `unmountMs`, `probeMs` by name of the type.',
  },
}

/** Deadlines as core knows them. */
export const deadlinesOf = (section: DeadlineSection): Deadlines => ({
  request: section.requestMs,
  look: section.lookMs,
  directory: section.directoryMs,
  mount: section.mountMs,
  unmount: section.unmountMs,
  probe: section.probeMs,
  discover: section.discoverMs,
  perType: Object.fromEntries(
    Object.entries(section.perType).map(([type, { lookMs, mountMs, unmountMs, probeMs }]) => [
      type,
      {
        ...(lookMs === undefined ? {} : { look: lookMs }),
        ...(mountMs === undefined ? {} : { mount: mountMs }),
        ...(unmountMs === undefined ? {} : { unmount: unmountMs }),
        ...(probeMs === undefined ? {} : { probe: probeMs }),
      },
    ]),
  ),
})

type Delays = Settings['delaysMs']

/** `delays`, as the file names them. */
export type DelaySection = WithUnit<Delays>

/** `delays`. */
export const DELAY_SETTINGS: Section<DelaySection> = {
  settleMs: duration(
    0,
    DEFAULT_DELAYS_MS.settle,
    'How long after its command ended well a mount that is not to be seen yet may still appear.',
  ),
  unmountRetryMs: {
    codec: refined(
      list(between(0, DURATION_MS_MAX, MS)),
      `a list of at most ${ATTEMPTS_MAX} whole numbers of ms`,
      (delays) => delays.length <= ATTEMPTS_MAX,
    ),
    default: DEFAULT_DELAYS_MS.unmountRetry,
    meaning: 'Between the attempts of one detach to unmount; there is one attempt more than the list is long.',
  },
  backOffFirstMs: duration(
    1,
    DEFAULT_DELAYS_MS.backOffFirst,
    'Until the first look in the background; each next waits twice as long.',
  ),
  backOffCeilingMs: duration(
    1,
    DEFAULT_DELAYS_MS.backOffCeiling,
    'The longest wait between two looks in the background.',
  ),
  discoveryRetryMs: duration(1, DEFAULT_DELAYS_MS.discoveryRetry, 'Until discovery that failed is tried again.'),
}

/** Delays as core knows them. */
export const delaysOf = (section: DelaySection): Delays => ({
  settle: section.settleMs,
  unmountRetry: section.unmountRetryMs,
  backOffFirst: section.backOffFirstMs,
  backOffCeiling: section.backOffCeilingMs,
  discoveryRetry: section.discoveryRetryMs,
})

/** `inventory.libvirt`. */
export const LIBVIRT_SETTINGS: Section<LibvirtSettings> = {
  uri: {
    codec: uriCodec,
    default: 'qemu:///system',
    meaning: 'Which libvirt is asked; the connection is read-only.',
  },
  limitMs: duration(1, 20_000, 'For the whole answer; a libvirt that takes longer leaves the host down.'),
  keepaliveSeconds: {
    codec: between(0, 3_600, ' of seconds'),
    default: 5,
    meaning: 'A libvirt that does not answer for about three times as long counts as lost; 0: only one that ends.',
  },
  retryFirstMs: duration(1, 1_000, 'Until a libvirt that was lost is asked again; each next wait is twice as long.'),
  retryCeilingMs: duration(1, 30_000, 'The longest wait until a libvirt that was lost is asked again.'),
}

const JOURNAL_FACTS = 10_000

/** `journalFactsMax`. */
export const JOURNAL_FACTS_MAX: Setting<number> = number(
  1,
  10_000_000,
  JOURNAL_FACTS,
  'From so many facts after its snapshot on the journal is made shorter.',
)

const JOURNAL_BYTES = 16 * 1024 * 1024

/** `journalBytesMax`. */
export const JOURNAL_BYTES_MAX: Setting<number> = number(
  65_536,
  4 * 1024 * 1024 * 1024,
  JOURNAL_BYTES,
  'From so many bytes after its snapshot on, and as many as that has, the journal is made shorter.',
)

const WATCH_INTERVAL_MS = 30_000

/** `watchIntervalMs`. */
export const WATCH_INTERVAL: Setting<number> = duration(
  100,
  WATCH_INTERVAL_MS,
  'How often the mount table is read where perl, which waits for its changes, is missing.',
)
