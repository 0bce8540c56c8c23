// Paths: how the kernel walks one, over mounts and through symlinks, and how the mount table shows a directory.

import type { Errno, ModelHost } from './host.js'
import { inodeOf, mountOf } from './host.js'

/** A place: a directory, file or link of the filesystem that one mount shows. */
export interface Place {
  readonly mount: number
  readonly inode: number
}

/** A walk that came to an end, or why it did not. */
export type Reached = Place | { readonly errno: Errno }

/** Whether a walk has failed. */
export const isLost = (reached: Reached): reached is { readonly errno: Errno } => 'errno' in reached

const LINKS_MAX = 40

/** The mount that covers a place, if any. */
export const coveringMount = (host: ModelHost, namespace: string, place: Place): number | undefined => {
  for (const [id, entry] of host.mounts) {
    if (entry.parent === place.mount && entry.at === place.inode && entry.namespace === namespace) return id
  }
  return undefined
}

/** The top of the stack at a place: what processes see there. */
const onTop = (host: ModelHost, namespace: string, place: Place): Place => {
  let top = place
  for (let id = coveringMount(host, namespace, top); id !== undefined; id = coveringMount(host, namespace, top)) {
    top = { mount: id, inode: mountOf(host, id).root }
  }
  return top
}

/** Where a namespace begins. */
export const rootOfNamespace = (host: ModelHost, namespace: string): Place => {
  for (const [id, entry] of host.mounts) {
    if (entry.parent === undefined && entry.namespace === namespace) {
      return onTop(host, namespace, { mount: id, inode: entry.root })
    }
  }
  throw new Error(`the model has lost namespace ${namespace}`)
}

/** How a walk treats links, and what covers the last component. */
export interface Walk {
  /** `follow`: as most system calls do. `refuse`: a link anywhere is ELOOP. `last stays`: only the last one is not followed. */
  readonly links: 'follow' | 'refuse' | 'last stays'
  /** `over`: what is mounted on the last component counts. `under`: the component itself, as mkdir and rmdir want it. */
  readonly last: 'over' | 'under'
}

/** Components of an absolute path. */
export const componentsOf = (path: string): readonly string[] => path.split('/').filter((part) => part !== '')

/** Walks down an absolute path in a namespace. */
export const walk = (host: ModelHost, namespace: string, path: string, how: Walk): Reached => {
  let place = rootOfNamespace(host, namespace)
  let links = 0
  let names = [...componentsOf(path)]
  while (names.length > 0) {
    const [name = '', ...rest] = names
    const here = inodeOf(host, place.inode)
    if (here.kind !== 'directory') return { errno: 'ENOTDIR' }
    const next = here.entries.get(name)
    if (next === undefined) return { errno: 'ENOENT' }
    const isLast = rest.length === 0
    const { kind, target } = inodeOf(host, next)
    if (kind === 'symlink' && !(isLast && how.links === 'last stays')) {
      links += 1
      if (how.links === 'refuse' || links > LINKS_MAX) return { errno: 'ELOOP' }
      names = [...componentsOf(target ?? ''), ...rest]
      place = rootOfNamespace(host, namespace)
      continue
    }
    const under = { mount: place.mount, inode: next }
    place = isLast && how.last === 'under' ? under : onTop(host, namespace, under)
    names = rest
  }
  return place
}

/** The directory that a path's last component is in, and that component. */
export const parentOf = (path: string): { readonly directory: string; readonly name: string } => {
  const slash = path.lastIndexOf('/')
  return { directory: slash <= 0 ? '/' : path.slice(0, slash), name: path.slice(slash + 1) }
}

const DELETED = '//deleted'

/** A directory as a path inside its filesystem, as the mount table shows the root of a mount. */
export const pathInFilesystem = (host: ModelHost, inode: number): string => {
  const names: string[] = []
  let removed = false
  for (let at: number | undefined = inode; at !== undefined;) {
    const each = inodeOf(host, at)
    removed ||= each.removed
    if (each.parent !== undefined) names.unshift(each.name)
    at = each.parent
  }
  return `/${names.join('/')}${removed ? DELETED : ''}`
}

/** Whether a directory is another one, or is below it. */
export const isWithin = (host: ModelHost, inode: number, ancestor: number): boolean => {
  for (let at: number | undefined = inode; at !== undefined; at = inodeOf(host, at).parent) {
    if (at === ancestor) return true
  }
  return false
}
