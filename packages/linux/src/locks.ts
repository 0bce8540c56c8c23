// One owner per root and state directory (L27). A lock is an exclusive flock(2) on the directory itself, held by a child that
// ends when its stdin does: at once when the manager dies, even by SIGKILL. Not time-based, and not left behind.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Lock, Locks, NotLocked } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { COMMAND_ENVIRONMENT } from './command-runner.js'
import { errnoOf, majorMinor, ownProcess } from './descriptor.js'
import { parentOf, vectorOfProcess } from './processes.js'

/** In the argument vector of a holder, before its directory: so that people, and other managers, see what it is for. */
const MARK = 'mountkeeper-lock'

/** Says that the lock is held, and waits for the end of stdin. */
const SCRIPT = 'echo held; read -r _'

/** flock(1) ends with it when somebody else has the lock. */
const TAKEN = 75

/** A child that does not say within this time that it holds the lock is given up, ms. */
const ACQUIRE_MS = 10_000

interface Holder {
  readonly child: ChildProcess
  readonly directory: string
  readonly ended: Promise<void>
}

const notLocked = (directory: string, why: string): Either<NotLocked, never> =>
  left({ _tag: 'NotLocked', directory, why })

const contains = (above: string, path: string): boolean =>
  above === path || path.startsWith(above === '/' ? '/' : `${above}/`)

/** Directories of one manager that contain one another. */
const nested = (directories: readonly string[]): NotLocked | undefined => {
  for (const directory of directories) {
    const above = directories.find((other) => other !== directory && contains(other, directory))
    if (above !== undefined) {
      const why = `${directory} lies in ${above}: managed roots and state directory may not contain one another`
      return { _tag: 'NotLocked', directory, why }
    }
  }
  return undefined
}

/** `major:minor:inode` as /proc/locks writes it: device numbers in hexadecimal (proc_locks(5)). */
const lockName = (path: string): string | undefined => {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    const [major, minor] = majorMinor(dev).map((number) => number.toString(16).padStart(2, '0'))
    return `${major}:${minor}:${ino.toString()}`
  } catch {
    return undefined
  }
}

interface SeenLock {
  /** The process that took it, as /proc numbers it; not a number where it lives in a pid namespace that we cannot see. */
  readonly entry: string
  readonly name: string
  /** The directory, where its holder's argument vector can be seen and is that of a holder. */
  readonly directory: string | undefined
  /** Its argument vector could be seen. */
  readonly visible: boolean
}

const seenLocks = (): readonly SeenLock[] => {
  let text = ''
  try {
    text = readFileSync('/proc/locks', 'latin1')
  } catch {
    // Not compiled in, or not shown: then flock(2) alone decides.
  }
  return text.split('\n').flatMap((line) => {
    const [, pid, name] = /^\d+: FLOCK +\S+ +WRITE +(-?\d+) +(\S+)/.exec(line) ?? []
    if (pid === undefined || name === undefined) return []
    const vector = vectorOfProcess(pid)
    const mark = vector.indexOf(MARK)
    return [{ entry: pid, name, directory: mark < 0 ? undefined : vector[mark + 1], visible: vector.length > 0 }]
  })
}

const ownerText = (lock: SeenLock | undefined): string => {
  const owner = lock === undefined ? undefined : parentOf(lock.entry)
  return owner === undefined ? 'pid unknown' : `pid ${owner}`
}

const taken = (directory: string): Either<NotLocked, never> => {
  const name = lockName(directory)
  const owner = ownerText(seenLocks().find((lock) => lock.name === name))
  return notLocked(
    directory,
    `${directory} belongs to another manager (${owner}): stop that one, or name another directory`,
  )
}

/** Whether it is one of the locks that were just taken. */
const isOurs = (lock: SeenLock, directories: readonly string[]): boolean =>
  lock.directory !== undefined &&
  directories.includes(lock.directory) &&
  `/proc/${parentOf(lock.entry) ?? ''}` === ownProcess()

const ancestorsOf = (directory: string): readonly string[] =>
  directory === '/' ? [] : [dirname(directory), ...ancestorsOf(dirname(directory))]

/** Whether a path of its holder leads here to the same place; where that cannot be told, it is taken to. */
const sharesPaths = (lock: SeenLock): boolean => {
  try {
    return readlinkSync(`/proc/${lock.entry}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt')
  } catch {
    return true
  }
}

/** Whether a lock's directory lies in one of ours though it is called otherwise there: in another mount namespace. */
const liesBelow = (lock: SeenLock, directory: string): boolean => {
  const name = lockName(directory)
  return (
    name !== undefined &&
    ancestorsOf(lock.directory ?? '/').some((path) => lockName(`/proc/${lock.entry}/root${path}`) === name)
  )
}

/**
 * The path at which a lock of somebody else is in the way of a directory of ours, if it is. Holders are known by their
 * argument vectors; in other mount namespaces (a container, a sandbox) and where they cannot be seen, by device and inode:
 * a root there that is called as ours is another directory.
 */
const inTheWay = (lock: SeenLock, directory: string, known: readonly string[]): string | undefined => {
  const theirs = lock.directory
  if (theirs === undefined && lock.visible) return undefined
  if (theirs !== undefined) {
    const isHere = sharesPaths(lock)
    if (isHere && (contains(theirs, directory) || contains(directory, theirs))) return theirs
    if (!isHere && liesBelow(lock, directory)) return theirs
    const below = isHere ? known.find((mountpoint) => contains(theirs, mountpoint)) : undefined
    if (below !== undefined) return below
  }
  return ancestorsOf(directory).find((path) => lockName(path) === lock.name)
}

/** A directory that another manager holds and that contains one of ours, or lies in it. */
const overlapping = (directories: readonly string[], known: readonly string[]): NotLocked | undefined => {
  const others = seenLocks().filter((lock) => !isOurs(lock, directories))
  for (const directory of directories) {
    for (const lock of others) {
      const where = inTheWay(lock, directory, known)
      if (where === undefined) continue
      const why = `${where} belongs to another manager (${ownerText(lock)}), and roots of two managers may not overlap`
      return { _tag: 'NotLocked', directory, why: `${why}: stop that one, or name another directory than ${directory}` }
    }
  }
  return undefined
}

const START: Readonly<Record<string, string>> = {
  ENOENT: 'flock is not installed: install util-linux',
  ENOTDIR: 'flock is not installed: install util-linux',
}

/** Waits until a holder says that it has the lock, or ends. */
const answerOf = (child: ChildProcess, directory: string): Promise<Either<NotLocked, undefined>> =>
  new Promise((settle) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settle(notLocked(directory, `${directory} could not be locked within ${ACQUIRE_MS} ms`))
    }, ACQUIRE_MS)
    const tell = (answer: Either<NotLocked, undefined>): void => {
      clearTimeout(timer)
      settle(answer)
    }
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 1_024) said += chunk.toString('utf8')
    })
    child.stdout?.once('data', () => tell(right(undefined)))
    child.once('error', (error) => {
      const code = errnoOf(error)
      tell(notLocked(directory, `${directory} cannot be locked: ${START[code] ?? code}`))
    })
    child.once('close', (code) => {
      if (code === TAKEN) tell(taken(directory))
      else
        tell(
          notLocked(directory, `${directory} cannot be locked: ${said.trim() || `flock ended with ${String(code)}`}`),
        )
    })
  })

const hold = async (directory: string): Promise<Either<NotLocked, Holder>> => {
  try {
    if (!statSync(directory).isDirectory()) return notLocked(directory, `${directory} is not a directory`)
  } catch (error) {
    const code = errnoOf(error)
    const mend = code === 'ENOENT' ? `does not exist: install -d -m 0700 ${directory}` : `cannot be read (${code})`
    return notLocked(directory, `${directory} ${mend}`)
  }
  const args = ['-x', '-n', '-E', String(TAKEN), '--no-fork', directory, 'sh', '-c', SCRIPT, MARK, directory]
  // Its own session: an interrupt from the terminal ends neither it nor, with the lock, the order of the stop.
  const child = spawn('flock', args, { stdio: 'pipe', detached: true, cwd: '/', env: COMMAND_ENVIRONMENT })
  child.stdin.on('error', () => undefined)
  const ended = new Promise<void>((done) => {
    child.once('exit', () => {
      done()
    })
    child.once('error', () => {
      done()
    })
  })
  const answer = await answerOf(child, directory)
  if (isLeft(answer)) return answer
  // The manager's life does not depend on it.
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if ('unref' in stream && typeof stream.unref === 'function') (stream.unref as () => void)()
  }
  return right({ child, directory, ended })
}

const letGo = async (holders: readonly Holder[]): Promise<void> => {
  for (const { child } of holders) {
    child.ref()
    child.stdin?.end()
  }
  await Promise.all(holders.map(({ ended }) => ended))
}

/** What the locks of a manager take into account. */
export interface LockOptions {
  /** Mountpoints that the journal knows: a manager that has one of them as its root is in the way as well. */
  readonly known?: readonly string[]
}

const acquireAll = async (wanted: readonly string[], known: readonly string[]): Promise<Either<NotLocked, Lock>> => {
  // Always in one order, so that of two managers with the same directories one gets all of them.
  const directories = [...new Set(wanted)].sort()
  const inside = nested(directories)
  if (inside !== undefined) return left(inside)
  const holders: Holder[] = []
  for (const directory of directories) {
    const held = await hold(directory)
    if (isLeft(held)) {
      await letGo(holders)
      return held
    }
    holders.push(held.right)
  }
  // After locking: of two managers that begin at the same moment at least one sees the other.
  const overlap = overlapping(directories, known)
  if (overlap !== undefined) {
    await letGo(holders)
    return left(overlap)
  }
  let released = false
  const lost = new Promise<void>((tell) => {
    void Promise.race(holders.map(({ ended }) => ended)).then(() => {
      if (!released) tell()
    })
  })
  const release = (): Promise<void> => {
    released = true
    return letGo(holders)
  }
  return right({ release, lost })
}

/**
 * Locks of directories on this machine. All are taken or none. Refused with the pid of the owner (of the process that started
 * the lock's holder, from /proc/locks by device and inode), and if a directory of another manager contains one of these or
 * lies in it.
 */
export const linuxLocks = (options: LockOptions = {}): Locks => ({
  acquire: (directories) => () =>
    acquireAll(directories, options.known ?? []).catch((error: unknown) =>
      notLocked(directories[0] ?? '', `the locks could not be taken: ${errnoOf(error)}`),
    ),
})
