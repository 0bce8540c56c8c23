// Commands of an earlier life of the manager that are still running: until they have ended it is unknown what will be
// there, so their mountpoints are `Unknown { CommandAlive }` (R6.16). They are found once, at
// discovery: commands of this life are known, and ended, by the runner.

import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Leader, Process } from './processes.js'
import { anyLives, hidesProcesses, isStopped, processes, startedOf, vectorOfProcess } from './processes.js'
import { SHELL_MARK } from './shell-mark.js'

/** A command without its manager. */
interface Orphan {
  readonly leader: Leader
  readonly program: string
  /** Whether it may act on this mountpoint. */
  readonly isAt: (mountpoint: string) => boolean
}

/** The orphans that were found. */
export interface Orphans {
  /** Searches again; for the beginning of a generation. Gives the reason where they cannot be seen. */
  readonly search: () => Promise<string | undefined>
  /** One sentence about a command that may yet change something at this mountpoint; absent if there is none. */
  readonly at: (mountpoint: string) => string | undefined
}

const PROGRAMS: ReadonlySet<string> = new Set(['mount', 'umount', 'mkdir', 'rmdir'])

const THROUGH_DESCRIPTOR = /^\/proc\/(\d+)\/fd\/\d+(\/.+)$/

/** The command without the prefix (sudo), if by its shape it is one of ours. */
const commandOf = (one: Process, prefix: readonly string[]): readonly string[] | undefined => {
  const vector = vectorOfProcess(one.entry)
  const isPrefixed = prefix.length > 0 && prefix.every((argument, index) => argument === vector[index])
  const command = isPrefixed ? vector.slice(prefix.length) : vector
  return PROGRAMS.has(basename(command[0] ?? '')) && (command.includes('--') || isOfFile(command)) ? command : undefined
}

const OPEN_FILE = /^\/proc\/\d+\/fd\/\d+(\/|$)/

/** mount(8) with a file of several mounts: which they are went with the manager. */
const isOfFile = (command: readonly string[]): boolean =>
  command.at(-2) === '-T' && OPEN_FILE.test(command.at(-1) ?? '')

/** What a command acts on: mount(8) on its last operand, the others on each. */
const targetsOf = (command: readonly string[]): readonly string[] =>
  basename(command[0] ?? '') === 'mount' ? command.slice(-1) : command.slice(command.indexOf('--') + 1)

/** Commands of other managers, whose parent lives and holds the descriptor, are left aside. */
const isOfLivingManager = (one: Process, command: readonly string[]): boolean =>
  THROUGH_DESCRIPTOR.exec(command.at(-1) ?? '')?.[1] === one.parentEntry

/** A process of another user is nothing that a manager started, whatever it calls itself. */
const isTrusted = ({ uids }: Process, uid: number): boolean => uids.every((each) => each === 0 || each === uid)

const directoryOf = (entry: string): string => {
  try {
    return readlinkSync(`/proc/${entry}/cwd`)
  } catch {
    return ''
  }
}

/** By the path below a root that only its descriptor names, by the directory that it was started in, or by the path. */
const concerns = (entry: string, operand: string): Orphan['isAt'] => {
  const through = THROUGH_DESCRIPTOR.exec(operand)?.[2]
  if (through !== undefined) return (mountpoint) => mountpoint.endsWith(through)
  const path = operand.startsWith('./') ? `${directoryOf(entry)}${operand.slice(1)}` : operand
  return (mountpoint) => mountpoint === path
}

const orphanOf = (one: Process, leader: Leader, command: readonly string[]): Orphan => {
  if (isOfFile(command)) return { leader, program: 'mount', isAt: () => true }
  const at = targetsOf(command).map((operand) => concerns(one.entry, operand))
  return { leader, program: basename(command[0] ?? ''), isAt: (mountpoint) => at.some((isAt) => isAt(mountpoint)) }
}

const leaderOfProcess = ({ pid, entry }: Process): Leader => ({ pid, started: startedOf(entry) })

/** The manager that has started a long-lived shell, as /proc numbers it; absent of any other process. */
const managerOfShell = ({ entry }: Process): string | undefined => {
  const vector = vectorOfProcess(entry)
  const at = vector.indexOf(SHELL_MARK)
  return at < 1 ? undefined : vector[at + 1]
}

/** How long a shell without its manager is given to read the end of its input, ms, and how often that is looked at. */
const SHELL_ENDS_MS = 2_000
const SHELL_POLL_MS = 5

/** What one search has found. */
interface Search {
  readonly orphans: readonly Orphan[]
  /** Shells that run no command, and may be about to: as long as they live, it is unknown where. */
  readonly shells: readonly Orphan[]
}

const searchOnce = (prefix: readonly string[], own: string, uid: number): Search => {
  const all = processes()
  const living = new Map(all.map((one) => [one.pid, one]))
  const orphans: Orphan[] = []
  const shells: Orphan[] = []
  /** By the command that the shell runs: it was given no other. */
  const ofShell = (shell: Process): void => {
    const leader = leaderOfProcess(shell)
    const running = all.filter(({ pid, session }) => session === shell.pid && pid !== shell.pid)
    const known = running.flatMap((one) => {
      const command = commandOf(one, [])
      return command === undefined ? [] : orphanOf(one, leader, command)
    })
    if (known.length > 0) orphans.push(...known)
    else shells.push({ leader, program: 'sh', isAt: () => true })
    // It would never end by itself. What it has not begun is not run any more, and what it has begun is found by itself.
    if (isStopped(leader)) process.kill(leader.pid, 'SIGKILL')
  }
  for (const one of all) {
    if (!isTrusted(one, uid)) continue
    if (one.pid === one.session) {
      const manager = managerOfShell(one)
      if (manager !== undefined) {
        if (manager !== one.parentEntry) ofShell(one)
        continue
      }
    } else if (living.has(one.session)) continue
    // Every command is the leader of a session, or in that of a shell that has been killed, and that distinguishes it from one that a user typed.
    const command = one.parentEntry === own ? undefined : commandOf(one, prefix)
    if (command === undefined || isOfLivingManager(one, command)) continue
    if (one.pid !== one.session && !OPEN_FILE.test(command.at(-1) ?? '')) continue
    orphans.push(orphanOf(one, leaderOfProcess(one), command))
  }
  return { orphans, shells }
}

/** `own` is this process as /proc names it, `uid` the user that it runs as. */
export const createOrphans = (prefix: readonly string[], own: string, uid: number): Orphans => {
  let orphans: readonly Orphan[] = []
  return {
    search: async () => {
      if (hidesProcesses()) {
        return (
          'the processes of root are hidden from this user (hidepid), so that commands of an earlier life could not be ' +
          'waited for; mount /proc with hidepid=0, or add the group in its option gid= to this user'
        )
      }
      const until = performance.now() + SHELL_ENDS_MS
      let found = searchOnce(prefix, own, uid)
      while (found.shells.length > 0 && performance.now() < until) {
        await sleep(SHELL_POLL_MS)
        found = searchOnce(prefix, own, uid)
      }
      orphans = [...found.orphans, ...found.shells]
      return undefined
    },
    at: (mountpoint) => {
      const here = orphans.filter(({ isAt }) => isAt(mountpoint))
      const living = here.filter(({ leader }) => anyLives(leader))
      orphans = orphans.filter((orphan) => !here.includes(orphan) || living.includes(orphan))
      const [first] = living
      if (first === undefined) return undefined
      return `process ${first.leader.pid} (${first.program}) of an earlier life of the manager is still running`
    },
  }
}
