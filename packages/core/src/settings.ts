// Settings: the policies, limits, delays and deadlines that decisions depend on (R5, R9, R11).
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
    /** Requests that wait of one stream that the embedder names; never more than half of those of the host. */
    readonly waitingPerStream?: number
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
