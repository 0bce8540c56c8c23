import type { AttachRequest } from '@mountkeeper/core'
import { createSimulatedHost } from '@mountkeeper/simulator'
import { expect } from 'vitest'

/** The manager dies while it mounts; the one after it waits for the command that outlived it, and mounts nothing twice. */
export const afterACrash = async (disk: Omit<AttachRequest, 'op'>): Promise<void> => {
  const host = createSimulatedHost()
  host.inject({ effect: 'Mount', fault: { _tag: 'Hangs', worked: true, endsAfterMs: 5_000 } })
  const first = await host.start()
  void first.attach(disk)()
  await host.timers.pass(1_000)
  const second = await host.start() // the first one is dead from here on; its command is not
  const attached = second.attach(disk)()
  await host.timers.pass(170_000)
  expect(await attached).toMatchObject({ right: { holder: 'added', mount: 'shared' } })
  expect(host.at(disk.mountpoint).layers).toHaveLength(1)
}
