// Managed roots as they have to be: a directory on a local filesystem, reached without a link and over safe directories, of the
// user the manager runs as and writable by no other user. Everything that is named below them rests on that.

import type { RootSeen } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from './either.js'
import { close, componentsOf, descend, inodeOf, openSlash, statOf } from './descriptor.js'
import { localMounts } from './crossing.js'
import { stopText } from './reach.js'
import { propagationOf } from './mountinfo.js'
import { isLocalFstype, lineOf, readTable } from './mount-table.js'
import type { Trust } from './trust.js'
import { mendOf } from './trust.js'

/** What is wrong with a root, and what to do about it. */
export interface RootProblem {
  readonly text: string
  readonly mend: string
}

/** A directory that the manager works in, checked. */
export interface DirectorySeen extends RootSeen {
  readonly fstype: string
  /** Permission bits. */
  readonly mode: number
}

const MENDS: Readonly<Record<string, (path: string, at: string) => string>> = {
  ENOENT: (path) => `create it: install -d -m 0700 ${path}`,
  ELOOP: (_, at) => `name the directory that ${at} leads to instead`,
  ENOTDIR: (_, at) => `move ${at} away, or name another directory`,
  EXDEV: (_, at) => `choose a directory on a local filesystem: ${at} can hang`,
}

/** What `seeDirectory` says. */
export type SeenDirectory = Either<RootProblem, DirectorySeen>

/** Whether a directory is as roots have to be. `role` begins the sentence: `root`, `state directory`. */
export const seeDirectory = (role: string, path: string, trust: Trust): SeenDirectory => {
  const { uid } = trust
  const problem = (why: string, mend: string): SeenDirectory => left({ text: `${role} ${path}: ${why}`, mend })
  const slash = openSlash()
  if (isLeft(slash)) return problem(slash.left, 'mount /proc')
  const reached = descend(slash.right, '/', componentsOf(path), localMounts(), trust)
  if (isLeft(reached)) {
    const stop = reached.left
    if (stop.unsafe !== undefined) return problem(stop.unsafe.why, mendOf(stop.unsafe, path))
    return problem(stopText(stop), MENDS[stop.errno]?.(path, stop.path) ?? `make ${stop.path} accessible`)
  }
  const place = reached.right
  try {
    const found = lineOf(readTable(), place.mountId)
    if (found._tag !== 'Line') return problem('its mount is not in the mount table', 'do not run in a chroot')
    if (!isLocalFstype(found.line.fstype)) {
      return problem(`it is on ${found.line.fstype}, which can hang`, 'choose a directory on a local filesystem')
    }
    const stat = statOf(place)
    if (stat === undefined) return problem('it cannot be read', 'check the filesystem it is on')
    const mode = Number(stat.mode & 0o7777n)
    if (Number(stat.uid) !== uid) {
      return problem(`it belongs to user ${stat.uid.toString()}, not to ${uid}`, `chown ${uid} ${path}`)
    }
    return right({
      path,
      mountId: place.mountId,
      directory: inodeOf(place),
      propagation: propagationOf(found.line),
      fstype: found.line.fstype,
      mode,
    })
  } finally {
    close(place.fd)
  }
}
