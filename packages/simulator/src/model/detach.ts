// Taking mounts out of the table, and what else goes with them.

import type { ModelHost } from './host.js'

/** The mounts that are on a mount. */
export const mountsOn = (host: ModelHost, mountId: number): readonly number[] =>
  [...host.mounts].flatMap(([id, entry]) => (entry.parent === mountId ? [id] : []))

/** Drops what no mount shows any more: filesystems, their files, and removed directories. */
const forgetUnused = (host: ModelHost): ModelHost => {
  const used = new Set([...host.mounts.values()].map((entry) => entry.superblock))
  if (used.size === host.superblocks.size) return host
  const superblocks = new Map([...host.superblocks].filter(([id]) => used.has(id)))
  const inodes = new Map([...host.inodes].filter(([, inode]) => used.has(inode.superblock)))
  return { ...host, superblocks, inodes }
}

/** Takes one mount and everything mounted on it out of the table, as a lazy unmount does. Processes keep running on air. */
export const detach = (host: ModelHost, mountId: number): ModelHost => {
  const gone = new Set<number>([mountId])
  for (const id of gone) for (const child of mountsOn(host, id)) gone.add(child)
  const mounts = new Map([...host.mounts].filter(([id]) => !gone.has(id)))
  const processes = new Map(
    [...host.processes].map(([pid, process]) => [
      pid,
      process.mount !== undefined && gone.has(process.mount) ? { ...process, mount: undefined } : process,
    ]),
  )
  return forgetUnused({ ...host, mounts, processes })
}
