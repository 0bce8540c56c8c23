// The tests that a service writes: its own code on a simulated host, with what goes wrong on a real one.

import { openSimulatedMountkeeper } from 'mountkeeper/simulated'
import { describe, expect, test } from 'vitest'
import { handle, start, stop, withRemote } from '../src/index.js'
import type { Disk } from '../src/index.js'

const ROOT = '/srv/mounts'
const tmpfs = (source: string) => ({ type: 'tmpfs', source, options: ['size=1m'] })
const disk = (name: string): Disk => ({ mountpoint: `${ROOT}/${name}`, filesystem: tmpfs(name), volume: name })
const open = () => openSimulatedMountkeeper({ root: ROOT })

describe('the hypervisor agent', () => {
  test('attaches all disks before it boots, and takes them all back at the end', async () => {
    const keeper = await open()
    let mounted = 0
    await start(keeper, 'vm-1', [disk('a'), disk('b')], async () => {
      mounted = keeper.host.at(`${ROOT}/a`).layers.length + keeper.host.at(`${ROOT}/b`).layers.length
      await Promise.resolve()
    })
    expect(mounted).toBe(2)
    expect(await stop(keeper, 'vm-1')).toBe(2)
    expect(keeper.host.at(`${ROOT}/a`)).toEqual({ layers: [], directory: 'none' })
  })

  test('leaves nothing of a start whose second disk fails, and keeps what was there before', async () => {
    const keeper = await open()
    await keeper.attach({ ...disk('a'), consumer: 'vm-1' })
    keeper.host.inject({ effect: 'Mount', mountpoint: `${ROOT}/c`, fault: { _tag: 'Fails', worked: false } })
    const starting = start(keeper, 'vm-1', [disk('a'), disk('b'), disk('c')], () => Promise.resolve())
    await expect(starting).rejects.toMatchObject({ code: 'MountFailed' })
    expect(['a', 'b', 'c'].map((name) => keeper.host.at(`${ROOT}/${name}`).layers.length)).toEqual([1, 0, 0])
  })

  test('finds its holders after a crash', async () => {
    const keeper = await open()
    await start(keeper, 'vm-1', [disk('a')], () => Promise.resolve())
    expect(await stop(await keeper.crash(), 'vm-1')).toBe(1)
  })
})

describe('the backup worker', () => {
  const remote = { id: 'remote', filesystem: tmpfs('remote') }

  test('mounts once for two jobs at the same time, and unmounts after the last one', async () => {
    const keeper = await open()
    const access = { keeper, root: ROOT, wait: () => Promise.resolve() }
    await Promise.all(['job-1', 'job-2'].map((job) => withRemote(access, remote, job, () => Promise.resolve(job))))
    expect(keeper.host.ran.filter((effect) => effect === `Mount ${ROOT}/remote`)).toHaveLength(1)
    expect(keeper.host.at(`${ROOT}/remote`).layers).toEqual([])
  })

  test('tries a mount again that exits with 0 and mounts nothing', async () => {
    const keeper = await open()
    keeper.host.inject({ effect: 'Mount', fault: { _tag: 'Fails', worked: false } })
    const waits: number[] = []
    const wait = async (ms: number) => {
      waits.push(ms)
      await keeper.host.timers.pass(ms)
    }
    expect(await withRemote({ keeper, root: ROOT, wait }, remote, 'job-1', (path) => Promise.resolve(path))).toBe(
      `${ROOT}/remote`,
    )
    expect(waits).toEqual([5_000])
  })
})

describe('the volume plug-in', () => {
  test('mounts for the first id and unmounts after the last', async () => {
    const keeper = await open()
    const plugin = { keeper, root: ROOT, filesystemOf: tmpfs }
    const call = (path: string, id: string) => handle(plugin, `/VolumeDriver.${path}`, { Name: 'v', ID: id })
    expect(await call('Mount', '1')).toEqual({ Mountpoint: `${ROOT}/v`, Err: '' })
    await call('Mount', '2')
    await call('Unmount', '1')
    expect(keeper.host.at(`${ROOT}/v`).layers).toHaveLength(1)
    await call('Unmount', '2')
    expect(keeper.host.at(`${ROOT}/v`).layers).toEqual([])
  })

  test('gives a refusal as the text of its answer', async () => {
    const keeper = await open()
    keeper.host.interfere({ _tag: 'MakesDirectory', path: `${ROOT}/v` })
    keeper.host.interfere({ _tag: 'Mounts', path: `${ROOT}/v`, fstype: 'tmpfs', source: 'theirs', flags: ['rw'] })
    const plugin = { keeper, root: ROOT, filesystemOf: tmpfs }
    expect(await handle(plugin, '/VolumeDriver.Mount', { Name: 'v', ID: '1' })).toMatchObject({
      Err: expect.stringContaining('Foreign') as string,
    })
  })
})
