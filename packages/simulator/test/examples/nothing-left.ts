import type { AttachRequest } from '@mountkeeper/core'
import { createSimulatedHost } from '@mountkeeper/simulator'
import { expect } from 'vitest'

/** A volume that cannot be mounted leaves nothing behind. */
export const nothingLeft = async (disk: Omit<AttachRequest, 'op'>): Promise<void> => {
  const host = createSimulatedHost()
  const manager = await host.start()
  host.inject({ effect: 'Mount', fault: { _tag: 'Fails', worked: false } })
  expect(await manager.attach(disk)()).toMatchObject({ left: { _tag: 'MountFailed' } })
  expect(host.at(disk.mountpoint)).toEqual({ layers: [], directory: 'none' })
}
