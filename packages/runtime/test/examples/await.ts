import type { AttachRequest } from '@mountkeeper/core'
import { createMemoryJournal, startMountManager } from '@mountkeeper/runtime'
import type { MountManager, MountManagerOptions } from '@mountkeeper/runtime'

/** A manager that is up; where there is none, nothing of it goes on. */
export const start = async (settings: MountManagerOptions['settings'], host: MountManagerOptions['host']) => {
  const started = await startMountManager({ settings, host, journal: createMemoryJournal() })()
  if (started._tag === 'Left') throw new Error(started.left.why)
  return started.right.manager
}

/** Mounts what a machine needs, boots it, and takes back exactly what this call has added when the boot fails. */
export const boot = async (manager: MountManager, disk: Omit<AttachRequest, 'op'>, run: () => Promise<void>) => {
  const attached = await manager.attach(disk)()
  if (attached._tag === 'Left') {
    const refusal = attached.left
    switch (refusal._tag) {
      case 'Conflict':
        return `${disk.mountpoint} holds another filesystem`
      case 'MountFailed':
        return `${refusal.why} (${refusal.error?.stderr ?? 'no message'})`
      default:
        return `not now: ${refusal._tag}`
    }
  }
  try {
    await run()
    return 'running'
  } catch {
    if (attached.right.holder === 'added') await manager.detach(disk)()
    return 'did not boot'
  }
}
