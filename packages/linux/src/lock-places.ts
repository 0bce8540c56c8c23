// Which directories have to do with a lock: those above a directory, by its path and in its filesystem, and those where another
// manager's root would be in the way of a known mountpoint. Nothing on a filesystem that can hang is asked.

import { lstatSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockFileName } from './lock-file.js'
import { isLocalFstype } from './mount-table.js'
import type { TableLine } from './mountinfo.js'
import { parseMountInfo } from './mountinfo.js'

/** Whether a path is that of a directory or is below it. */
export const contains = (above: string, path: string): boolean =>
  above === path || path.startsWith(above === '/' ? '/' : `${above}/`)

/** All directories above one, nearest first. */
export const ancestorsOf = (path: string): readonly string[] =>
  path === '/' ? [] : [dirname(path), ...ancestorsOf(dirname(path))]

const tableLines = (): readonly TableLine[] => {
  try {
    return parseMountInfo(readFileSync('/proc/self/mountinfo')).lines
  } catch {
    return []
  }
}

/** The mount that a path is on: the last one at the longest target. */
const mountOf = (lines: readonly TableLine[], path: string): TableLine | undefined => {
  let best: TableLine | undefined
  for (const line of lines) {
    if (contains(line.target, path) && line.target.length >= (best?.target.length ?? 0)) best = line
  }
  return best
}

const joined = (directory: string, rest: string): string =>
  (directory === '/' ? `/${rest}` : `${directory}/${rest}`).replace(/\/$/, '') || '/'

const restOf = (above: string, path: string): string =>
  above === path ? '' : path.slice(above === '/' ? 1 : above.length + 1)

const isSameDevice = (path: string, device: bigint): boolean => {
  try {
    return statSync(path, { bigint: true }).dev === device
  } catch {
    return false
  }
}

/**
 * The directories above one in its filesystem, by the paths that lead to them here: a bind mount of a directory below another
 * manager's root is in that root, whatever its own path is.
 */
const ancestorsInFilesystem = (lines: readonly TableLine[], path: string): readonly string[] => {
  const mount = mountOf(lines, path)
  if (mount === undefined || mount.root === '/' || !mount.root.startsWith('/')) return []
  const inside = joined(mount.root, restOf(mount.target, path))
  const { dev } = statSync(path, { bigint: true })
  return ancestorsOf(inside).flatMap((above) =>
    lines
      .filter((line) => line.device === mount.device && line.target !== mount.target && contains(line.root, above))
      .map((line) => joined(line.target, restOf(line.root, above)))
      .filter((there) => isSameDevice(there, dev)),
  )
}

/** All directories above some, each once; nothing that is one of them. */
export const directoriesAbove = (directories: readonly string[]): readonly string[] => {
  const lines = tableLines()
  const all = directories.flatMap((directory) => [
    ...ancestorsOf(directory),
    ...ancestorsInFilesystem(lines, directory).flatMap((path) => [path, ...ancestorsOf(path)]),
  ])
  return [...new Set(all)].filter((path) => !directories.includes(path))
}

/** Directories with a lock file, at or above known mountpoints, other than a manager's own. */
export const lockedAround = (known: Iterable<string>, own: readonly string[]): readonly string[] => {
  const hanging = tableLines()
    .filter(({ fstype }) => !isLocalFstype(fstype))
    .map(({ target }) => target)
  const candidates = new Set<string>()
  for (const mountpoint of known) {
    for (let path = mountpoint; path !== '/' && !candidates.has(path); path = dirname(path)) candidates.add(path)
  }
  const isSafe = hanging.length === 0 ? () => true : belowNone(new Set(hanging))
  return [...candidates].filter((path) => !own.includes(path) && isSafe(path) && lockFileName(path) !== undefined)
}

/** More directories than this are not searched. */
const BELOW_MAX = 65_536

/**
 * Directories with a lock file below one, on its own filesystem: no mount is entered. Absent where there are too many directories
 * to say.
 */
export const lockedBelow = (directory: string): readonly string[] | undefined => {
  const { dev } = lstatSync(directory)
  const mounts = new Set(tableLines().map(({ target }) => target))
  const found: string[] = []
  const wait = [directory]
  for (let at = 0; at < wait.length; at += 1) {
    if (wait.length > BELOW_MAX) return undefined
    const path = wait[at] ?? directory
    for (const entry of entriesOf(path)) {
      const below = joined(path, entry)
      // Its root is not asked: behind it may be a server that does not answer, or this filesystem once more.
      if (mounts.has(below) || !isDirectoryOn(below, dev)) continue
      wait.push(below)
      if (lockFileName(below) !== undefined) found.push(below)
    }
  }
  return found
}

const entriesOf = (path: string): readonly string[] => {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    // It has just been removed.
    return []
  }
}

const isDirectoryOn = (path: string, device: number): boolean => {
  try {
    const seen = lstatSync(path)
    return seen.isDirectory() && seen.dev === device
  } catch {
    return false
  }
}

const belowNone =
  (targets: ReadonlySet<string>) =>
  (path: string): boolean => {
    for (let above = path; above !== '/'; above = dirname(above)) if (targets.has(above)) return false
    return true
  }
