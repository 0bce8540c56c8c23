// Agreement: is a layer what was asked for, and are two wishes the same? By what the model knows of a layer's making and by
// tables of the oracle's own: one that asked the core, or read the table as it does, would find it always right.

import type { Filesystem, Identity } from '@mountkeeper/core'
import { isReadOnly, mountOf, superblockOf } from '../model/host.js'
import type { ModelHost } from '../model/host.js'
import { isLost, walk } from '../model/path.js'

const SHOWN_AS: Readonly<Record<string, readonly string[]>> = {
  nfs: ['nfs', 'nfs4'],
  nfs4: ['nfs', 'nfs4'],
  'fuse.bindfs': ['fuse'],
}

const leadsTo = (host: ModelHost, source: string): number | undefined => {
  const place = walk(host, host.own, source, { links: 'follow', last: 'over' })
  return isLost(place) ? undefined : place.inode
}

/** Whether a layer is of a type that may come of a mount of this one; a bind shows the type of what is bound. */
export const mayComeOf = (host: ModelHost, { type }: Filesystem, mountId: number): boolean =>
  type === 'bind' || (SHOWN_AS[type] ?? [type]).includes(superblockOf(host, mountOf(host, mountId).superblock).fstype)

/** Whether a layer holds what is asked for, as its source is now. */
export const agrees = (host: ModelHost, { type, source }: Filesystem, mountId: number): boolean => {
  const { root, superblock } = mountOf(host, mountId)
  const { madeFrom, through } = superblockOf(host, superblock)
  if (type === 'bind') return leadsTo(host, source) === root
  if (!mayComeOf(host, { type, source, options: [] }, mountId)) return false
  return type === 'fuse.bindfs' ? leadsTo(host, source) === through : madeFrom === source
}

const DEMANDED = ['nosuid', 'nodev', 'noexec'] as const

/**
 * What a layer does not carry of what it carried when it was recorded, of what is asked for, and of the defaults where our own
 * command has made it; or that it can be written no more.
 */
export const lacks = (
  host: ModelHost,
  { options }: Filesystem,
  mountId: number,
  recorded: Pick<Identity, 'flags' | 'superblock'>,
): readonly string[] => {
  const { flags, by } = mountOf(host, mountId)
  const isDemanded = (flag: string): boolean =>
    options.includes(flag) || recorded.flags.includes(flag) || (by === 'us' && flag !== 'noexec')
  const now = isReadOnly(host, mountId)
  const wasReadOnly = recorded.flags.includes('ro') || recorded.superblock === 'ro'
  const wantsReadOnly = wasReadOnly || options.includes('ro')
  return [
    ...DEMANDED.filter((flag) => isDemanded(flag) && !flags.includes(flag)),
    ...(wantsReadOnly && !now ? ['ro'] : []),
    ...(!wantsReadOnly && now ? ['rw'] : []),
  ]
}

const isSignificant = (option: string): boolean =>
  !/^(rw|defaults|_netdev|nofail|auto|noauto|.*atime|.*lazytime|x-.*)$/.test(option)

/** What has to be equal in two requests that share a mount. */
export const significant = ({ type, source, options }: Filesystem): string => {
  const texts = options.map((each) => {
    if (typeof each === 'string') return each
    return 'secretFile' in each
      ? `${each.name}=@file:${each.secretFile}`
      : `${each.name}=@environment:${each.secretEnvironment}`
  })
  return JSON.stringify([type, source, ...[...new Set(texts)].filter(isSignificant).sort()])
}
