// What the XML of a domain says about the files it uses. Read strictly: what is not well-formed, is not the domain that was
// asked for, or has a shape that is not known is a failure with what was wrong, for a disk that is overlooked is a disk that
// is unmounted.

import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { XmlElement, parseXml } from '@rgrove/parse-xml'
import { quoted, shown } from './shown.js'

/** A file that a domain uses: by its path, or as a volume of a storage pool of libvirt. */
export type DomainFile =
  | { readonly _tag: 'Path'; readonly path: string; readonly volume: string }
  | { readonly _tag: 'Pool'; readonly pool: string; readonly name: string; readonly volume: string }

/** Where the volumes of a pool are; absent where they are no files. */
export type PoolPlace = string | undefined

const wrong = (why: string): E.Either<string, never> => E.left(why)

const childrenOf = (element: XmlElement, name?: string): readonly XmlElement[] =>
  element.children.filter(
    (child): child is XmlElement => child instanceof XmlElement && (name === undefined || child.name === name),
  )

const only = (element: XmlElement, name: string): E.Either<string, XmlElement> => {
  const [first, ...more] = childrenOf(element, name)
  if (first === undefined) return wrong(`<${element.name}> has no <${name}>`)
  return more.length === 0 ? E.right(first) : wrong(`<${element.name}> has ${more.length + 1} of <${name}>`)
}

/** Elements deeper than that are no domain's: libvirt itself ends a chain of images at 200. Beyond it, reading would need the stack. */
const DEPTH_MAX = 1_000

const isTooDeep = (root: XmlElement): boolean => {
  let level: readonly XmlElement[] = [root]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= DEPTH_MAX) return true
    level = level.flatMap((element) => childrenOf(element))
  }
  return false
}

const rootOf = (xml: string, name: string): E.Either<string, XmlElement> =>
  pipe(
    E.tryCatch(
      () => parseXml(xml).root,
      (error) => `it is no XML (${shown(String(error instanceof Error ? error.message : error).split('\n')[0] ?? '')})`,
    ),
    E.filterOrElse(
      (root): root is XmlElement => root?.name === name,
      (root) => `it is a <${shown(root?.name ?? '')}> and no <${name}>`,
    ),
    E.filterOrElse(
      (root) => !isTooDeep(root),
      () => `its elements are nested more than ${DEPTH_MAX} deep`,
    ),
  )

/** The types of disks of libvirt; what `source` says differs between them. */
const DISK_TYPES = new Set(['file', 'block', 'dir', 'network', 'volume', 'nvme', 'vhostuser', 'vhostvdpa'])
/** Drives that may be empty. */
const REMOVABLE = new Set(['cdrom', 'floppy'])

/** All sources of a disk: its own, those of what it is based on, and that of a copy under way. */
const sourcesOf = (element: XmlElement): readonly XmlElement[] => {
  const sources: XmlElement[] = []
  const gather = (parent: XmlElement): void => {
    for (const child of childrenOf(parent)) {
      if (child.name === 'source') sources.push(child)
      gather(child)
    }
  }
  gather(element)
  return sources
}

const VOLUME_BYTES_MAX = 255

/** A volume is named by 1 to 255 bytes without control characters; what cannot be is named by its digest. */
const asVolume = (name: string): string =>
  Buffer.byteLength(name) <= VOLUME_BYTES_MAX && !/\p{Cc}/u.test(name)
    ? name
    : `sha256:${createHash('sha256').update(name).digest('hex')}`

/** By the serial, which survives a snapshot; else by the name of the file that is in use now. */
const volumeOf = (disk: XmlElement, own: XmlElement | undefined): string => {
  const serial = childrenOf(disk, 'serial')[0]?.text ?? ''
  if (serial !== '') return asVolume(serial)
  const name = own?.attributes['file'] ?? own?.attributes['volume'] ?? ''
  return asVolume(`file:${name.slice(name.lastIndexOf('/') + 1)}`)
}

const fileOf = (source: XmlElement, volume: string): readonly DomainFile[] => {
  const { file, pool, volume: name } = source.attributes
  if (file !== undefined) return [{ _tag: 'Path', path: file, volume }]
  return pool !== undefined && name !== undefined ? [{ _tag: 'Pool', pool, name, volume }] : []
}

const filesOfDisk = (disk: XmlElement): E.Either<string, readonly DomainFile[]> => {
  const { type, device = 'disk' } = disk.attributes
  if (type === undefined || !DISK_TYPES.has(type)) return wrong(`a disk is of type ${quoted(type ?? '')}`)
  const [own, ...more] = childrenOf(disk, 'source')
  if (more.length > 0) return wrong(`a disk has ${more.length + 1} sources`)
  const isEmpty = own === undefined && REMOVABLE.has(device)
  if (type === 'file' && !isEmpty && (own?.attributes['file'] ?? '') === '') {
    return wrong(`a ${shown(device)} of type file names no file`)
  }
  const { pool = '', volume = '' } = own?.attributes ?? {}
  if (type === 'volume' && !isEmpty && (pool === '' || volume === '')) {
    return wrong(`a ${shown(device)} of type volume names no pool or no volume`)
  }
  const name = volumeOf(disk, own)
  return E.right(sourcesOf(disk).flatMap((source) => fileOf(source, name)))
}

const all = <A>(each: readonly E.Either<string, readonly A[]>[]): E.Either<string, readonly A[]> => {
  const gathered: A[] = []
  for (const one of each) {
    if (one._tag === 'Left') return one
    gathered.push(...one.right)
  }
  return E.right(gathered)
}

/** The files that a domain uses, out of the XML of the domain with this UUID. */
export const filesOfDomain = (xml: string, uuid: string): E.Either<string, readonly DomainFile[]> =>
  pipe(
    E.Do,
    E.bind('domain', () => rootOf(xml, 'domain')),
    E.bind('id', ({ domain }) => only(domain, 'uuid')),
    E.filterOrElse(
      ({ id }) => id.text === uuid,
      ({ id }) => `it is that of ${quoted(id.text)}`,
    ),
    E.chain(({ domain }) => only(domain, 'devices')),
    E.chain((devices) => all(childrenOf(devices, 'disk').map(filesOfDisk))),
  )

/** Pools whose volumes are files in one directory, and those whose volumes are something else. */
const FILE_POOLS = new Set(['dir', 'fs', 'netfs', 'vstorage'])
const OTHER_POOLS = new Set([
  ...['logical', 'disk', 'iscsi', 'iscsi-direct', 'scsi', 'mpath', 'rbd', 'sheepdog', 'gluster', 'zfs'],
])

/** The directory of a storage pool, out of the XML of the pool with this name. */
export const placeOfPool = (xml: string, name: string): E.Either<string, PoolPlace> =>
  pipe(
    E.Do,
    E.bind('pool', () => rootOf(xml, 'pool')),
    E.bind('called', ({ pool }) => only(pool, 'name')),
    E.filterOrElse(
      ({ called }) => called.text === name,
      ({ called }) => `it is that of ${quoted(called.text)}`,
    ),
    E.chain(({ pool }): E.Either<string, PoolPlace> => {
      const type = pool.attributes['type'] ?? ''
      if (OTHER_POOLS.has(type)) return E.right(undefined)
      if (!FILE_POOLS.has(type)) return wrong(`a pool is of type ${quoted(type)}`)
      return pipe(
        only(pool, 'target'),
        E.chain((target) => only(target, 'path')),
        E.map(({ text }) => text),
      )
    }),
  )
