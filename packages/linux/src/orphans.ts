// Commands of an earlier life of the manager that are still running: until they have ended it is unknown what will be
// there, so their mountpoints are `Unknown { CommandAlive }` (R6.16). They are found once, at
// discovery: commands of this life are known, and ended, by the runner.

import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import type { Leader, Process } from './processes.js'
import { anyLives, hidesProcesses, processes, startedOf, vectorOfProcess } from './processes.js'

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
  readonly search: () => string | undefined
  /** One sentence about a command that may yet change something at this mountpoint; absent if there is none. */
  readonly at: (mountpoint: string) => string | undefined
}

const PROGRAMS: ReadonlySet<string> = new Set(['mount', 'umount', 'mkdir', 'rmdir'])

const THROUGH_DESCRIPTOR = /^\/proc\/(\d+)\/fd\/\d+(\/.+)$/

/**
 * The command without the prefix (sudo), if by its shape it is one of ours. Commands of other managers, whose parent lives
 * and holds the descriptor, are none of our business.
 */
const commandOf = (one: Process, prefix: readonly string[]): readonly string[] | undefined => {
  const vector = vectorOfProcess(one.entry)
  const isPrefixed = prefix.length > 0 && prefix.every((argument, index) => argument === vector[index])
  const command = isPrefixed ? vector.slice(prefix.length) : vector
  if (!PROGRAMS.has(basename(command[0] ?? '')) || !command.includes('--')) return undefined
  const through = THROUGH_DESCRIPTOR.exec(command.at(-1) ?? '')
  return through?.[1] === one.parentEntry ? undefined : command
}

/** Every command is the leader of a session of its own, which distinguishes it from a command that a user typed. */
const isOrphan = (one: Process, own: string): boolean => one.pid === one.session && one.parentEntry !== own

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

const orphanOf = (one: Process, command: readonly string[]): Orphan => ({
  leader: { pid: one.pid, started: startedOf(one.entry) },
  program: basename(command[0] ?? ''),
  isAt: concerns(one.entry, command.at(-1) ?? ''),
})

/** `own` is this process as /proc names it, `uid` the user that it runs as. */
export const createOrphans = (prefix: readonly string[], own: string, uid: number): Orphans => {
  let orphans: readonly Orphan[] = []
  return {
    search: () => {
      if (hidesProcesses()) {
        return (
          'the processes of root are hidden from this user (hidepid), so that commands of an earlier life could not be ' +
          'waited for; mount /proc with hidepid=0, or add the group in its option gid= to this user'
        )
      }
      orphans = processes().flatMap((one) => {
        if (!isOrphan(one, own) || !isTrusted(one, uid)) return []
        const command = commandOf(one, prefix)
        return command === undefined ? [] : orphanOf(one, command)
      })
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
