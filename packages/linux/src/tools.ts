// What every effect has at hand, and the one way in which those with a command run: reach the parent directory, run, look.

import type {
  Appearance,
  CommandError,
  Filesystem,
  Found,
  MountpointEffect,
  RootIdentity,
  TypeRule,
} from '@mountkeeper/core'
import { serverOf, typeRule } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Command, CommandEnd, CommandRunner } from './command-runner.js'
import { close, ownProcess } from './descriptor.js'
import type { Shown } from './evidence.js'
import { TIMED_OUT, errorOf, ranOf, timedOut } from './evidence.js'
import type { Looker } from './gathering.js'
import type { LookRequest, Seen } from './look.js'
import type { Parent } from './reach.js'
import { reachParent } from './reach.js'
import { opensQuietly } from './mount-table.js'
import type { Orphans } from './orphans.js'
import type { Prober } from './prober.js'

/** Whether a source, or a path-valued option, is one that the type's patterns allow. Paths come with all links followed. */
export type SourceAllowed = (rule: TypeRule, source: string) => boolean

/** What the effects are run with. */
export interface Tools {
  readonly runner: CommandRunner
  readonly look: Looker
  /** Checks roots where that cannot block. */
  readonly directory: Prober['directory']
  readonly types: Readonly<Record<string, TypeRule>>
  readonly aliases: Readonly<Record<string, string>>
  readonly sourceAllowed: SourceAllowed
  /** The user the manager runs as: owner of roots and of files with secrets. */
  readonly uid: number
  readonly orphans: Orphans
}

/** What is allowed and known about a type; for one that is no longer configured, what is known and no source. */
export const ruleOf = (tools: Tools, type: string): TypeRule =>
  (Object.hasOwn(tools.types, type) ? tools.types[type] : undefined) ?? typeRule(type, [])

/** The milliseconds that are left of a deadline; at least one, for a command that is to be ended at once. */
export type Left = () => number

/** Starts the clock of an effect. */
export const leftOf = (deadlineMs: number): Left => {
  const end = performance.now() + deadlineMs
  return () => Math.max(1, end - performance.now())
}

const GROWTH: Appearance = { _tag: 'Growth' }

/** A look, or that it took too long; then `ended` resolves when it has ended after all. */
export type Looked = Seen | { readonly found: typeof TIMED_OUT; readonly ended: Promise<void> }

/** What may be mounted where this filesystem is expected. */
const mayBe = (filesystem: Filesystem | undefined): 'quiet' | 'anything' =>
  filesystem !== undefined && (filesystem.type === 'bind' || opensQuietly(filesystem.type)) ? 'quiet' : 'anything'

/** Gives up at the deadline; one that the looker itself gave up has ended, for nothing of it lives. */
const withinDeadline = async (seen: Promise<Seen>, deadlineMs: number): Promise<Looked> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Looked>((settle) => {
    timer = setTimeout(() => {
      settle({ found: TIMED_OUT, ended: seen.then(() => undefined) })
    }, deadlineMs)
  })
  const looked = await Promise.race([seen, late])
  clearTimeout(timer)
  if ('ended' in looked || looked.found._tag !== 'Unknown' || looked.found.why !== 'TimedOut') return looked
  return { found: TIMED_OUT, ended: Promise.resolve() }
}

/** Where somebody wants to look. */
export interface LookedAt {
  readonly mountpoint: string
  readonly root: RootIdentity | undefined
  readonly filesystem: Filesystem | undefined
  readonly mayBe: LookRequest['mayBe']
}

/** Looks at a mountpoint, and gives up at the deadline. */
export const lookAt = (tools: Tools, at: LookedAt, deadlineMs: number): Promise<Looked> => {
  const { mountpoint, filesystem } = at
  const alive = tools.orphans.at(mountpoint)
  if (alive !== undefined) return Promise.resolve({ found: { _tag: 'Unknown', why: 'CommandAlive', detail: alive } })
  const appears = filesystem === undefined ? GROWTH : ruleOf(tools, filesystem.type).appears
  const server = filesystem === undefined ? '' : serverOf(tools, filesystem)
  return withinDeadline(tools.look({ ...at, appears, server, deadlineMs }), deadlineMs)
}

/** Looks at the mountpoint of an effect. */
export const lookFor = (tools: Tools, effect: MountpointEffect, left: Left): Promise<Looked> => {
  const filesystem = 'filesystem' in effect ? effect.filesystem : undefined
  const isDirectory = effect._tag === 'MakeDirectory' || effect._tag === 'RemoveDirectory'
  const root = 'root' in effect ? effect.root : undefined
  // A mount beside one's own mkdir or rmdir is no reason to read the table for each.
  const expected = isDirectory ? 'quiet' : mayBe(filesystem)
  return lookAt(tools, { mountpoint: effect.mountpoint, root, filesystem, mayBe: expected }, left())
}

/** What a look says, as a report. */
export const reportOf = (looked: Looked, more: Pick<Report, 'error' | 'ran'> = {}): Report => ({ ...looked, ...more })

/** Nothing was run: why, as evidence in the place of a command's stderr. */
export const notRun = (found: Found, command: readonly string[], why: string): Report => {
  const error: CommandError = { command, stderr: why }
  return { found, error }
}

/** The parent directory held open, and its path for commands, which is the same for as long as it is held. */
export interface Held {
  readonly parent: Parent
  /** `/proc/PID/fd/N/NAME`: the mountpoint, reached through the descriptor. */
  readonly target: string
  readonly shown: Shown
}

/** Runs a command that changes something at a mountpoint, then looks. Resources of `hold` are closed when it has ended. */
export interface Change {
  readonly tools: Tools
  readonly effect: MountpointEffect & { readonly root: unknown }
  readonly left: Left
  readonly shown: Shown
  /** Descriptors that the command names, open until it has ended. */
  readonly hold: readonly number[]
}

/** Runs the command and reports what was found afterwards; closes what was held, at the latest when nothing of it lives. */
export const runAndLook = async (change: Change, command: Command): Promise<Report> => {
  const { tools, effect, left, shown, hold } = change
  const end: CommandEnd = await tools.runner.run(command)
  if (end._tag === 'TimedOut') {
    void end.ended.then(() => {
      close(...hold)
    })
    return timedOut(end, shown)
  }
  close(...hold)
  const looked = await lookFor(tools, effect, left)
  const error = errorOf(end, shown)
  return reportOf(looked, { ...(error === undefined ? {} : { error }), ran: [ranOf(end, shown)] })
}

/** Opens the parent of an effect's mountpoint, or reports what there is instead. `command` is what would have been run. */
export const holdParent = (
  effect: MountpointEffect & { readonly root: RootIdentity | undefined },
  command: readonly string[],
): Held | Report => {
  const reached = reachParent(effect.mountpoint, effect.root)
  if (isLeft(reached)) return notRun(reached.left.found, [...command, effect.mountpoint], reached.left.why)
  const parent = reached.right
  const directory = `${ownProcess()}/fd/${parent.place.fd}`
  const path = parent.path === '/' ? '' : parent.path
  return { parent, target: `${directory}/${parent.name}`, shown: [[`${directory}/`, `${path}/`]] }
}
