// What every effect has at hand, and the one way in which those with a command run: reach the parent directory, run, look.

import type {
  CommandError,
  Filesystem,
  Found,
  Identity,
  MountpointEffect,
  RootIdentity,
  SecretSettings,
} from '@mountkeeper/core'
import { serverOf } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { TypeRule } from '@mountkeeper/types'
import { typeRule } from '@mountkeeper/types'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Clock, Left } from './clock.js'
import { resolvesWithin } from './clock.js'
import type { Command, CommandEnd, CommandRunner, Outlived } from './command-runner.js'
import { close } from './descriptor.js'
import type { Shown } from './evidence.js'
import { TIMED_OUT, errorOf, ranOf, timedOut } from './evidence.js'
import type { Looker } from './gathering.js'
import type { LookRequest, Seen } from './look.js'
import { opensQuietly } from './mount-table.js'
import type { Orphans } from './orphans.js'
import type { Prober } from './prober.js'
import type { Target } from './root-descriptors.js'
import { targetOf } from './root-descriptors.js'
import type { HandedOn } from './secret.js'
import type { SourceRule } from './source.js'
import type { Trust } from './trust.js'

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
  /** Put before mount and umount. */
  readonly prefix: readonly string[]
  /** Which secrets mounts may use. */
  readonly secrets: SecretSettings | undefined
  /** Who may own their files: root and the manager, also where roots belong to root alone. */
  readonly secretTrust: Trust
  /** Keeps this process and its children out of core dumps, once; says why that failed. */
  readonly limitCores: () => Promise<string | undefined>
  /** The user the manager runs as: owner of roots and of files with secrets. */
  readonly uid: number
  /** Who may change directories above and below this root; without one only root and the manager. */
  readonly trustFor: (root: string | undefined) => Trust
  readonly orphans: Orphans
  readonly clock: Clock
}

/** What is allowed and known about a type; for one that is no longer configured, what is known and no source. */
export const ruleOf = (tools: Tools, type: string): TypeRule =>
  (Object.hasOwn(tools.types, type) ? tools.types[type] : undefined) ?? typeRule(type, [])

/** A path at which no caller expects a filesystem is not resolved. */
const NO_PATHS: SourceRule = { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] }

/** A look, or that it took too long; then `ended` resolves when it has ended after all. */
export type Looked = Seen | { readonly found: typeof TIMED_OUT; readonly ended: Promise<void> }

/** What may be mounted where this filesystem is expected. */
const mayBe = (filesystem: Filesystem | undefined): 'quiet' | 'anything' =>
  filesystem !== undefined && (filesystem.type === 'bind' || opensQuietly(filesystem.type)) ? 'quiet' : 'anything'

/** Gives up at the deadline; one that the looker itself gave up has ended, for nothing of it lives. */
const withinDeadline = async (clock: Clock, seen: Promise<Seen>, deadlineMs: number): Promise<Looked> => {
  if (!(await resolvesWithin(clock, seen, deadlineMs))) {
    return { found: TIMED_OUT, ended: seen.then(() => undefined) }
  }
  const looked = await seen
  if (looked.found._tag !== 'Unknown' || looked.found.why !== 'TimedOut') return looked
  return { found: TIMED_OUT, ended: Promise.resolve() }
}

/** Where a caller wants to look. */
export interface LookedAt {
  readonly mountpoint: string
  readonly root: RootIdentity | undefined
  readonly filesystem: Filesystem | undefined
  readonly layer?: LookRequest['layer']
  readonly mayBe: LookRequest['mayBe']
  readonly named?: LookRequest['named']
}

const sourceRule = ({ appears, sourceIsPath, pathOptions }: TypeRule): SourceRule => ({
  appears,
  sourceIsPath,
  pathOptions,
})

/** Looks at a mountpoint, and gives up at the deadline. */
export const lookAt = (tools: Tools, at: LookedAt, deadlineMs: number): Promise<Looked> => {
  const { mountpoint, filesystem } = at
  const alive = tools.orphans.at(mountpoint)
  if (alive !== undefined) return Promise.resolve({ found: { _tag: 'Unknown', why: 'CommandAlive', detail: alive } })
  const rule = filesystem === undefined ? NO_PATHS : sourceRule(ruleOf(tools, filesystem.type))
  const server = filesystem === undefined ? '' : serverOf(tools, filesystem)
  return withinDeadline(
    tools.clock,
    tools.look({ ...at, trust: tools.trustFor(at.root?.path), rule, server, deadlineMs }),
    deadlineMs,
  )
}

/** What is known when a command has ended. */
interface After {
  readonly named?: LookRequest['named']
  readonly succeeded?: boolean
}

/**
 * Which layer is searched for in the whole table if it is not at the mountpoint. What umount(8) says that it took off is not: the
 * kernel gives the numbers of a mount that is gone to the next one, and a layer elsewhere that looks the same is that one.
 */
const soughtLayer = (effect: MountpointEffect, succeeded: boolean): Identity | undefined => {
  if (effect._tag === 'Look') return effect.layer
  return effect._tag === 'Unmount' && !succeeded ? effect.identity : undefined
}

/** Looks at the mountpoint of an effect. */
export const lookFor = (
  tools: Tools,
  effect: MountpointEffect,
  left: Left,
  { named, succeeded = false }: After = {},
): Promise<Looked> => {
  const filesystem = 'filesystem' in effect ? effect.filesystem : undefined
  const isDirectory = effect._tag === 'MakeDirectory' || effect._tag === 'RemoveDirectory'
  const root = 'root' in effect ? effect.root : undefined
  // A mount beside one's own mkdir or rmdir is no reason to read the table for each.
  const expected = isDirectory ? 'quiet' : mayBe(filesystem)
  const layer = soughtLayer(effect, succeeded)
  return lookAt(tools, { mountpoint: effect.mountpoint, root, filesystem, layer, mayBe: expected, named }, left())
}

/** What a look says, as a report. */
export const reportOf = (looked: Looked, more: Pick<Report, 'error' | 'ran'> = {}): Report => ({ ...looked, ...more })

/** Nothing was run: why, as evidence in the place of a command's stderr. */
export const notRun = (found: Found, command: readonly string[], why: string): Report => {
  const error: CommandError = { command, stderr: why }
  return { found, error }
}

/** Runs a command that changes something at a mountpoint, then looks. Resources of `hold` are closed when it has ended. */
export interface Change {
  readonly tools: Tools
  readonly effect: MountpointEffect & { readonly root: unknown }
  readonly left: Left
  readonly shown: Shown
  /** Descriptors that the command names, open until nothing of it lives. */
  readonly hold: readonly number[]
  /** What it gets on its standard input, disposed of when nothing of it lives. */
  readonly secret?: HandedOn | undefined
  /** What descriptors in its arguments lead to. */
  readonly named?: LookRequest['named']
  /** Whether this is what the command is run for. Asked while the command has exited and something of its session lives. */
  readonly isDone?: (found: Found) => boolean
  /** Whether it has not been done and may be run once more: asked where one command was run for this and for others. */
  readonly isOwed?: (found: Found) => boolean
}

const OUTLIVED_FIRST_MS = 50
const OUTLIVED_CEILING_MS = 1_000

/**
 * Waits for what a command left running in its session: what it does late is part of the command. It ends early when what the
 * command is for is done, for then it is a daemon that has made no session of its own, and at the deadline it is ended.
 */
const awaitOutlived = async (change: Change, end: CommandEnd, outlived: Outlived): Promise<Report | undefined> => {
  const { tools, effect, left, shown, isDone } = change
  for (let delayMs = OUTLIVED_FIRST_MS; ; delayMs = Math.min(2 * delayMs, OUTLIVED_CEILING_MS)) {
    if (await resolvesWithin(tools.clock, outlived.over, Math.min(delayMs, left()))) return undefined
    if (left() <= 1) return timedOut({ ...end, ended: outlived.end() }, shown)
    if (isDone === undefined) continue
    const looked = await lookFor(tools, effect, left, { named: change.named })
    if (isDone(looked.found)) return reportAfter(end, looked, shown)
  }
}

const reportAfter = (end: CommandEnd, looked: Looked, shown: Shown): Report => {
  const error = errorOf(end, shown)
  return reportOf(looked, { ...(error === undefined ? {} : { error }), ran: [ranOf(end, shown)] })
}

/** When nothing of a command lives; absent where that is so now. */
const overOf = (end: CommandEnd): Promise<void> | undefined => {
  if (end._tag === 'TimedOut') return end.ended
  return end._tag === 'Exited' ? end.outlived?.over : undefined
}

/** One command was run for this and for others: the look says whether it was done; what was not is run alone, for its own words. */
const runAloneIfOwed = async (
  change: Change,
  command: Command,
  ran: Extract<CommandEnd, { readonly _tag: 'Exited' }>,
): Promise<Report> => {
  const { tools, effect, left, shown, hold, isOwed } = change
  const looked = await lookFor(tools, effect, left, { named: change.named, succeeded: ran.shared === 'succeeded' })
  if (isOwed?.(looked.found) === true) return runAndLook(change, { ...command, alone: true })
  close(...hold)
  return reportAfter(ran, looked, shown)
}

/** Runs the command and reports what was found afterwards; closes what was held when nothing of the command lives. */
export const runAndLook = async (asked: Change, command: Command): Promise<Report> => {
  const ran = await asked.tools.runner.run(command)
  // The deadline began with the command: others that were served before are no reason to give up.
  const change = ran.waitedMs === undefined ? asked : { ...asked, left: asked.left.later(ran.waitedMs) }
  const { tools, effect, left, shown, hold, secret } = change
  if (ran._tag === 'Exited' && ran.shared !== undefined) return runAloneIfOwed(change, command, ran)
  const release = (): void => {
    close(...hold)
    secret?.dispose()
  }
  const over = overOf(ran)
  if (over === undefined) release()
  else void over.then(release)
  const end: CommandEnd = secret === undefined ? ran : { ...ran, stderr: secret.masked(ran.stderr) }
  if (end._tag === 'TimedOut') return timedOut(end, shown)
  const outlived = end._tag === 'Exited' ? end.outlived : undefined
  const early = outlived === undefined ? undefined : await awaitOutlived(change, end, outlived)
  if (early !== undefined) return early
  const succeeded = errorOf(end, shown) === undefined
  return reportAfter(end, await lookFor(tools, effect, left, { named: change.named, succeeded }), shown)
}

/** A mountpoint as a command names it, or what there is instead, as a report. `command` is what would have been run. */
export const nameTarget = (
  tools: Tools,
  effect: MountpointEffect & { readonly root: RootIdentity | undefined },
  command: readonly string[],
): Target | Report => {
  const named = targetOf(effect.mountpoint, effect.root, tools.trustFor(effect.root?.path))
  return isLeft(named) ? notRun(named.left.found, [...command, effect.mountpoint], named.left.why) : named.right
}

/** The operand: `/proc/PID/fd/ROOT/a/b/NAME`. */
export const pathOf = ({ directory, name }: Target): string => `${directory}/${name}`
