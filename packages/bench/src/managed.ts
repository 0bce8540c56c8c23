// The manager as an embedding service has it, and what whole cycles of attach and detach cost that service.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { defaultSettings } from '@mountkeeper/border'
import { linuxHost } from '@mountkeeper/linux'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'

/** A manager of one root, up, with a journal in memory. */
export const startManager = async (root: string): Promise<MountManager> => {
  const settings = defaultSettings(root)
  const host = linuxHost({ types: settings.types })
  const made = await createMountManager({ settings, host, journal: createMemoryJournal() })()
  if (made._tag === 'Left') throw new Error(JSON.stringify(made.left))
  const up = await made.right.hostUp()()
  if (up._tag === 'Left') throw new Error(JSON.stringify(up.left))
  return made.right
}

const FILESYSTEM = { type: 'tmpfs', source: 'bench', options: ['size=64k'] }

/** Attaches and detaches once; throws where either is refused. */
export const cycle = async (manager: MountManager, mountpoint: string): Promise<void> => {
  const who = { mountpoint, volume: 'volume', consumer: 'consumer' }
  const attached = await manager.attach({ ...who, filesystem: FILESYSTEM })()
  if (attached._tag === 'Left') throw new Error(JSON.stringify(attached.left))
  const detached = await manager.detach(who)()
  if (detached._tag === 'Left' || detached.right.mount !== 'unmounted') throw new Error(JSON.stringify(detached))
}

/** What cycles have cost the process that manages, for each of them unless said otherwise. */
export interface Cost {
  readonly cycles: number
  readonly wallMs: number
  /** Processor time of this process, its own threads included. */
  readonly ownMs: number
  /** Time in which the event loop did something. */
  readonly loopMs: number
  /** The longest delay of the event loop, and its 99th percentile; not per cycle. */
  readonly delayMostMs: number
  readonly delayP99Ms: number
}

const US_PER_MS = 1e3
const NS_PER_MS = 1e6

const measured = async (cycles: number, run: () => Promise<void>): Promise<Cost> => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const cpu = process.cpuUsage()
  const loop = performance.eventLoopUtilization()
  const from = performance.now()
  await run()
  const wallMs = performance.now() - from
  const { active } = performance.eventLoopUtilization(loop)
  const { user, system } = process.cpuUsage(cpu)
  delay.disable()
  return {
    cycles,
    wallMs: wallMs / cycles,
    ownMs: (user + system) / US_PER_MS / cycles,
    loopMs: active / cycles,
    delayMostMs: delay.max / NS_PER_MS,
    delayP99Ms: delay.percentile(99) / NS_PER_MS,
  }
}

/** So many cycles, one at a time. */
export const oneAtATime = (manager: MountManager, root: string, cycles: number): Promise<Cost> =>
  measured(cycles, async () => {
    for (let index = 0; index < cycles; index += 1) await cycle(manager, `${root}/one-${index}`)
  })

/** So many cycles on as many mountpoints, all asked for at once. */
export const burst = (manager: MountManager, root: string, waiting: number): Promise<Cost> =>
  measured(waiting, async () => {
    await Promise.all(Array.from({ length: waiting }, (_, index) => cycle(manager, `${root}/burst-${index}`)))
  })
