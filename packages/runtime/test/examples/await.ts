import type { AttachRequest } from '@mountkeeper/core'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { MountManager, MountManagerOptions } from '@mountkeeper/runtime'

/** A manager that is up. */
export const start = async (settings: MountManagerOptions['settings'], host: MountManagerOptions['host']) => {
  const created = await createMountManager({ settings, host, journal: createMemoryJournal() })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  const up = await created.right.hostUp()()
  if (up._tag === 'Left') throw new Error(`the host did not come up: ${up.left._tag}`)
  return created.right
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
