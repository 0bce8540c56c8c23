import { readFileSync, readdirSync } from 'node:fs'
import { emptyHost, requestId } from '@mountkeeper/core'
import type { Answer, AttachRequest, Request } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { createMemoryJournal } from '../src/index.js'
import { boot, start } from './examples/await.js'
import { both } from './examples/either.js'
import { serve } from './examples/own-loop.js'
import { watch } from './examples/watch.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'

const disk = (name: string, size = '1m'): Omit<AttachRequest, 'op'> => ({
  mountpoint: `/srv/mounts/${name}`,
  filesystem: { type: 'tmpfs', source: 'tmpfs', options: [`size=${size}`] },
  volume: 'volume-1',
  consumer: 'vm-1',
})

const host = () => createModelHost(['/srv/mounts'])

describe('the examples of the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const folder = new URL('./examples/', import.meta.url)

  test.each(readdirSync(folder))('%s stands there as it is run here', (name) => {
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(name, folder), 'utf8')}\`\`\`\n`)
  })

  test('a loop of one’s own serves an attach and a detach', async () => {
    const state = emptyHost(SETTINGS)
    const port = host()
    const journal = createMemoryJournal()
    let last = 0
    const submit = (body: Request): Promise<readonly Answer[]> => {
      last += 1
      return serve(state, port, journal, { _tag: 'Requested', at: 0, request: requestId(last), body })
    }
    await submit({ op: 'host-up' })
    expect(await submit({ op: 'attach', ...disk('a') })).toMatchObject([{ ok: true, result: { mount: 'mounted' } }])
    expect(journal.facts.map(({ _tag }) => _tag)).toEqual(['HostCameUp', 'Claimed', 'DirectoryMade', 'Mounted', 'Held'])
    expect(await submit({ op: 'detach', ...disk('a') })).toMatchObject([{ ok: true, result: { mount: 'unmounted' } }])
    expect(port.paths.size).toBe(0)
  })

  test('with await: a boot that fails takes back what it added, and nothing else', async () => {
    const port = host()
    const manager = await start(SETTINGS, port)
    const fail = (): Promise<void> => Promise.reject(new Error('no such kernel'))
    expect(await boot(manager, disk('a'), fail)).toBe('did not boot')
    expect(port.paths.size).toBe(0)
    expect(await boot(manager, disk('a'), () => Promise.resolve())).toBe('running')
    expect(await boot(manager, disk('a'), fail)).toBe('did not boot')
    expect(port.paths.size).toBe(1)
    expect(await boot(manager, disk('a', '2m'), fail)).toBe('/srv/mounts/a holds another filesystem')
  })

  test('with fp-ts: both or none', async () => {
    const port = host()
    const manager = await start(SETTINGS, port)
    expect(await both(manager, disk('a'), disk('b'))()).toEqual({ _tag: 'Right', right: 1 })
    await manager.release({ consumer: 'vm-1' })()
    expect(await both(manager, disk('a'), disk('a', '2m'))()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'Conflict' },
    })
    expect(port.paths.size).toBe(0)
  })

  test('events: what consumers should hear of', async () => {
    const port = host()
    const manager = await start(SETTINGS, port)
    const said: string[] = []
    const done = watch(manager, (line) => void said.push(line))
    await manager.attach(disk('a'))()
    port.paths.set('/srv/mounts/a', [])
    manager.observed('/srv/mounts/a')
    await manager.stop()
    await done
    expect(said).toEqual(['/srv/mounts/a: Lost, was mounted, is lost', 'the manager has ended: Drained'])
  })
})
