// How many bytes a request allocates: prints the mean of 10,000 requests, which attach and detach on 1,000 mountpoints of a host in
// memory. A process of its own, on the built packages, so that nothing else allocates:
// cost.test.ts starts it, with the flags that make it repeatable. Between two collections there are so few requests that none happens of
// itself, so the heap has grown by all that was allocated.

import { setImmediate as turn } from 'node:timers/promises'
import { defaultSettings } from '@mountkeeper/border'
import { emptyHost } from '@mountkeeper/core'
import { createLoop, createMemoryJournal } from '@mountkeeper/runtime'

const MOUNTPOINTS = 1_000
const REQUESTS = 10_000
const TOGETHER = 200
const WARM_UP = 4_000
const ROOT = '/srv/mounts'

/** Bytes for each request that a regression is planted with. */
const PLANTED = process.argv[2] === 'planted' ? 4_096 : 0

const flags = ['rw', 'nosuid', 'nodev']
const paths = new Map()
let lastMount = 0
const found = ({ mountpoint }) => {
  const layers = paths.get(mountpoint)
  if (layers === undefined) return { _tag: 'NoDirectory' }
  return layers.length === 0 ? { _tag: 'Directory' } : { _tag: 'Mounted', layers }
}
const act = {
  Look: () => undefined,
  MakeDirectory: ({ mountpoint }) => void paths.set(mountpoint, []),
  Mount: ({ mountpoint, filesystem: { type: fstype, source } }) => {
    lastMount += 1
    paths.set(mountpoint, [{ mountId: lastMount, device: `0:${lastMount}`, fstype, source, root: '/', flags }])
  },
  Unmount: ({ mountpoint }) => void paths.set(mountpoint, []),
  RemoveDirectory: ({ mountpoint }) => void paths.delete(mountpoint),
}
const root = { path: ROOT, mountId: 1, directory: '0:1:1', propagation: 'shared' }
const discovered = { _tag: 'Discovered', boot: 'boot-1', mountNamespace: '1', roots: [root], mountpoints: [] }
const run = (effect) => {
  if (effect._tag === 'Discover') return Promise.resolve({ found: discovered })
  act[effect._tag](effect)
  return Promise.resolve({ found: found(effect) })
}

const loop = createLoop({
  host: emptyHost({ ...defaultSettings(ROOT), roots: [{ path: ROOT, ladder: 'off' }] }),
  port: { run },
  journal: createMemoryJournal(),
  // No clock: a timer of Node allocates what is not ours.
  timers: { now: () => 1_700_000_000_000, after: () => () => undefined },
})

const names = Array.from({ length: MOUNTPOINTS }, (_, index) => ({
  mountpoint: `${ROOT}/shared-${index}`,
  volume: `volume-${index}`,
  consumer: `consumer-${index}`,
}))
const filesystem = { type: 'tmpfs', source: 'tmpfs', options: [] }
const request = (index) => {
  const name = names[index % MOUNTPOINTS]
  return Math.floor(index / MOUNTPOINTS) % 2 === 0 ? { op: 'attach', ...name, filesystem } : { op: 'detach', ...name }
}

const waste = []
const serve = async (from) => {
  const answers = await Promise.all(
    Array.from({ length: TOGETHER }, (_, index) => {
      if (PLANTED > 0) waste.push(new Array(PLANTED / 8).fill(0))
      return loop.submit(request(from + index))
    }),
  )
  const refused = answers.find(({ ok }) => !ok)
  if (refused !== undefined) throw new Error(JSON.stringify(refused))
  waste.length = 0
  await turn()
}

const up = await loop.submit({ op: 'host-up' })
if (!up.ok) throw new Error(JSON.stringify(up))
for (let from = 0; from < WARM_UP; from += TOGETHER) await serve(from)
let bytes = 0
for (let from = 0; from < REQUESTS; from += TOGETHER) {
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  await serve(from)
  bytes += process.memoryUsage().heapUsed - before
}
process.stdout.write(`${Math.round(bytes / REQUESTS)}\n`)
process.exit(0)
