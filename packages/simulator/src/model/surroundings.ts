// What happens around the kernel: other namespaces, processes that use mounts, servers, and the end of everything, a reboot.

import type { Done, ModelHost, MountEntry, Obstruction, Process, Propagation, Server } from './host.js'
import { done, FIRST_NAMESPACE, inodeOf, mountOf, refused, rootMount, withEntry, withoutEntry } from './host.js'
import { isLost, walk } from './path.js'

const groupsOf = (entry: MountEntry, propagation: Propagation): Pick<MountEntry, 'peers' | 'master'> => {
  switch (propagation) {
    case 'shared':
      return { peers: entry.peers, master: entry.master }
    case 'slave':
      return { peers: undefined, master: entry.peers ?? entry.master }
    case 'private':
      return { peers: undefined, master: undefined }
  }
}

/** unshare(CLONE_NEWNS): a copy of all mounts of the manager's namespace, with ids of their own. */
export const addNamespace = (host: ModelHost, propagation: Propagation): ModelHost => {
  const namespace = `mnt:[${host.namespaces.length + 1}]`
  const mounts = new Map(host.mounts)
  const copies = new Map<number, number>()
  for (const [id, entry] of host.mounts) {
    if (entry.namespace !== host.own) continue
    let copy = id
    while (mounts.has(copy)) copy += 1
    copies.set(id, copy)
    mounts.set(copy, { ...entry, namespace, ...groupsOf(entry, propagation) }) // the serial too: it is the same layer
  }
  for (const copy of copies.values()) {
    const entry = mounts.get(copy)
    if (entry?.parent !== undefined) mounts.set(copy, { ...entry, parent: copies.get(entry.parent) })
  }
  return { ...host, mounts, namespaces: [...host.namespaces, namespace] }
}

/** The namespace that was added last; none beside the manager's own. */
export const otherNamespace = (host: ModelHost): string | undefined =>
  host.namespaces.filter((each) => each !== host.own).at(-1)

/** mount --make-shared, --make-private, --make-slave of the top mount at a path. */
export const setPropagation = (host: ModelHost, namespace: string, path: string, propagation: Propagation): Done => {
  const place = walk(host, namespace, path, { links: 'follow', last: 'over' })
  if (isLost(place)) return refused(host, place.errno)
  const entry = mountOf(host, place.mount)
  if (propagation !== 'shared' || entry.peers !== undefined) {
    return done({ ...host, mounts: withEntry(host.mounts, place.mount, { ...entry, ...groupsOf(entry, propagation) }) })
  }
  const mounts = withEntry(host.mounts, place.mount, { ...entry, peers: host.nextGroup })
  return done({ ...host, mounts, nextGroup: host.nextGroup + 1 })
}

/** A process begins to use what it sees at a path, and keeps it busy until it leaves. */
export const enter = (host: ModelHost, namespace: string, path: string, uses: Process['uses']): Done => {
  const place = walk(host, namespace, path, { links: 'follow', last: 'over' })
  if (isLost(place)) return refused(host, place.errno)
  if (uses === 'working directory' && inodeOf(host, place.inode).kind !== 'directory') return refused(host, 'ENOTDIR')
  const processes = withEntry(host.processes, host.nextPid, { mount: place.mount, uses })
  return done({ ...host, processes, nextPid: host.nextPid + 1 })
}

/** A process ends. */
export const leave = (host: ModelHost, pid: number): ModelHost => ({
  ...host,
  processes: withoutEntry(host.processes, pid),
})

/** A server changes its ways. */
export const setServer = (host: ModelHost, server: string, behaves: Server): ModelHost => ({
  ...host,
  servers: withEntry(host.servers, server, behaves),
})

/** Puts something in the way of all that is below a directory, or takes it away (`undefined`). */
export const obstruct = (host: ModelHost, path: string, why: Obstruction | undefined): Done => {
  const place = walk(host, host.own, path, { links: 'follow', last: 'over' })
  if (isLost(place)) return refused(host, place.errno)
  if (inodeOf(host, place.inode).kind !== 'directory') return refused(host, 'ENOTDIR')
  const { obstructions } = host
  const now = why === undefined ? withoutEntry(obstructions, place.inode) : withEntry(obstructions, place.inode, why)
  return done({ ...host, obstructions: now })
}

/** Installs or removes the program that mounts a type. */
export const setHelper = (host: ModelHost, type: string, is: 'installed' | 'missing'): ModelHost => {
  const others = [...host.uninstalled].filter((each) => each !== type)
  return { ...host, uninstalled: new Set(is === 'missing' ? [...others, type] : others) }
}

/** A reboot: another boot, nothing mounted, no process; the root filesystem and its directories stay. */
export const reboot = (host: ModelHost): ModelHost => {
  const shared = [...host.mounts.values()].some((entry) => entry.parent === undefined && entry.peers !== undefined)
  const [id, entry] = rootMount(shared ? 'shared' : 'private')
  const superblocks = new Map([...host.superblocks].filter(([each]) => each === entry.superblock))
  const inodes = new Map(
    [...host.inodes].filter(([, inode]) => inode.superblock === entry.superblock && !inode.removed),
  )
  return {
    ...host,
    boot: host.boot + 1,
    own: FIRST_NAMESPACE,
    namespaces: [FIRST_NAMESPACE],
    inodes,
    superblocks,
    mounts: new Map([[id, entry]]),
    processes: new Map(),
    orphans: [],
  }
}
