// What an effect does to the host: the command that a real adapter would run, as acts of the model's kernel.

import type { Filesystem, Found, Identity, Mount, MountpointEffect, Unmount } from '@mountkeeper/core'
import { compareIdentity, layersOf, optionName } from '@mountkeeper/core'
import type { Done, ModelHost, Server } from './model/host.js'
import { done, refused } from './model/host.js'
import { makeDirectory, removeDirectory } from './model/directory.js'
import { detach } from './model/detach.js'
import { identityOf, lookAt, stackAt } from './model/look.js'
import { bindDirectory, mountFilesystem, unmount } from './model/mount.js'
import { isLost, pathInFilesystem, walk } from './model/path.js'

/** How the kernel's table names types that it does not show as they are asked for. */
const SHOWN_AS: Readonly<Record<string, string>> = {
  nfs: 'nfs4',
  glusterfs: 'fuse.glusterfs',
  sshfs: 'fuse.sshfs',
  cifs: 'cifs',
  'fuse.bindfs': 'fuse',
}

const LOCAL = new Set(['tmpfs', 'bind', 'overlay', 'ext4', 'xfs', 'btrfs', 'squashfs'])

/** The far end of a filesystem: what stands before the first colon of the source. Local types have none. */
export const serverNameOf = ({ type, source }: Pick<Filesystem, 'type' | 'source'>): string | undefined =>
  LOCAL.has(type) ? undefined : (source.split(':')[0] ?? source)

const serverOf = (host: ModelHost, filesystem: Filesystem | undefined): Server => {
  const name = filesystem === undefined ? undefined : serverNameOf(filesystem)
  return name === undefined ? 'answers' : (host.servers.get(name) ?? 'answers')
}

/** What a mount command can get wrong. */
export interface Slip {
  /** `another`: another filesystem, or another directory. `another spelling`: what was asked for, shown otherwise. */
  readonly instead?: 'another' | 'another spelling'
  readonly without?: string
}

const flagsOf = (effect: Mount, slip: Slip): readonly string[] => {
  const names = effect.options.map(optionName)
  const kept = ['nosuid', 'nodev', 'noexec'].filter((flag) => names.includes(flag) && flag !== slip.without)
  return [names.includes('ro') ? 'ro' : 'rw', ...kept, 'relatime']
}

const mount = (host: ModelHost, effect: Mount, slip: Slip): Done => {
  const { type, source } = effect.filesystem
  if (host.uninstalled.has(type)) return refused(host, 'ENODEV')
  const behaves = serverOf(host, effect.filesystem)
  if (behaves === 'hangs') return refused(host, 'HANGS')
  if (behaves === 'refuses') return refused(host, 'ECONNREFUSED')
  const flags = flagsOf(effect, slip)
  const { mountpoint } = effect
  const isAnother = slip.instead === 'another'
  if (type === 'bind') return bindDirectory(host, host.own, isAnother ? '/' : source, mountpoint, { flags, by: 'us' })
  if (type === 'fuse.bindfs') return passThrough(host, isAnother ? '/' : source, mountpoint, source, flags)
  if (isAnother) {
    const other = { fstype: 'ramfs', source: `not-${source}`, flags, by: 'stray' } as const
    return mountFilesystem(host, host.own, mountpoint, other)
  }
  const shown = slip.instead === undefined ? source : `${source}/`
  const what = { fstype: SHOWN_AS[type] ?? type, source: shown, madeFrom: source, flags, by: 'us' } as const
  return mountFilesystem(host, host.own, mountpoint, what)
}

/** bindfs shows the real path of the directory that it was given. */
const passThrough = (
  host: ModelHost,
  directory: string,
  mountpoint: string,
  madeFrom: string,
  flags: readonly string[],
): Done => {
  const place = walk(host, host.own, directory, { links: 'follow', last: 'over' })
  if (isLost(place)) return refused(host, place.errno)
  const source = pathInFilesystem(host, place.inode)
  const what = { fstype: 'fuse', source, madeFrom, through: place.inode, flags, by: 'us' } as const
  return mountFilesystem(host, host.own, mountpoint, what)
}

const unmountLayer = (host: ModelHost, effect: Unmount): Done => {
  const touches = effect.how === 'plain' && !effect.mayHang
  if (touches && serverOf(host, effect.filesystem) === 'hangs') return refused(host, 'HANGS')
  return unmount(host, host.own, effect.mountpoint, effect.how === 'lazy' ? 'lazy' : 'plain')
}

/** Runs the command of an effect, on whatever is there. Looks and probes change nothing. */
export const perform = (host: ModelHost, effect: MountpointEffect, slip: Slip = {}): Done => {
  switch (effect._tag) {
    case 'MakeDirectory':
      return makeDirectory(host, host.own, effect.mountpoint, 'us')
    case 'Mount':
      return mount(host, effect, slip)
    case 'Unmount':
      return unmountLayer(host, effect)
    case 'RemoveDirectory':
      return removeDirectory(host, host.own, effect.mountpoint)
    case 'Probe':
      return serverOf(host, effect.filesystem) === 'hangs' ? refused(host, 'HANGS') : done(host)
    case 'Look':
      return done(host)
  }
}

const isOnTop = (found: Found, identity: Identity): boolean => {
  const [top] = layersOf(found)
  return top !== undefined && compareIdentity(identity, top) === 'same'
}

/** Whether an adapter would run the command at all, by the look that it makes itself just before. */
export const mayRun = (host: ModelHost, effect: MountpointEffect): boolean => {
  if (effect._tag === 'Look' || effect._tag === 'Probe') return true
  const found = lookAt(host, effect.mountpoint, effect.root)
  switch (effect._tag) {
    case 'Mount':
      return found._tag === 'Directory' || found._tag === 'Mounted'
    case 'Unmount':
      return isOnTop(found, effect.identity)
    case 'MakeDirectory':
    case 'RemoveDirectory':
      return found._tag !== 'Unknown'
  }
}

/** What a `Probe` learns from a server that comes back to it. */
export const isDead = (host: ModelHost, filesystem: Filesystem): boolean => serverOf(host, filesystem) === 'refuses'

/** A layer that an unmount had taken off already disappears from the table; nothing happens when it is no longer on top. */
export const vanish = (host: ModelHost, effect: Unmount): ModelHost => {
  const [top] = stackAt(host, effect.mountpoint)
  if (top === undefined || compareIdentity(effect.identity, identityOf(host, top)) !== 'same') return host
  return detach(host, top)
}
