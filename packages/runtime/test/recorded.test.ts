// What a manager says to those who watch the mounts: what is recorded, and where an attach was answered.
import type { AttachRequest } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { ERRORS_MAX, createMemoryJournal, createMountManager } from '../src/index.js'
import type { HostPort, MountManager, Report } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { settled } from './world.js'

const ROOT = '/srv/mounts'

const disk = (name: string, consumer: string, size = '1m'): Omit<AttachRequest, 'op'> => ({
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: 'tmpfs', options: [`size=${size}`] },
  volume: 'volume-1',
  consumer,
})

const started = async (host: HostPort = createModelHost([ROOT])): Promise<MountManager> => {
  const created = await createMountManager({ settings: SETTINGS, host, journal: createMemoryJournal() })()
  if (created._tag === 'Left') throw new Error(JSON.stringify(created.left))
  await created.right.hostUp()()
  return created.right
}

test('the layers on record, and whether anything is under way there', async () => {
  const host = createModelHost([ROOT])
  let goOn: (() => void) | undefined
  const port: HostPort = {
    run: (effect) =>
      effect._tag === 'Mount'
        ? new Promise<Report>((resolve) => (goOn = () => void host.run(effect).then(resolve)))
        : host.run(effect),
  }
  const manager = await started(port)
  expect([...manager.mountpoints()]).toEqual([])
  expect(manager.recorded(`${ROOT}/a`)).toBeUndefined()
  const attached = manager.attach(disk('a', 'vm-1'))()
  while (goOn === undefined) await settled()
  expect(manager.recorded(`${ROOT}/a`)).toMatchObject({ ours: undefined, atRest: false })
  goOn()
  await attached
  expect([...manager.mountpoints()]).toEqual([`${ROOT}/a`])
  expect(manager.recorded(`${ROOT}/a`)).toMatchObject({ ours: { fstype: 'tmpfs' }, others: [], atRest: true })
})

test('each `Attached` is heard of, mounted or shared; a refusal is not', async () => {
  const manager = await started()
  const heard: string[] = []
  const end = manager.onAttached((mountpoint) => heard.push(mountpoint))
  await manager.attach(disk('a', 'vm-1'))()
  await manager.submit({ op: 'attach', ...disk('a', 'vm-2') })
  await manager.attach(disk('a', 'vm-3', '2m'))()
  await manager.detach(disk('a', 'vm-1'))()
  await manager.submit({ op: 'attach' })
  expect(heard).toEqual([`${ROOT}/a`, `${ROOT}/a`])
  end()
  await manager.attach(disk('b', 'vm-1'))()
  await settled()
  expect(heard).toHaveLength(2)
})

test('a listener that throws is called no more after a few errors, and costs neither the caller nor the others anything', async () => {
  const manager = await started()
  const heard: string[] = []
  let thrown = 0
  const ends = [
    manager.onAttached(() => {
      thrown += 1
      throw new Error('a defect of the listener')
    }),
    manager.onAttached((mountpoint) => heard.push(mountpoint)),
  ]
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) expect(await manager.attach(disk(name, 'vm-1'))()).toMatchObject({ _tag: 'Right' })
  await settled()
  expect(heard).toEqual(names.map((name) => `${ROOT}/${name}`))
  expect(thrown).toBe(ERRORS_MAX)
  for (const end of ends) end()
})
