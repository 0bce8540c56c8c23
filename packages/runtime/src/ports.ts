// The ports: what the runtime needs from outside. The Linux adapter and the simulator are implementations of `HostPort`;
// neither knows anything about holders, phases or requests.

import type { CommandError, Discover, EffectFound, Fact, MountpointEffect, SourceSeen } from '@mountkeeper/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** One command that was run for an effect, as evidence for people. Secrets are never in it. */
export interface Ran {
  readonly command: readonly string[]
  readonly exitStatus: number | undefined
  readonly signal: string | undefined
  readonly stderr: string
  readonly durationMs: number
}

/** How an effect ended, or that its deadline passed. */
export interface Report {
  readonly found: EffectFound
  readonly error?: CommandError
  readonly source?: SourceSeen
  /** Where the recorded layer is mounted now, if a look or an unmount did not find it at its path. */
  readonly elsewhere?: string
  /** The first of the mounts below the source of a bind that was looked at or mounted. */
  readonly submounts?: readonly string[]
  /** Of a look: where the program that mounts the filesystem's type is expected, and not installed. */
  readonly missingHelper?: string
  readonly ran?: readonly Ran[]
  /**
   * Present exactly when the deadline passed (`found` is `Unknown { TimedOut }`): resolves once, when no process of the
   * effect lives any more. It may never.
   */
  readonly ended?: Promise<void>
}

/**
 * Runs effects on a host. Never rejects: what goes wrong is in the report. Settles at the effect's deadline at the latest.
 * `started` may be called with each process that runs for the effect, so that a stop can name what it leaves.
 */
export interface HostPort {
  readonly run: (effect: MountpointEffect | Discover, started?: (pid: number) => void) => Promise<Report>
}

/** The journal could not make facts durable; the manager has to stop. */
export interface JournalFailed {
  readonly _tag: 'JournalFailed'
  readonly why: string
}

/** Where facts become durable, in the order of the calls. */
export interface Journal {
  /** All facts there are, oldest first; called once, before anything is appended. */
  readonly read: TaskEither<JournalFailed, readonly Fact[]>
  /** Resolves when these facts, and so all before them, are durable. */
  readonly append: (facts: readonly Fact[]) => TaskEither<JournalFailed, void>
}

/** Time. Only the runtime looks at a clock; it passes the time to the core. */
export interface Timers {
  /** Wall clock, ms since the epoch. */
  readonly now: () => number
  /**
   * Calls once after `delayMs`, never before this returned; the returned function calls it off. Does not by itself keep
   * the process alive: a back-off of ten minutes is no reason to stay.
   */
  readonly after: (delayMs: number, call: () => void) => () => void
  /**
   * Keeps the process alive until the returned function is called: the loop asks for it while a request is unanswered or
   * an effect runs. Absent where there is no process to keep.
   */
  readonly hold?: () => () => void
}

/** Another manager owns a root or the state directory, or the lock could not be taken. */
export interface NotLocked {
  readonly _tag: 'NotLocked'
  readonly directory: string
  /** One sentence: who holds it, with the pid where it can be seen, and what to do. */
  readonly why: string
}

/** A lock that is held until it is released or its process ends. */
export interface Lock {
  readonly release: () => Promise<void>
  /** Resolves when the lock was lost, for example because its holder process was killed. */
  readonly lost: Promise<void>
  /**
   * The manager that has one of these mountpoints, or a directory above one, as its root: for those that the journal knows.
   * Absent where there can be no other manager.
   */
  readonly inTheWay?: (mountpoints: Iterable<string>) => Promise<NotLocked | undefined>
}

/** Takes all locks of a manager, or none. */
export interface Locks {
  readonly acquire: (directories: readonly string[]) => TaskEither<NotLocked, Lock>
}

/** One file in use, according to an outside authority such as libvirt. */
export interface UsedFile {
  /** Absolute; as the authority has it, which has followed no links. */
  readonly path: string
  readonly volume: string
  readonly consumer: string
}

/** All files in use, wherever they are, and when (wall clock, ms) the authority began to be asked. */
export interface FilesInUse {
  readonly startedAt: number
  readonly files: readonly UsedFile[]
}

/** The authority gave no complete answer; nothing follows from it, least of all that nothing is in use (L28). */
export interface InventoryFailed {
  readonly _tag: 'InventoryFailed'
  /** One sentence: what was wrong, and with what. */
  readonly why: string
}

/**
 * What is heard of an authority without asking. `Lost`: it no longer answers. `Back`: it answers, for the first time or
 * again. `Changed`: a consumer came, went or changed.
 */
export type InventoryNews =
  { readonly _tag: 'Lost'; readonly why: string } | { readonly _tag: 'Back' } | { readonly _tag: 'Changed' }

/** An outside authority on who uses what. */
export interface InventoryPort {
  /** All that is in use, or a failure; never a part of it. Settles within `limitMs`. */
  readonly ask: (limitMs: number) => TaskEither<InventoryFailed, FilesInUse>
  /**
   * Watches until the returned function is called, which lets go of everything at once. `Lost` and `Back` alternate and the
   * first of them is a `Back`. Does not keep the process alive.
   */
  readonly watch: (listener: (news: InventoryNews) => void) => () => void
}
