// Settings: the policies, limits, delays and deadlines that decisions depend on (R5, R9, R11).
// They are part of the host, so that a trace that carries them can be replayed anywhere.

import type { TypeRule } from '@mountkeeper/types'

/** What follows a failed unmount: `off` nothing, `force` an abort of the requests that wait inside, `lazy` after that a lazy unmount. */
export type LadderPolicy = 'off' | 'force' | 'lazy'

/** How questions are decided that have more than one good answer; each has its default. */
export interface Policies {
  /**
   * Whether an attach adopts a matching mount that this manager did not create.
   *
   * @default "refuse"
   */
  readonly foreign: 'refuse' | 'adopt'
  /**
   * How long a mount stays after the last detach, for the next attach.
   *
   * @default 0
   */
  readonly keepMountedMs: number
  /**
   * Whether a mount that disappeared under its holders is only reported, or remounted.
   *
   * @default "report"
   */
  readonly lost: 'report' | 'remount'
  /**
   * Whether an attach to a mounted filesystem that does not respond is refused, or remounts it.
   *
   * @default "refuse"
   */
  readonly broken: 'refuse' | 'remount'
  /**
   * Whether a detach while the host is down is refused, or removes the holder.
   *
   * @default "refuse"
   */
  readonly detachWhileDown: 'refuse' | 'record'
  /**
   * How holders are treated after a reboot: kept as lost, remounted, or dropped.
   *
   * @default "keep"
   */
  readonly afterReboot: 'keep' | 'remount' | 'drop'
  /**
   * Whether a holder that a complete inventory does not show is kept, or dropped at discovery.
   *
   * @default "union"
   */
  readonly holders: 'union' | 'inventory'
  /**
   * Whether requests may ask for `suid`; otherwise `nosuid` is added to every mount.
   *
   * @default "refuse"
   */
  readonly suid: 'refuse' | 'allow'
  /**
   * Whether requests may ask for `dev`; otherwise `nodev` is added to every mount.
   *
   * @default "refuse"
   */
  readonly dev: 'refuse' | 'allow'
}

/** A managed root. */
export interface RootSettings {
  /** The directory: absolute, without `//`, `.` or `..`, and without an ending `/`. */
  readonly path: string
  /**
   * The steps after a failed unmount: none, an abort of requests that wait inside, or also a lazy unmount.
   *
   * @default 'off'
   */
  readonly ladder: LadderPolicy
}

/** Which secrets a request may refer to. */
export interface SecretSettings {
  /** Directories below which the files of secrets are; canonical and absolute. */
  readonly directories: readonly string[]
  /** Names of variables in the environment of the manager's process. */
  readonly environment: readonly string[]
}

/**
 * All that decisions depend on beside what is seen on the host. `defaultSettings(root)` gives them with every default.
 *
 * @example
 * ```ts
 * const settings = { ...defaultSettings('/srv/mounts'), types: { nfs: typeRule('nfs', ['server:/export/*']) } }
 * ```
 */
export interface Settings {
  /** The managed roots: every mountpoint is below one of them, and only this manager may mount there. */
  readonly roots: readonly RootSettings[]
  /** The allowed filesystem types, by name; all others are refused. `typeRule` makes one from the table of types. */
  readonly types: Readonly<Record<string, TypeRule>>
  /** Other names of servers, and the one name each is counted under; all in canonical form (`canonicalServer`). */
  readonly aliases?: Readonly<Record<string, string>>
  /** Where secrets may be; absent: nowhere. */
  readonly secrets?: SecretSettings
  /** How questions are decided that have more than one good answer. */
  readonly policies: Policies
  /** How many of each there may be. Those that may be absent are absent in older traces, which had no such limit. */
  readonly limits: {
    /**
     * Maximum requests that wait at one mountpoint; more are refused `Overloaded`.
     *
     * @default 1024
     */
    readonly waitingPerMountpoint: number
    /**
     * Maximum requests that wait on the whole host; more are refused `Overloaded`.
     *
     * @default 65536
     */
    readonly waitingPerHost: number
    /**
     * Maximum holders of one mountpoint; more are refused `Overloaded`.
     *
     * @default 1000000
     */
    readonly holdersPerMountpoint: number
    /**
     * Maximum options in one request.
     *
     * @default 64
     */
    readonly options: number
    /**
     * Maximum memory of all tmpfs mounts together, with 1 KiB for each inode; a mount beyond it is refused
     * `Overloaded`. The command limits the default to half of the memory of the host.
     *
     * @default 34359738368
     */
    readonly memoryBytes?: number
    /**
     * Maximum requests that wait of one stream of requests that an embedding service names, and never more than
     * half of `waitingPerHost` and of `waitingPerMountpoint`; more are refused `Overloaded`.
     *
     * @default 16384
     */
    readonly waitingPerStream?: number
    /**
     * Maximum mountpoints with a record; an attach at another one is refused `Overloaded`.
     *
     * @default 50000
     */
    readonly mountpointsPerHost?: number
    /**
     * Maximum attachments of one consumer; another one is refused `Overloaded`.
     *
     * @default 10000
     */
    readonly holdersPerConsumer?: number
    /**
     * Maximum bytes of mountpoint, type, source and options together; a longer request is refused `Invalid`.
     *
     * @default 12288
     */
    readonly bytesPerRecord?: number
  }
  /** How many operations run at the same time. */
  readonly slots: {
    /**
     * Maximum concurrent operations on filesystem types that can hang; from 4 on, one consumer gets at most half
     * while others wait.
     *
     * @default 16
     */
    readonly hanging: number
    /**
     * Maximum concurrent operations on one server, so that a hanging server cannot use all slots.
     *
     * @default 4
     */
    readonly perServer: number
    /**
     * Maximum concurrent operations on filesystem types that can hang for one stream of requests that an
     * embedding service names; half of `hanging` while other streams wait.
     *
     * @default 12
     */
    readonly perStream?: number
    /**
     * Maximum concurrent operations on filesystem types that cannot hang.
     *
     * @default 512
     */
    readonly local: number
  }
  /** How long each operation may take, milliseconds; then the request is answered, and its command watched until it ends. */
  readonly deadlinesMs: {
    /**
     * The deadline of a request without `deadlineMs`. Milliseconds.
     *
     * @default 180000
     */
    readonly request: number
    /**
     * Deadline of a look at a mountpoint. Milliseconds.
     *
     * @default 10000
     */
    readonly look: number
    /**
     * Deadline of creating or removing a directory. Milliseconds.
     *
     * @default 10000
     */
    readonly directory: number
    /**
     * Deadline of the mount command. Milliseconds.
     *
     * @default 120000
     */
    readonly mount: number
    /**
     * Deadline of the umount command. Milliseconds.
     *
     * @default 60000
     */
    readonly unmount: number
    /**
     * Deadline of a probe whether a mounted filesystem responds. Milliseconds.
     *
     * @default 5000
     */
    readonly probe: number
    /**
     * Deadline of the discovery of the host at host-up. Milliseconds.
     *
     * @default 60000
     */
    readonly discover: number
    /** Per type, where it differs; directories are of no type. */
    readonly perType: Readonly<
      Record<
        string,
        { readonly look?: number; readonly mount?: number; readonly unmount?: number; readonly probe?: number }
      >
    >
  }
  /** How long is waited between attempts, milliseconds. */
  readonly delaysMs: {
    /**
     * How long after a successful command a mount that is not visible yet may still appear. Milliseconds.
     *
     * @default 1000
     */
    readonly settle: number
    /**
     * Delays between the attempts of one detach to unmount; N delays allow N + 1 attempts. Milliseconds.
     *
     * @default [500,2000]
     */
    readonly unmountRetry: readonly number[]
    /**
     * Delay before the first look in the background; it doubles for each next look. Milliseconds.
     *
     * @default 5000
     */
    readonly backOffFirst: number
    /**
     * The maximum delay between two looks in the background. Milliseconds.
     *
     * @default 600000
     */
    readonly backOffCeiling: number
    /**
     * Delay before a failed discovery is retried. Milliseconds.
     *
     * @default 10000
     */
    readonly discoveryRetry: number
  }
}
