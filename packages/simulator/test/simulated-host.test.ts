// The simulated host under a whole manager: faults, hangs and their ends, third parties, crashes, reboots, virtual time.

import { readdirSync, readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { AttachRequest, MountOption } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import type { Fault } from '../src/index.js'
import { createSimulatedHost, createVirtualTimers, simulatedSettings } from '../src/index.js'
import { afterACrash } from './examples/after-a-crash.js'
import { nothingLeft } from './examples/nothing-left.js'

const A = '/srv/mounts/a'
const tmpfs = (volume = 'v', path = A): Omit<AttachRequest, 'op'> => ({
  mountpoint: path,
  filesystem: { type: 'tmpfs', source: 'f', options: [] },
  volume,
  consumer: 'c',
})
const nfs = (server = 'n1', path = A): Omit<AttachRequest, 'op'> => ({
  ...tmpfs('v', path),
  filesystem: { type: 'nfs', source: `${server}:/f`, options: [] },
})

describe('the examples of the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const folder = new URL('./examples/', import.meta.url)

  test.each(readdirSync(folder))('%s stands there as it is run here', (name) => {
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(name, folder), 'utf8')}\`\`\`\n`)
  })

  test('nothing is left of a failed mount', () => nothingLeft(tmpfs()))
  test('a crash loses no holder', () => afterACrash(tmpfs()))
})

describe('a manager on a simulated host', () => {
  test('mounts, shares, unmounts', async () => {
    const host = createSimulatedHost()
    const manager = await host.start()
    expect(await manager.attach(tmpfs())()).toMatchObject({ right: { mount: 'mounted' } })
    expect(await manager.attach(tmpfs('w'))()).toMatchObject({ right: { mount: 'shared' } })
    expect(host.at(A)).toMatchObject({ layers: [{ source: 'f', by: 'us' }], directory: 'ours' })
    expect(await manager.release({ consumer: 'c' })()).toMatchObject({ right: { attachments: [{}, {}] } })
    expect(host.at(A)).toEqual({ layers: [], directory: 'none' })
    expect(host.ran).toContain(`Unmount ${A}`)
  })

  test.each<[string, Fault, object]>([
    ['that works with an error', { _tag: 'Fails', worked: true }, { right: { warnings: [{ _tag: 'CommandFailed' }] } }],
    ['that does something else', { _tag: 'WrongFilesystem' }, { left: { _tag: 'MountFailed' } }],
    ['without a flag', { _tag: 'MissingFlag' }, { left: { _tag: 'MountFailed', rollback: [] } }],
    ['twice', { _tag: 'Twice' }, { left: { _tag: 'Foreign' } }],
  ])('reports a mount %s', async (_what, fault, answer) => {
    const host = createSimulatedHost()
    const manager = await host.start()
    host.inject({ effect: 'Mount', mountpoint: A, fault })
    expect(await manager.attach(tmpfs())()).toMatchObject(answer)
  })

  test.each<[Fault, object]>([
    [{ _tag: 'Late', afterMs: 900 }, { right: { mount: 'mounted' } }],
    [{ _tag: 'DoesNothing' }, { left: { _tag: 'MountFailed' } }],
  ])('waits for a mount that shows late, and not for ever: %o', async (fault, answer) => {
    const host = createSimulatedHost()
    const manager = await host.start()
    host.inject({ effect: 'Mount', fault })
    const asked = manager.attach(tmpfs())()
    await host.timers.pass(1_000)
    expect(await asked).toMatchObject(answer)
  })

  test('a hung server holds up its own mountpoint, until it answers again', async () => {
    const host = createSimulatedHost()
    const manager = await host.start()
    host.interfere({ _tag: 'Behaves', server: 'n1', as: 'hangs' })
    const asked = manager.attach(nfs())()
    expect(await manager.attach(nfs('n2', '/srv/mounts/b'))()).toMatchObject({ right: { mount: 'mounted' } })
    await host.timers.pass(180_000)
    expect(await asked).toMatchObject({ left: { _tag: 'Uncertain' } })
    host.interfere({ _tag: 'Behaves', server: 'n1', as: 'answers' })
    const again = manager.attach(nfs())()
    await host.timers.pass(1_000)
    expect(await again).toMatchObject({ right: { mount: 'mounted' } })
  })

  test('a command that hangs by decree ends by itself, having worked', async () => {
    const host = createSimulatedHost()
    const manager = await host.start()
    host.inject({ effect: 'Mount', fault: { _tag: 'Hangs', worked: true, endsAfterMs: 5_000 } })
    const asked = manager.attach(nfs())()
    await host.timers.pass(125_000)
    expect(await asked).toMatchObject({ right: { mount: 'mounted' } })
    expect(host.at(A).layers).toHaveLength(1)
  })

  test('discovery that fails is tried again', async () => {
    const host = createSimulatedHost()
    host.inject({ effect: 'Discover', fault: { _tag: 'Fails', worked: false } })
    host.inject({ effect: 'Discover', fault: { _tag: 'Hangs', worked: false, endsAfterMs: undefined } })
    const manager = await host.start()
    const phase = async () => (await manager.status()()) as unknown
    expect(await phase()).toMatchObject({ right: { phase: 'retrying' } })
    await host.timers.pass(10_000)
    expect(await phase()).toMatchObject({ right: { phase: 'discovering' } })
    await host.timers.pass(70_000)
    expect(await phase()).toMatchObject({ right: { phase: 'up' } })
  })

  test('a reboot leaves holders, directories and the journal', async () => {
    const host = createSimulatedHost({ settings: simulatedSettings({ policies: { afterReboot: 'remount' } }) })
    await (await host.start()).attach(tmpfs())()
    host.reboot()
    expect(host.at(A)).toEqual({ layers: [], directory: 'ours' })
    const after = await host.start()
    await host.timers.settle()
    expect(await after.attach(tmpfs())()).toMatchObject({
      right: { holder: 'already-held', mount: 'shared', generation: 2 },
    })
  })

  test('injections are used up in their order, as often as they say', async () => {
    const host = createSimulatedHost()
    const manager = await host.start()
    host.inject({ effect: 'Mount', mountpoint: '/srv/mounts/b', fault: { _tag: 'Fails', worked: false }, times: 2 })
    const mounts = async (path: string) => (await manager.attach(tmpfs('v', path))())._tag
    const b = '/srv/mounts/b'
    expect([await mounts(A), await mounts(b), await mounts(b), await mounts(b)]).toEqual([
      'Right',
      'Left',
      'Left',
      'Right',
    ])
  })
})

test('virtual time: delays end in their order, with all that they lead to, and can be called off', async () => {
  const timers = createVirtualTimers()
  const said: string[] = []
  const say = (what: string) => () => void said.push(`${what} at ${timers.now() - 1_000}`)
  void timers.after(20, say('b'))
  void timers.after(10, () => {
    say('a')()
    void timers.after(5, say('c'))
  })
  timers.after(12, say('never'))()
  await timers.pass(15)
  expect([said, timers.waiting()]).toEqual([['a at 10', 'c at 15'], 1])
  await timers.pass(100)
  expect([said.at(-1), timers.now(), timers.waiting()]).toEqual(['b at 20', 1_115, 0])
})

describe('secrets', () => {
  const settings = {
    ...simulatedSettings(),
    types: { cifs: typeRule('cifs', ['//nas/share']) },
    secrets: { directories: ['/etc/secrets'], environment: ['PLANTED'] },
  }
  const inFile: MountOption = { name: 'credentials', secretFile: '/etc/secrets/no-such-file' }
  const inVariable: MountOption = { name: 'credentials', secretEnvironment: 'PLANTED' }
  const cifs = (option: MountOption, volume = 'v'): Omit<AttachRequest, 'op'> => ({
    ...tmpfs(volume),
    filesystem: { type: 'cifs', source: '//nas/share', options: [option] },
  })

  test.each([
    ['a file', inFile, inVariable],
    ['a variable', inVariable, inFile],
  ])('in %s are references: shared by the same one, in conflict with any other', async (_, option, another) => {
    const host = createSimulatedHost({ settings })
    const manager = await host.start()
    expect(await manager.attach(cifs(option))()).toMatchObject({ right: { mount: 'mounted' } })
    expect(await manager.attach(cifs({ ...option }, 'w'))()).toMatchObject({ right: { mount: 'shared' } })
    expect(await manager.attach(cifs(another, 'x'))()).toMatchObject({ left: { _tag: 'Conflict' } })
    expect(await manager.release({ consumer: 'c' })()).toMatchObject({ right: { attachments: [{}, {}] } })
    expect(host.at(A)).toEqual({ layers: [], directory: 'none' })
  })

  test('have no value in the model, whatever the environment says', async () => {
    process.env['PLANTED'] = 'planted-in-a-variable'
    const host = createSimulatedHost({ settings })
    const first = await host.start()
    const attached = await first.attach(cifs(inVariable))()
    const second = await host.start()
    const seen = [attached, host.model(), host.ran, await second.status({})()]
    expect(inspect(seen, { depth: null, maxArrayLength: null })).not.toContain('planted-in-a-variable')
    // So that it is known to be complete.
    expect(inspect(seen, { depth: null, maxArrayLength: null })).toContain('PLANTED')
    delete process.env['PLANTED']
  })

  test('that are not configured are refused', async () => {
    const manager = await createSimulatedHost({ settings: { ...simulatedSettings(), types: settings.types } }).start()
    for (const option of [inFile, inVariable])
      expect(await manager.attach(cifs(option))()).toMatchObject({ left: { _tag: 'Invalid' } })
  })
})
