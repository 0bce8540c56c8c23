// Looking: what the kernel's table and the directory tree show, in the words of the core. The same rules as on a real host:
// the parent is reached without following a link and has to be on the root's own mount; the target is never followed.

import type {
  Discover,
  Discovered,
  Filesystem,
  Found,
  Identity,
  ResolvedSource,
  RootIdentity,
  RootSeen,
  SourceSeen,
  Unknown,
  UnknownWhy,
} from '@mountkeeper/core'
import { compareIdentity, layersOf } from '@mountkeeper/core'
import type { ModelHost, Obstruction } from './host.js'
import { inodeOf, mountOf, superblockOf } from './host.js'
import { layersAt } from './mount.js'
import type { Place } from './path.js'
import { componentsOf, coveringMount, isLost, isWithin, parentOf, pathInFilesystem, walk } from './path.js'

const LAYERS_MAX = 16

const unknown = (why: UnknownWhy, detail?: string): Unknown =>
  detail === undefined ? { _tag: 'Unknown', why } : { _tag: 'Unknown', why, detail }

/** How the table shows one mount. */
export const identityOf = (host: ModelHost, mountId: number): Identity => {
  const { root, flags, superblock } = mountOf(host, mountId)
  const { device, fstype, source, readOnly } = superblockOf(host, superblock)
  const shownRoot = pathInFilesystem(host, root)
  return { mountId, device, fstype, source, root: shownRoot, flags, superblock: readOnly ? 'ro' : 'rw' }
}

const directoryOf = (host: ModelHost, place: Place): string =>
  `${superblockOf(host, inodeOf(host, place.inode).superblock).device}:${place.inode}`

const reachDirectory = (host: ModelHost, path: string): Place | { readonly errno: string } =>
  walk(host, host.own, path, { links: 'refuse', last: 'over' })

/** The mounts at a path as the manager sees them, top first; none where the path is not reached. */
export const stackAt = (host: ModelHost, path: string): readonly number[] => {
  const { directory, name } = parentOf(path)
  const parent = reachDirectory(host, directory)
  if ('errno' in parent) return []
  const inode = inodeOf(host, parent.inode).entries.get(name)
  if (inode === undefined) return []
  let top = { mount: parent.mount, inode }
  for (let id = coveringMount(host, host.own, top); id !== undefined; id = coveringMount(host, host.own, top)) {
    top = { mount: id, inode: mountOf(host, id).root }
  }
  return layersAt(host, top.mount, parent.mount)
}

/** The directory under whatever is mounted at a path; absent where there is none. */
export const directoryAt = (host: ModelHost, path: string): number | undefined => {
  const { directory, name } = parentOf(path)
  const parent = reachDirectory(host, directory)
  if ('errno' in parent) return undefined
  const inode = inodeOf(host, parent.inode).entries.get(name)
  return inode !== undefined && inodeOf(host, inode).kind === 'directory' ? inode : undefined
}

const checkRoot = (host: ModelHost, root: RootIdentity): Unknown | undefined => {
  const place = reachDirectory(host, root.path)
  if ('errno' in place) return unknown('RootChanged', `${root.path}: ${place.errno}`)
  if (place.mount !== root.mountId) return unknown('RootChanged', `${root.path} is on another mount than at host-up`)
  if (directoryOf(host, place) !== root.directory) {
    return unknown('RootChanged', `${root.path} is another directory than at host-up`)
  }
  return undefined
}

const orphanAt = (host: ModelHost, mountpoint: string): Unknown | undefined =>
  host.orphans.some((orphan) => orphan.mountpoint === mountpoint)
    ? unknown('CommandAlive', 'a command of an earlier life of the manager is still running')
    : undefined

/** What is in the way to a directory, from the top down; nothing where a step of it does not exist. */
const obstructionOn = (host: ModelHost, directory: string): Unknown | undefined => {
  if (host.obstructions.size === 0) return undefined
  let path = ''
  for (const name of componentsOf(directory)) {
    path = `${path}/${name}`
    const place = reachDirectory(host, path)
    if ('errno' in place) return undefined
    const why = host.obstructions.get(place.inode)
    if (why === undefined) continue
    const command = why === 'UnsafeParent' ? { command: `chmod go-w ${path}` } : {}
    return { _tag: 'Unknown', why, detail: OBSTRUCTED[why], component: path, ...command }
  }
  return undefined
}

const OBSTRUCTED: Readonly<Record<Obstruction, string>> = {
  PermissionDenied: 'it may not be entered',
  UnsafeParent: 'another user may write to it',
  NameTooLong: 'it takes no names of this length',
}

const notADirectory = (component: string, is: string): Unknown => ({
  ...unknown('NotADirectory', `${component}: ${is}`),
  component,
})

const foundBelow = (host: ModelHost, mountpoint: string, baseMount: number | undefined): Found => {
  const { directory, name } = parentOf(mountpoint)
  const parent = reachDirectory(host, directory)
  if ('errno' in parent) {
    if (parent.errno === 'ENOENT') return { _tag: 'NoDirectory' }
    const isInTheWay = parent.errno === 'ENOTDIR' || parent.errno === 'ELOOP'
    if (isInTheWay) return notADirectory(directory, parent.errno)
    return unknown('Unreadable', `${directory}: ${parent.errno}`)
  }
  if (baseMount !== undefined && parent.mount !== baseMount) {
    return unknown('ParentElsewhere', `${directory} is on another mount`)
  }
  const above = inodeOf(host, parent.inode)
  if (above.kind !== 'directory') return notADirectory(directory, above.kind)
  const inode = above.entries.get(name)
  if (inode === undefined) return { _tag: 'NoDirectory' }
  const layers = stackAt(host, mountpoint)
  if (layers.length > LAYERS_MAX) return unknown('TooManyLayers', `more than ${LAYERS_MAX} layers`)
  if (layers.length > 0) return { _tag: 'Mounted', layers: layers.map((id) => identityOf(host, id)) }
  const { kind } = inodeOf(host, inode)
  return kind === 'directory' ? { _tag: 'Directory' } : { _tag: 'Obstacle', kind }
}

/** The path at which the table shows a mount, from the root of its namespace down. */
const pathOfMount = (host: ModelHost, mountId: number): string => {
  const { parent, at } = mountOf(host, mountId)
  if (parent === undefined) return ''
  return pathOfMount(host, parent) + pathBelow(host, mountOf(host, parent).root, at)
}

const pathBelow = (host: ModelHost, top: number, inode: number): string => {
  if (inode === top) return ''
  const { parent, name } = inodeOf(host, inode)
  return parent === undefined ? `/${name}` : `${pathBelow(host, top, parent)}/${name}`
}

/** Where a recorded layer is mounted, if a conclusive look has not found it at its path. */
export const whereElse = (host: ModelHost, layer: Identity, found: Found): string | undefined => {
  if (found._tag === 'Unknown') return undefined
  const isSame = (each: Identity): boolean => compareIdentity(layer, each) === 'same'
  if (layersOf(found).some(isSame)) return undefined
  const entry = host.mounts.get(layer.mountId)
  const isThere = entry?.namespace === host.own && isSame(identityOf(host, layer.mountId))
  return isThere ? pathOfMount(host, layer.mountId) : undefined
}

/** What is at a mountpoint; `root` is what its managed root was at host-up. */
export const lookAt = (host: ModelHost, mountpoint: string, root: RootIdentity | undefined): Found =>
  orphanAt(host, mountpoint) ??
  obstructionOn(host, parentOf(mountpoint).directory) ??
  (root === undefined ? undefined : checkRoot(host, root)) ??
  foundBelow(host, mountpoint, root?.mountId)

const reachSource = (host: ModelHost, path: string): Place | ResolvedSource => {
  const place = walk(host, host.own, path, { links: 'follow', last: 'over' })
  return isLost(place) ? { _tag: 'Absent', path } : place
}

/** The directory of a bind, as the table would show it, and that of bindfs as the file it is. */
const askedOf = (host: ModelHost, { type, source }: Filesystem): ResolvedSource => {
  const reached = reachSource(host, source)
  if ('_tag' in reached) return reached
  const { inode } = reached
  const { device } = superblockOf(host, inodeOf(host, inode).superblock)
  if (type !== 'bind') return { _tag: 'Files', files: [`${device}:${inode}`] }
  return { _tag: 'At', root: pathInFilesystem(host, inode), device, inode: `${inode}` }
}

/** Whether the source of a type is a path of the model. */
const isPath = ({ type }: Filesystem): boolean => type === 'bind' || type === 'fuse.bindfs'

/** What a source that is a path leads to now, and what the layer on top comes from. Other types have none. */
export const seeSource = (
  host: ModelHost,
  filesystem: Filesystem | undefined,
  mountpoint: string,
): SourceSeen | undefined => {
  if (filesystem === undefined || !isPath(filesystem)) return undefined
  const asked = askedOf(host, filesystem)
  const [top] = stackAt(host, mountpoint)
  if (filesystem.type === 'bind' || top === undefined) return { asked }
  const { source } = superblockOf(host, mountOf(host, top).superblock)
  return { asked, shown: askedOf(host, { ...filesystem, source }) }
}

/** Mounts below the source of a bind, by path; but the mountpoint itself. */
export const submountsOf = (
  host: ModelHost,
  filesystem: Filesystem | undefined,
  mountpoint: string,
): readonly string[] => {
  if (filesystem?.type !== 'bind') return []
  const source = walk(host, host.own, filesystem.source, { links: 'follow', last: 'over' })
  if (isLost(source)) return []
  const isInside = (id: number): boolean => {
    const { parent, at, namespace } = mountOf(host, id)
    if (parent === undefined || namespace !== host.own) return false
    return parent === source.mount ? at !== source.inode && isWithin(host, at, source.inode) : isInside(parent)
  }
  const paths = [...host.mounts.keys()].filter(isInside).map((id) => pathOfMount(host, id))
  return [...new Set(paths)].filter((path) => path !== mountpoint).sort()
}

const seeRoot = (host: ModelHost, path: string): RootSeen | undefined => {
  const place = reachDirectory(host, path)
  if ('errno' in place) return undefined
  const { peers, master } = mountOf(host, place.mount)
  const propagation = peers !== undefined ? 'shared' : master !== undefined ? 'slave' : 'private'
  return { path, mountId: place.mount, directory: directoryOf(host, place), propagation }
}

/** The names on the way from one directory down to another; none where it is not below. */
const namesBetween = (host: ModelHost, above: number, below: number): readonly string[] => {
  const { name, parent } = inodeOf(host, below)
  if (parent === undefined) return []
  if (parent === above) return [name]
  const before = namesBetween(host, above, parent)
  return before.length === 0 ? [] : [...before, name]
}

/** Paths below a root, and on its own mount, with something mounted on them. */
const mountedBelow = (host: ModelHost, root: RootSeen): readonly string[] => {
  const base = walk(host, host.own, root.path, { links: 'refuse', last: 'over' })
  if (isLost(base)) return []
  return [...host.mounts.values()].flatMap((entry) => {
    if (entry.namespace !== host.own || entry.parent !== root.mountId) return []
    const names = namesBetween(host, base.inode, entry.at)
    return names.length === 0 ? [] : [`${root.path}/${names.join('/')}`]
  })
}

/** What a generation begins with; absent where a root is not there, so that nothing can be known. */
export const discover = (
  host: ModelHost,
  { roots, known }: Pick<Discover, 'roots' | 'known'>,
): Discovered | undefined => {
  const seen = roots.map((path) => seeRoot(host, path))
  const there = seen.flatMap((root) => root ?? [])
  if (there.length < roots.length) return undefined
  const records = new Map(known.map((each) => [each.mountpoint, each]))
  const paths = new Set([...records.keys(), ...there.flatMap((root) => mountedBelow(host, root))])
  const mountpoints = [...paths].map((mountpoint) => {
    const root = there.find((each) => mountpoint.startsWith(`${each.path}/`))
    const record = records.get(mountpoint)
    const source = seeSource(host, record?.filesystem, mountpoint)
    const found = lookAt(host, mountpoint, root)
    const elsewhere = record?.layer && whereElse(host, record.layer, found)
    return { mountpoint, found, ...(source && { source }), ...(elsewhere !== undefined && { elsewhere }) }
  })
  return { _tag: 'Discovered', boot: `boot-${host.boot}`, mountNamespace: host.own, roots: there, mountpoints }
}
