// The host port on Linux: which effect is run by what. Nothing is remembered from one effect to the next, but the commands
// that an earlier life of the manager left running.

import type { Discover, Look, MountpointEffect, SecretSettings } from '@mountkeeper/core'
import type { HostPort, Report } from '@mountkeeper/runtime'
import type { TypeRule } from '@mountkeeper/types'
import { DEFAULT_TYPES, sourceAllowed } from '@mountkeeper/types'
import type { Clock } from './clock.js'
import { leftOf, systemClock } from './clock.js'
import type { CommandRunner } from './command-runner.js'
import { execaRunner } from './command-runner.js'
import { limitCores } from './core-limit.js'
import { ownProcess } from './descriptor.js'
import { changeDirectory } from './effects/directory.js'
import { discover } from './effects/discover.js'
import { mount } from './effects/mount.js'
import { probe } from './effects/probe.js'
import { unmount } from './effects/unmount.js'
import { execRunner } from './exec-runner.js'
import type { Looker } from './gathering.js'
import { missingHelper } from './mount-helper.js'
import { createOrphans } from './orphans.js'
import { createPace } from './pace.js'
import { createProber } from './prober.js'
import { createSafeLooker } from './safe-looker.js'
import { shellRunner } from './shell-runner.js'
import type { SourceAllowed, Tools } from './tools.js'
import { lookFor, reportOf } from './tools.js'
import type { TrustedOwners } from './trust.js'
import { trustFor } from './trust.js'

/** How the host port is set up. */
export interface LinuxHostOptions {
  /** The configured types, by name: how their layers appear, and which sources and paths they are allowed. */
  readonly types?: Readonly<Record<string, TypeRule>>
  /** The one name that each other name of a server stands for, as in core's settings. */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /**
   * Asked with paths whose links were all followed, since a link inside an allowed directory may lead out of it; by default
   * the core's own comparison with the patterns of the type.
   */
  readonly sourceAllowed?: SourceAllowed
  /** Put before mount, umount and the kill of their groups, never before mkdir and rmdir: `['sudo', '-n', '--']`. */
  readonly prefix?: readonly string[]
  /** Which secrets mounts may use, as in core's settings; none by default. */
  readonly secrets?: SecretSettings | undefined
  /** Starts mountkeeper-exec, which then makes all changes, and to which roots belong; empty or absent: this process makes them. */
  readonly exec?: readonly string[] | undefined
  /** Owner of roots and secrets; the user of this process by default, root with `exec`. */
  readonly uid?: number
  /** By the path of a root: users beside root and the manager who may own directories above and below it. */
  readonly trustedOwners?: TrustedOwners
  /** By default a shell for what cannot hang, and a process for each other command. */
  readonly runner?: CommandRunner
  /** By default one that cannot hang: in this process where no server is asked, else in one of its own. */
  readonly looker?: Looker
  /** What deadlines are measured with; by default the machine's own. */
  readonly clock?: Clock
}

const own = (): string => {
  try {
    return ownProcess().slice('/proc/'.length)
  } catch {
    return ''
  }
}

/** What is there, and whether what is asked for could be mounted there at all. */
const look = async (tools: Tools, effect: Look): Promise<Report> => {
  const report = reportOf(await lookFor(tools, effect, leftOf(tools.clock, effect.deadlineMs)))
  const missing = effect.filesystem === undefined ? undefined : missingHelper(effect.filesystem.type)
  return missing === undefined ? report : { ...report, missingHelper: missing }
}

const perform = async (tools: Tools, effect: MountpointEffect | Discover): Promise<Report> => {
  if (effect._tag === 'Discover') return discover(tools, effect)
  if (effect._tag === 'Look') return look(tools, effect)
  const alive = tools.orphans.at(effect.mountpoint)
  if (alive !== undefined) return { found: { _tag: 'Unknown', why: 'CommandAlive', detail: alive } }
  switch (effect._tag) {
    case 'MakeDirectory':
    case 'RemoveDirectory':
      return changeDirectory(tools, effect)
    case 'Mount':
      return mount(tools, effect)
    case 'Unmount':
      return unmount(tools, effect)
    case 'Probe':
      return probe(tools, effect)
  }
}

const broken = (effect: MountpointEffect | Discover, error: unknown): Report => {
  const detail = error instanceof Error ? error.message : String(error)
  if (effect._tag === 'Discover') return { found: { _tag: 'NotDiscovered', reason: detail } }
  return { found: { _tag: 'Unknown', why: 'Unreadable', detail } }
}

interface RunnerChoice {
  readonly exec: readonly string[]
  readonly prefix: readonly string[]
  readonly reader: CommandRunner
  readonly clock: Clock
}

/** Only what has the rights of this process may share a shell with others. */
const runnerFor = ({ exec, prefix, reader, clock }: RunnerChoice): CommandRunner => {
  if (exec.length > 0) return execRunner({ vector: exec, reader, clock })
  return prefix.length > 0 ? reader : shellRunner({ other: reader, clock })
}

/** Runs effects on this machine, in this process's mount namespace. Never rejects. */
export const linuxHost = (options: LinuxHostOptions = {}): HostPort => {
  const prefix = options.prefix ?? []
  const safe = createSafeLooker(createProber())
  const user = process.geteuid?.() ?? 0
  const exec = options.exec ?? []
  const uid = options.uid ?? (exec.length > 0 ? 0 : (process.getuid?.() ?? 0))
  const clock = options.clock ?? systemClock
  const reader = execaRunner({ prefix, clock })
  const tools: Tools = {
    runner: options.runner ?? runnerFor({ exec, prefix, reader, clock }),
    look: options.looker ?? safe.look,
    directory: safe.directory,
    types: options.types ?? DEFAULT_TYPES,
    aliases: options.aliases ?? {},
    sourceAllowed: options.sourceAllowed ?? sourceAllowed,
    prefix,
    secrets: options.secrets,
    secretTrust: trustFor(options.uid ?? process.getuid?.() ?? 0),
    limitCores,
    uid,
    trustFor: (root) => trustFor(uid, options.trustedOwners, root),
    orphans: createOrphans(prefix, own(), user),
    clock,
  }
  const { runner } = tools
  const pace = createPace()
  return {
    run: (effect, started) => {
      const telling: CommandRunner = { run: (command) => runner.run(command, started) }
      return pace(() => perform({ ...tools, runner: telling }, effect)).catch((error: unknown) => broken(effect, error))
    },
  }
}
