// Third parties: what they may do to the host, as data. What the kernel refuses them changes nothing.

import type { ModelHost, Obstruction, Process, Propagation, Server } from './model/host.js'
import { makeDirectory, makeFile, makeLink, removeDirectory, removeFile, rename } from './model/directory.js'
import { bindDirectory, mountFilesystem, moveMount, remount, turnReadOnly, unmount } from './model/mount.js'
import { addNamespace, enter, leave, obstruct, otherNamespace, setHelper, setServer } from './model/surroundings.js'

/** One act of a third party. `elsewhere`: in the other mount namespace, if there is one. */
export type ThirdPartyAct =
  | {
      readonly _tag: 'Mounts'
      readonly path: string
      readonly fstype: string
      readonly source: string
      readonly flags: readonly string[]
      readonly elsewhere?: boolean
    }
  | { readonly _tag: 'Binds'; readonly path: string; readonly source: string }
  | { readonly _tag: 'Unmounts'; readonly path: string; readonly how: 'plain' | 'lazy'; readonly elsewhere?: boolean }
  | { readonly _tag: 'MakesDirectory'; readonly path: string }
  | { readonly _tag: 'RemovesDirectory'; readonly path: string }
  /** A file in a directory, such as a consumer leaves in one that should have been mounted. */
  | { readonly _tag: 'Writes'; readonly path: string }
  | { readonly _tag: 'Deletes'; readonly path: string }
  | { readonly _tag: 'Links'; readonly path: string; readonly target: string }
  | { readonly _tag: 'Renames'; readonly from: string; readonly to: string }
  /** mount --move of the layer on top, with all that is on it. */
  | { readonly _tag: 'Moves'; readonly from: string; readonly to: string }
  | { readonly _tag: 'Enters'; readonly path: string; readonly uses: Process['uses'] }
  /** The flags of the top mount at a path become these. */
  | { readonly _tag: 'Remounts'; readonly path: string; readonly flags: readonly string[] }
  /** The filesystem at a path becomes read-only as a whole, or can be written again. */
  | { readonly _tag: 'TurnsReadOnly'; readonly path: string; readonly readOnly: boolean }
  /** The oldest process ends. */
  | { readonly _tag: 'Leaves' }
  | { readonly _tag: 'Behaves'; readonly server: string; readonly as: Server }
  /**
   * What is below a directory cannot be reached, or not safely, until a person changes that; `nothing`: it can be again. A link
   * or a file on the way is made by `Renames` and `Links` or `Writes`.
   */
  | { readonly _tag: 'Obstructs'; readonly path: string; readonly by: Obstruction | 'nothing' }
  /** The program that mounts a type is installed, or removed. */
  | { readonly _tag: 'Helper'; readonly type: string; readonly is: 'installed' | 'missing' }
  | { readonly _tag: 'Unshares'; readonly propagation: Propagation }

/** What becomes of the host. */
export const interfere = (host: ModelHost, act: ThirdPartyAct): ModelHost => {
  switch (act._tag) {
    case 'Mounts': {
      const { fstype, source, flags } = act
      const namespace = act.elsewhere === true ? (otherNamespace(host) ?? host.own) : host.own
      return mountFilesystem(host, namespace, act.path, { fstype, source, flags, by: 'others' }).host
    }
    case 'Binds':
      return bindDirectory(host, host.own, act.source, act.path, { flags: ['rw', 'relatime'], by: 'others' }).host
    case 'Unmounts': {
      const namespace = act.elsewhere === true ? (otherNamespace(host) ?? host.own) : host.own
      return unmount(host, namespace, act.path, act.how).host
    }
    case 'MakesDirectory':
      return makeDirectory(host, host.own, act.path, 'others').host
    case 'RemovesDirectory':
      return removeDirectory(host, host.own, act.path).host
    case 'Writes':
      return makeFile(host, host.own, act.path, 'file').host
    case 'Deletes':
      return removeFile(host, host.own, act.path).host
    case 'Links':
      return makeLink(host, host.own, act.path, act.target).host
    case 'Renames':
      return rename(host, host.own, act.from, act.to).host
    case 'Moves':
      return moveMount(host, host.own, act.from, act.to).host
    case 'Enters':
      return enter(host, host.own, act.path, act.uses).host
    case 'Remounts':
      return remount(host, host.own, act.path, act.flags).host
    case 'TurnsReadOnly':
      return turnReadOnly(host, host.own, act.path, act.readOnly).host
    case 'Leaves': {
      const [oldest] = host.processes.keys()
      return oldest === undefined ? host : leave(host, oldest)
    }
    case 'Behaves':
      return setServer(host, act.server, act.as)
    case 'Obstructs':
      return obstruct(host, act.path, act.by === 'nothing' ? undefined : act.by).host
    case 'Helper':
      return setHelper(host, act.type, act.is)
    case 'Unshares':
      return host.namespaces.length > 1 ? host : addNamespace(host, act.propagation)
  }
}
