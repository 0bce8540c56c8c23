// Settings: the policies, limits, delays and deadlines that decisions depend on, with their defaults (R5, R9, R11).
// They are part of the host, so that a trace that carries them can be replayed anywhere.

import type { TypeRule } from '@mountkeeper/types'

export type LadderPolicy = 'off' | 'force' | 'lazy'

export interface Policies {
  readonly foreign: 'refuse' | 'adopt'
  /** How long the last detach leaves the layer mounted for the next attach, ms; 0 is not at all. */
  readonly keepMountedMs: number
  readonly lost: 'report' | 'remount'
  readonly broken: 'refuse' | 'remount'
  readonly detachWhileDown: 'refuse' | 'record'
  readonly afterReboot: 'keep' | 'remount' | 'drop'
  /** Whether a holder that only the journal knows is kept, or dropped at discovery when an older inventory does not show it. */
  readonly holders: 'union' | 'inventory'
  readonly suid: 'refuse' | 'allow'
  readonly dev: 'refuse' | 'allow'
}

export interface RootSettings {
  readonly path: string
  readonly ladder: LadderPolicy
}

/** Which secrets a request may refer to. */
export interface SecretSettings {
  /** Directories below which the files of secrets are; canonical and absolute. */
  readonly directories: readonly string[]
  /** Names of variables in the environment of the manager's process. */
  readonly environment: readonly string[]
}

export interface Settings {
  readonly roots: readonly RootSettings[]
  readonly types: Readonly<Record<string, TypeRule>>
  /** Other names of servers, and the one name each is counted under; all in canonical form (`canonicalServer`). */
  readonly aliases?: Readonly<Record<string, string>>
  /** Where secrets may be; absent: nowhere. */
  readonly secrets?: SecretSettings
  readonly policies: Policies
  readonly limits: {
    readonly waitingPerMountpoint: number
    readonly waitingPerHost: number
    readonly holdersPerMountpoint: number
    readonly options: number
    /** Memory of this host that all filesystems in memory may take together, bytes; absent in old traces, where it is none. */
    readonly memoryBytes?: number
    // Absent in older traces, which had none of these limits.
    /** Mountpoints with a record. */
    readonly mountpointsPerHost?: number
    /** Attachments of one consumer, wherever they are. */
    readonly holdersPerConsumer?: number
    /** Mountpoint, type, source and options together, in bytes: what the journal keeps of a request. */
    readonly bytesPerRecord?: number
  }
  readonly slots: {
    readonly hanging: number
    readonly perServer: number
    /** Of those for types that can hang, for one stream that the embedder names; absent in older traces: no limit but the total. */
    readonly perStream?: number
    readonly local: number
  }
  readonly deadlinesMs: {
    readonly request: number
    readonly look: number
    readonly directory: number
    readonly mount: number
    readonly unmount: number
    readonly probe: number
    readonly discover: number
    /** Per type, where it differs; directories are of no type. */
    readonly perType: Readonly<
      Record<
        string,
        { readonly look?: number; readonly mount?: number; readonly unmount?: number; readonly probe?: number }
      >
    >
  }
  readonly delaysMs: {
    /** How long after its command's end a mount may still become visible. */
    readonly settle: number
    /** Between the attempts of one detach to unmount; their number is one more than the list is long. */
    readonly unmountRetry: readonly number[]
    readonly backOffFirst: number
    readonly backOffCeiling: number
    readonly discoveryRetry: number
  }
}

export const DEFAULT_POLICIES: Policies = {
  foreign: 'refuse',
  keepMountedMs: 0,
  lost: 'report',
  broken: 'refuse',
  detachWhileDown: 'refuse',
  afterReboot: 'keep',
  holders: 'union',
  suid: 'refuse',
  dev: 'refuse',
}

export const DEFAULT_LIMITS: Required<Settings['limits']> = {
  waitingPerMountpoint: 1024,
  waitingPerHost: 65_536,
  holdersPerMountpoint: 1_000_000,
  options: 64,
  memoryBytes: 34_359_738_368,
  // Half of what the kernel allows in a mount namespace (fs.mount-max).
  mountpointsPerHost: 50_000,
  holdersPerConsumer: 10_000,
  // A path, a source and options as long as each may be, but for options that are not passed on.
  bytesPerRecord: 12_288,
}

export const DEFAULT_SLOTS: Required<Settings['slots']> = { hanging: 16, perServer: 4, perStream: 12, local: 512 }

export const DEFAULT_DEADLINES_MS: Settings['deadlinesMs'] = {
  request: 180_000,
  look: 10_000,
  directory: 10_000,
  mount: 120_000,
  unmount: 60_000,
  probe: 5_000,
  discover: 60_000,
  perType: {},
}

export const DEFAULT_DELAYS_MS: Settings['delaysMs'] = {
  settle: 1_000,
  unmountRetry: [500, 2_000],
  backOffFirst: 5_000,
  backOffCeiling: 600_000,
  discoveryRetry: 10_000,
}
