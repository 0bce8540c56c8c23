// The model's side: operations on the simulated kernel, and what it shows.

import type { Found } from '@mountkeeper/core'
import type { Done, ModelHost } from '@mountkeeper/simulator'
import {
  bindDirectory,
  discover,
  done,
  enter,
  identityOf,
  isLost,
  leave,
  lookAt,
  makeDirectory,
  makeFile,
  makeLink,
  makePath,
  mountFilesystem,
  moveMount,
  newModelHost,
  removeDirectory,
  removeFile,
  rename,
  unmount,
  walk,
} from '@mountkeeper/simulator'
import type { Operation } from './operation.js'
import { BEGINNING, LOOKED_AT } from './operation.js'
import type { CameTo, Line, Place, Side } from './snapshot.js'

/** The mount point of the place. */
export const PLACE = '/srv'

/** A path of the place as an absolute one. */
export const at = (path: string): string => `${PLACE}/${path}`

/** The model with its place, and what its root is. */
export interface ModelSide {
  readonly host: ModelHost
  readonly place: Place
}

const first = <Value>(values: Iterable<Value>): Value | undefined => {
  for (const value of values) return value
  return undefined
}

/** Does an operation. */
export const operate = (host: ModelHost, operation: Operation): Done => {
  const { own } = host
  switch (operation._tag) {
    case 'MakeDirectory':
      return makeDirectory(host, own, at(operation.path), 'others')
    case 'RemoveDirectory':
      return removeDirectory(host, own, at(operation.path))
    case 'MakeFile':
      return makeFile(host, own, at(operation.path), 'file')
    case 'RemoveFile':
      return removeFile(host, own, at(operation.path))
    case 'Link':
      return makeLink(host, own, at(operation.path), at(operation.target))
    case 'Rename':
      return rename(host, own, at(operation.path), at(operation.to))
    case 'Mount': {
      const flags = [operation.flags.includes('ro') ? 'ro' : 'rw', ...operation.flags.filter((flag) => flag !== 'ro')]
      return mountFilesystem(host, own, at(operation.path), {
        fstype: 'tmpfs',
        source: operation.source,
        flags,
        by: 'others',
      })
    }
    case 'Bind':
      return bindDirectory(host, own, at(operation.source), at(operation.path), { flags: ['rw'], by: 'others' })
    case 'Move':
      return moveMount(host, own, at(operation.path), at(operation.to))
    case 'Unmount':
      return unmount(host, own, at(operation.path), operation.how)
    case 'Enter':
      return enter(host, own, at(operation.path), operation.uses)
    case 'Leave': {
      const pid = first(host.processes.keys())
      return done(pid === undefined ? host : leave(host, pid))
    }
  }
}

/** A tmpfs with what is there at the beginning. */
export const newModelSide = (beginning: readonly Operation[] = BEGINNING): ModelSide => {
  const bare = newModelHost('private')
  const { host: mounted } = mountFilesystem(makePath(bare, bare.own, PLACE, 'others'), bare.own, PLACE, {
    fstype: 'tmpfs',
    source: 'place',
    flags: ['rw'],
    by: 'others',
  })
  const host = beginning.reduce((now, operation) => operate(now, operation).host, mounted)
  const [root] = discover(host, { roots: [PLACE], known: [] })?.roots ?? []
  if (root === undefined) throw new Error('the model has lost its place')
  return { host, place: { root, device: identityOf(host, root.mountId).device } }
}

const isFileAt = (host: ModelHost, path: string): boolean => {
  const place = walk(host, host.own, at(path), { links: 'follow', last: 'over' })
  return !isLost(place) && host.inodes.get(place.inode)?.kind === 'file'
}

/** What the model leaves out on purpose: binds of files onto files. */
export const isLeftOut = (host: ModelHost, operation: Operation): boolean =>
  operation._tag === 'Bind' && isFileAt(host, operation.path) && isFileAt(host, operation.source)

const inodeAt = (host: ModelHost, path: string) => {
  const place = walk(host, host.own, path, { links: 'last stays', last: 'over' })
  const inode = isLost(place) ? undefined : host.inodes.get(place.inode)
  if (inode === undefined) throw new Error(`the model has lost ${path}`)
  return inode
}

const treeOf = (host: ModelHost, directory: string): readonly string[] =>
  [...inodeAt(host, directory).entries.keys()].flatMap((name) => {
    const path = `${directory}/${name}`
    const { kind, target } = inodeAt(host, path)
    if (kind === 'symlink') return [`${path} -> ${target ?? ''}`]
    return kind === 'directory' ? [`${path}/`, ...treeOf(host, path)] : [path]
  })

const targetOf = (host: ModelHost, mountId: number): string => {
  const entry = host.mounts.get(mountId)
  if (entry?.parent === undefined) return ''
  const parent = host.mounts.get(entry.parent)
  let path = ''
  for (let inode: number | undefined = entry.at; inode !== undefined && inode !== parent?.root;) {
    const above = host.inodes.get(inode)
    path = `/${above?.name ?? ''}${path}`
    inode = above?.parent
  }
  return `${targetOf(host, entry.parent)}${path}`
}

const tableOf = (host: ModelHost, placeId: number): readonly Line[] =>
  [...host.mounts].flatMap(([mountId, { parent }]) =>
    parent === undefined || mountId === placeId
      ? []
      : [{ identity: identityOf(host, mountId), parentId: parent, target: targetOf(host, mountId) }],
  )

/** What the model shows after a step. */
export const modelShows = (host: ModelHost, { errno, report }: CameTo, { root }: Place): Side => ({
  ...(errno === undefined ? {} : { errno }),
  ...(report === undefined ? {} : { report }),
  tree: [...treeOf(host, PLACE)].sort(),
  table: tableOf(host, root.mountId),
  looks: LOOKED_AT.map((path): readonly [string, Found] => [path, lookAt(host, at(path), root)]),
})
