// A model of a host for tests of the command: directories and layers in a map, commands as the real adapter would report
// them, and a failure or a wait for whatever a test names.

import type { Discover, EffectFound, Found, Identity, MountpointEffect } from '@mountkeeper/core'
import { optionText } from '@mountkeeper/core'
import type { HostPort, Report } from '@mountkeeper/runtime'

export interface ModelHost extends HostPort {
  /** Layers by mountpoint, top first; a directory without any has an empty list. */
  readonly paths: Map<string, Identity[]>
  /** What was run, in order: `Mount /srv/mounts/a`. */
  readonly ran: string[]
  /** Mounting a source that is in here fails. */
  readonly failing: Set<string>
  /** Mounting this source waits from now on, until `letGo`. */
  readonly hold: (source: string) => void
  readonly letGo: (source: string) => void
  /** Resolves when a mount of this source waits. */
  readonly held: (source: string) => Promise<void>
  /** Discovery fails with this reason. */
  down: string | undefined
  /** Of its root, for discoveries to come. */
  propagation: 'shared' | 'private'
}

const COMMANDS: Readonly<Record<string, (effect: MountpointEffect) => readonly string[]>> = {
  MakeDirectory: ({ mountpoint }) => ['mkdir', '-m', '0700', '--', mountpoint],
  RemoveDirectory: ({ mountpoint }) => ['rmdir', '--', mountpoint],
  Unmount: ({ mountpoint }) => ['umount', '--', mountpoint],
  Mount: (effect) =>
    effect._tag === 'Mount'
      ? [
          'mount',
          '-t',
          effect.filesystem.type,
          '-o',
          effect.options.map((option) => optionText(option)).join(','),
          '--',
          effect.filesystem.source,
          effect.mountpoint,
        ]
      : [],
}

export const createModelHost = (root = '/srv/mounts'): ModelHost => {
  const paths = new Map<string, Identity[]>()
  const ran: string[] = []
  const failing = new Set<string>()
  const waiting = new Map<string, Promise<void>>()
  const releases = new Map<string, () => void>()
  const begun = new Set<string>()
  const listeners = new Set<() => void>()
  let mountId = 100

  const at = (mountpoint: string): Found => {
    const layers = paths.get(mountpoint)
    if (layers === undefined) return { _tag: 'NoDirectory' }
    return layers.length === 0 ? { _tag: 'Directory' } : { _tag: 'Mounted', layers: [...layers] }
  }

  const change = (effect: MountpointEffect): void => {
    const layers = paths.get(effect.mountpoint)
    if (effect._tag === 'MakeDirectory') paths.set(effect.mountpoint, layers ?? [])
    if (effect._tag === 'Unmount') layers?.shift()
    if (effect._tag === 'RemoveDirectory') paths.delete(effect.mountpoint)
    if (effect._tag !== 'Mount') return
    mountId += 1
    const { type, source } = effect.filesystem
    const flags = ['rw', ...effect.options.filter((option) => option === 'nosuid' || option === 'nodev').map(String)]
    layers?.unshift({ mountId, device: `0:${mountId}`, fstype: type, source, root: '/', flags })
  }

  const discovered = (): EffectFound =>
    host.down === undefined
      ? {
          _tag: 'Discovered',
          boot: 'boot-1',
          mountNamespace: 'mnt:[1]',
          roots: [{ path: root, mountId: 1, directory: '0:1', propagation: host.propagation }],
          mountpoints: [...paths.keys()].map((mountpoint) => ({ mountpoint, found: at(mountpoint) })),
        }
      : { _tag: 'NotDiscovered', reason: host.down }

  const run = async (effect: MountpointEffect | Discover): Promise<Report> => {
    if (effect._tag === 'Discover') return { found: discovered() }
    ran.push(`${effect._tag} ${effect.mountpoint}`)
    const source = effect._tag === 'Mount' ? effect.filesystem.source : ''
    begun.add(source)
    for (const listener of listeners) listener()
    await waiting.get(source)
    const command = COMMANDS[effect._tag]?.(effect)
    if (command === undefined) return { found: effect._tag === 'Probe' ? { _tag: 'Alive' } : at(effect.mountpoint) }
    const fails = failing.has(source)
    if (!fails) change(effect)
    const stderr = fails ? 'mount: unknown filesystem type.\n' : ''
    const end = { command, exitStatus: fails ? 32 : 0, signal: undefined, stderr, durationMs: 2 }
    const error = fails ? { error: { command, exitStatus: 32, stderr } } : {}
    return { found: at(effect.mountpoint), ran: [end], ...error }
  }

  const host: ModelHost = {
    paths,
    ran,
    failing,
    hold: (source) => {
      const free = new Promise<void>((resolve) => releases.set(source, resolve))
      waiting.set(source, free)
    },
    letGo: (source) => releases.get(source)?.(),
    held: (source) =>
      new Promise((resolve) => {
        const listener = (): void => {
          if (!begun.has(source)) return
          listeners.delete(listener)
          resolve()
        }
        listeners.add(listener)
        listener()
      }),
    down: undefined,
    propagation: 'shared',
    run,
  }
  return host
}
