// Requests per second through the whole manager: N attaches, then as many detaches, on M mountpoints, an in-memory host
// and journal, 64 callers waiting. Names are made again for every request, as a caller's would be.
//
//   npm run bench -- runtime            all sizes; median of three rounds
//   REQUESTS=20000 WAITING=1 npm run bench -- runtime

import { emptyHost } from '@mountkeeper/core'
import type { Request, Settings } from '@mountkeeper/core'
import { createLoop, createMemoryJournal, createSystemTimers } from '@mountkeeper/runtime'
import type { Loop } from '@mountkeeper/runtime'
import { createModelHost } from '../test/model-host.js'
import { SETTINGS } from '../test/settings.js'

const REQUESTS = Number(process.env['REQUESTS'] ?? 100_000)
const WAITING = Number(process.env['WAITING'] ?? 64)
const ROUNDS = 3
const ROOT = '/srv/mounts'

const settings: Settings = { ...SETTINGS, roots: [{ path: ROOT, ladder: 'off' }] }
const TMPFS = { type: 'tmpfs', source: 'tmpfs', options: [] } as const

const path = (index: number): string => `${ROOT}/shared-${`${index}`.padStart(26, '0')}`
const volume = (index: number): string => `volume-${`${index}`.padStart(37, '0')}`
const consumer = (index: number): string => `consumer-${`${index}`.padStart(27, '0')}`

const attach = (index: number, mountpoints: number): Request => ({
  op: 'attach',
  mountpoint: path(index % mountpoints),
  filesystem: TMPFS,
  volume: volume(index),
  consumer: consumer(index),
})

const detach = (index: number, mountpoints: number): Request => ({
  op: 'detach',
  mountpoint: path(index % mountpoints),
  volume: volume(index),
  consumer: consumer(index),
})

/** Keeps `waiting` requests unanswered until all are; counts the refused. */
const drive = async (loop: Loop, waiting: number, make: (index: number) => Request): Promise<number> => {
  let next = 0
  let refused = 0
  const caller = async (): Promise<void> => {
    while (next < REQUESTS) {
      const request = make(next)
      next += 1
      const answer = await loop.submit(request)
      if (!answer.ok) refused += 1
    }
  }
  await Promise.all(Array.from({ length: waiting }, caller))
  return refused
}

const round = async (mountpoints: number, waiting: number): Promise<number> => {
  const loop = createLoop({
    host: emptyHost(settings),
    port: createModelHost([ROOT]),
    journal: createMemoryJournal(),
    timers: createSystemTimers(),
  })
  const up = await loop.submit({ op: 'host-up' })
  if (!up.ok) throw new Error(`the host did not come up: ${up.error._tag}`)
  const from = performance.now()
  const refused =
    (await drive(loop, waiting, (index) => attach(index, mountpoints))) +
    (await drive(loop, waiting, (index) => detach(index, mountpoints)))
  const seconds = (performance.now() - from) / 1_000
  if (refused > 0) throw new Error(`${refused} requests were refused`)
  await loop.stop()
  return (2 * REQUESTS) / seconds
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

process.stdout.write(`thousand requests/s, ${REQUESTS} attaches and as many detaches, median of ${ROUNDS}\n`)
for (const mountpoints of [1, 1_000, 100_000]) {
  const rates: number[] = []
  for (let count = 0; count < ROUNDS; count += 1) rates.push(await round(mountpoints, WAITING))
  const figure = (median(rates) / 1_000).toFixed(0).padStart(5)
  process.stdout.write(`${figure}  ${mountpoints} mountpoints, ${WAITING} waiting\n`)
}
