// The smallest host there is: directories and layers in two maps, every effect succeeds at once. For benchmarks and for
// tests of the whole manager; faults, hangs and third parties are the simulator's business.

import type { Discover, EffectFound, Found, Identity, MountpointEffect } from '@mountkeeper/core'
import type { HostPort } from '@mountkeeper/runtime'

/** A host port, and what is on its host. */
export interface ModelHost extends HostPort {
  /** Layers by mountpoint, top first; a directory without any has an empty list. */
  readonly paths: Map<string, Identity[]>
}

const NO_DIRECTORY: Found = { _tag: 'NoDirectory' }
const DIRECTORY: Found = { _tag: 'Directory' }

export const createModelHost = (roots: readonly string[]): ModelHost => {
  const paths = new Map<string, Identity[]>()
  let lastMount = 100

  const at = (mountpoint: string): Found => {
    const layers = paths.get(mountpoint)
    if (layers === undefined) return NO_DIRECTORY
    return layers.length === 0 ? DIRECTORY : { _tag: 'Mounted', layers: [...layers] }
  }

  const discovered = (): EffectFound => ({
    _tag: 'Discovered',
    boot: 'boot-1',
    mountNamespace: '4026531841',
    roots: roots.map((path, index) => ({
      path,
      mountId: 1,
      directory: `0:1:${index}`,
      propagation: 'shared' as const,
    })),
    mountpoints: [...paths.keys()].map((mountpoint) => ({ mountpoint, found: at(mountpoint) })),
  })

  const found = (effect: MountpointEffect | Discover): EffectFound => {
    switch (effect._tag) {
      case 'Look':
        return at(effect.mountpoint)
      case 'MakeDirectory':
        if (!paths.has(effect.mountpoint)) paths.set(effect.mountpoint, [])
        return at(effect.mountpoint)
      case 'Mount': {
        lastMount += 1
        const { type, source } = effect.filesystem
        const identity: Identity = {
          mountId: lastMount,
          device: `0:${lastMount}`,
          fstype: type,
          source,
          root: '/',
          flags: ['rw', 'nosuid', 'nodev'],
        }
        paths.get(effect.mountpoint)?.unshift(identity)
        return at(effect.mountpoint)
      }
      case 'Unmount':
        paths.get(effect.mountpoint)?.shift()
        return at(effect.mountpoint)
      case 'RemoveDirectory':
        if (paths.get(effect.mountpoint)?.length === 0) paths.delete(effect.mountpoint)
        return at(effect.mountpoint)
      case 'Probe':
        return { _tag: 'Alive' }
      case 'Discover':
        return discovered()
    }
  }

  return { paths, run: (effect) => Promise.resolve({ found: found(effect) }) }
}
