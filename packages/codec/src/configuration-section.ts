// The numbers and choices of the configuration, section by section, with their bounds and defaults. Defaults are core's;
// names carry their unit. A setting that core gains is a compile error here until it has a row.

import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
} from '@mountkeeper/border'
import type { Policies, Settings } from '@mountkeeper/core'
import type { LibvirtSettings } from './configured.js'
import type { Codec } from './decode-error.js'
import { typeNameCodec, uriCodec } from './form.js'
import type { Section, Setting } from './section.js'
import { policyCodecs } from './settings.js'
import { between, dictionary, list, optional, record, refined } from './shape.js'

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
  foreign: policy('foreign', 'Whether an attach adopts a matching mount that this manager did not create.'),
  keepMountedMs: duration(
    0,
    DEFAULT_POLICIES.keepMountedMs,
    'How long a mount stays after the last detach, for the next attach.',
  ),
  lost: policy('lost', 'Whether a mount that disappeared under its holders is only reported, or remounted.'),
  broken: policy(
    'broken',
    'Whether an attach to a mounted filesystem that does not respond is refused, or remounts it.',
  ),
  detachWhileDown: policy(
    'detachWhileDown',
    'Whether a detach while the host is down is refused, or removes the holder.',
  ),
  afterReboot: policy('afterReboot', 'How holders are treated after a reboot: kept as lost, remounted, or dropped.'),
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
    'Maximum requests that wait at one mountpoint; more are refused `Overloaded`.',
  ),
  waitingPerHost: number(
    1,
    1_000_000,
    DEFAULT_LIMITS.waitingPerHost,
    'Maximum requests that wait on the whole host; more are refused `Overloaded`.',
  ),
  waitingPerStream: number(
    1,
    1_000_000,
    DEFAULT_LIMITS.waitingPerStream,
    'Maximum requests that wait of one stream of requests that an embedding service names, and never more than half of `waitingPerHost` and of `waitingPerMountpoint`; more are refused `Overloaded`.',
  ),
  holdersPerMountpoint: number(
    1,
    10_000_000,
    DEFAULT_LIMITS.holdersPerMountpoint,
    'Maximum holders of one mountpoint; more are refused `Overloaded`.',
  ),
  options: number(0, 1024, DEFAULT_LIMITS.options, 'Maximum options in one request.'),
  memoryBytes: number(
    0,
    Number.MAX_SAFE_INTEGER,
    DEFAULT_LIMITS.memoryBytes,
    'Maximum memory of all tmpfs mounts together, with 1 KiB for each inode; a mount beyond it is refused `Overloaded`. The command limits the default to half of the memory of the host.',
  ),
  mountpointsPerHost: number(
    1,
    1_000_000,
    DEFAULT_LIMITS.mountpointsPerHost,
    'Maximum mountpoints with a record; an attach at another one is refused `Overloaded`.',
  ),
  holdersPerConsumer: number(
    1,
    10_000_000,
    DEFAULT_LIMITS.holdersPerConsumer,
    'Maximum attachments of one consumer; another one is refused `Overloaded`.',
  ),
  bytesPerRecord: number(
    1_024,
    65_536,
    DEFAULT_LIMITS.bytesPerRecord,
    'Maximum bytes of mountpoint, type, source and options together; a longer request is refused `Invalid`.',
  ),
}

/** `slots`. */
export const SLOT_SETTINGS: Section<Required<Settings['slots']>> = {
  hanging: number(
    1,
    1024,
    DEFAULT_SLOTS.hanging,
    'Maximum concurrent operations on filesystem types that can hang; from 4 on, one consumer gets at most half while others wait.',
  ),
  perServer: number(
    1,
    1024,
    DEFAULT_SLOTS.perServer,
    'Maximum concurrent operations on one server, so that a hanging server cannot use all slots.',
  ),
  perStream: number(
    1,
    1024,
    DEFAULT_SLOTS.perStream,
    'Maximum concurrent operations on filesystem types that can hang for one stream of requests that an embedding service names; half of `hanging` while other streams wait.',
  ),
  local: number(1, 65_536, DEFAULT_SLOTS.local, 'Maximum concurrent operations on filesystem types that cannot hang.'),
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
  requestMs: duration(1, DEFAULT_DEADLINES_MS.request, 'The deadline of a request without `deadlineMs`.'),
  lookMs: duration(1, DEFAULT_DEADLINES_MS.look, 'Deadline of a look at a mountpoint.'),
  directoryMs: duration(1, DEFAULT_DEADLINES_MS.directory, 'Deadline of creating or removing a directory.'),
  mountMs: duration(1, DEFAULT_DEADLINES_MS.mount, 'Deadline of the mount command.'),
  unmountMs: duration(1, DEFAULT_DEADLINES_MS.unmount, 'Deadline of the umount command.'),
  probeMs: duration(1, DEFAULT_DEADLINES_MS.probe, 'Deadline of a probe whether a mounted filesystem responds.'),
  discoverMs: duration(1, DEFAULT_DEADLINES_MS.discover, 'Deadline of the discovery of the host at host-up.'),
  perType: {
    codec: dictionary(typeNameCodec, typeDeadlines),
    default: {},
    meaning: 'Overrides per filesystem type: `lookMs`, `mountMs`, `unmountMs`, `probeMs` by name of the type.',
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
    'How long after a successful command a mount that is not visible yet may still appear.',
  ),
  unmountRetryMs: {
    codec: refined(
      list(between(0, DURATION_MS_MAX, MS)),
      `a list of at most ${ATTEMPTS_MAX} whole numbers of ms`,
      (delays) => delays.length <= ATTEMPTS_MAX,
    ),
    default: DEFAULT_DELAYS_MS.unmountRetry,
    meaning: 'Delays between the attempts of one detach to unmount; N delays allow N + 1 attempts.',
  },
  backOffFirstMs: duration(
    1,
    DEFAULT_DELAYS_MS.backOffFirst,
    'Delay before the first look in the background; it doubles for each next look.',
  ),
  backOffCeilingMs: duration(
    1,
    DEFAULT_DELAYS_MS.backOffCeiling,
    'The maximum delay between two looks in the background.',
  ),
  discoveryRetryMs: duration(1, DEFAULT_DELAYS_MS.discoveryRetry, 'Delay before a failed discovery is retried.'),
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
    meaning: 'The URI of the libvirt to query; the connection is read-only.',
  },
  limitMs: duration(1, 20_000, 'Deadline of the whole answer; if libvirt takes longer, the host stays down.'),
  keepaliveSeconds: {
    codec: between(0, 3_600, ' of seconds'),
    default: 5,
    meaning:
      'Interval of keepalive messages; a libvirt that does not answer for about three intervals is lost; 0: only a closed connection is lost.',
  },
  retryFirstMs: duration(1, 1_000, 'Delay before a lost libvirt is queried again; it doubles for each next try.'),
  retryCeilingMs: duration(1, 30_000, 'The maximum delay before a lost libvirt is queried again.'),
}

const JOURNAL_FACTS = 10_000

/** `journalFactsMax`. */
export const JOURNAL_FACTS_MAX: Setting<number> = number(
  1,
  10_000_000,
  JOURNAL_FACTS,
  'The journal is compacted when it has this many facts after its snapshot.',
)

const JOURNAL_BYTES = 16 * 1024 * 1024

/** `journalBytesMax`. */
export const JOURNAL_BYTES_MAX: Setting<number> = number(
  65_536,
  4 * 1024 * 1024 * 1024,
  JOURNAL_BYTES,
  'The journal is compacted when it has this many bytes after its snapshot, and at least as many as the snapshot.',
)

const WATCH_INTERVAL_MS = 30_000

/** `watchIntervalMs`. */
export const WATCH_INTERVAL: Setting<number> = duration(
  100,
  WATCH_INTERVAL_MS,
  'How often to read the mount table if perl, which waits for its changes, is missing.',
)
