// Agreement: does a layer show what was asked for, and are two wishes the same? By tables of the oracle's own: one that asked
// the core would find it always right.

import type { Filesystem, Identity } from '@mountkeeper/core'
import type { ModelHost } from '../model/host.js'
import { isLost, pathInFilesystem, walk } from '../model/path.js'

const NFS = new Set(['nfs', 'nfs4'])

/** Whether a layer is what was asked for. */
export const agrees = (host: ModelHost, filesystem: Filesystem, layer: Identity): boolean => {
  switch (filesystem.type) {
    case 'bind': {
      const place = walk(host, host.own, filesystem.source, { links: 'follow', last: 'over' })
      return !isLost(place) && pathInFilesystem(host, place.inode) === layer.root
    }
    case 'nfs':
    case 'nfs4':
      return NFS.has(layer.fstype) && layer.source === filesystem.source
    default:
      return layer.fstype === filesystem.type && layer.source === filesystem.source
  }
}

const isSignificant = (option: string): boolean => !/^(rw|defaults|_netdev|.*atime|.*lazytime|x-.*)$/.test(option)

/** What has to be equal in two requests that share a mount. */
export const significant = ({ type, source, options }: Filesystem): string => {
  const texts = options.map((each) => (typeof each === 'string' ? each : `${each.name}=@${each.secretFile}`))
  return JSON.stringify([type, source, ...[...new Set(texts)].filter(isSignificant).sort()])
}
