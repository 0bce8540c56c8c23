// How long a start takes that has to read a large journal, and how many attaches become durable in a second, beside what the
// disk itself does in the same minute: it is shared, so that only the ratio means much.
//
//   npm run bench -- journal
//   DIRECTORY=/srv/disk npm run bench -- journal     on the disk that is meant

import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultSettings } from '@mountkeeper/border'
import type { Fact } from '@mountkeeper/core'
import { snapshot, restore } from '@mountkeeper/core'
import { COMPACT_FACTS_MIN, createFileJournal, encodeHead, encodeWrite } from '@mountkeeper/journal'

const MOUNTPOINTS = 10_000
const HOLDERS = 100_000
const ROUNDS = 5
const ALONE = 300
const CALLERS = 64

const directory = mkdtempSync(join(process.env['DIRECTORY'] ?? tmpdir(), 'mountkeeper-bench-'))
const file = join(directory, 'journal')

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const grouped = (value: number): string => Math.round(value).toLocaleString('en')
const tell = (name: string, text: string): void => console.log(`${name.padEnd(58)} ${text}`)

const pathOf = (index: number): string => `/srv/mounts/shared-${`${index % MOUNTPOINTS}`.padStart(26, '0')}`

const held = (index: number): Fact => ({
  _tag: 'Held',
  at: 1_700_000_000_000 + index,
  mountpoint: pathOf(index),
  volume: `volume-${`${index}`.padStart(37, '0')}`,
  consumer: `consumer-${`${index}`.padStart(27, '0')}`,
  since: 1_700_000_000_000 + index,
  knowledge: 'request',
})

const mounted = (index: number): readonly Fact[] => {
  const { at, mountpoint, volume, consumer } = held(index) as Extract<Fact, { readonly _tag: 'Held' }>
  const filesystem = { type: 'tmpfs', source: 'share', options: ['size=1m'] }
  const flags = ['rw', 'nosuid', 'nodev', 'relatime']
  const identity = { mountId: index, device: `0:${index}`, fstype: 'tmpfs', source: 'share', root: '/', flags }
  return [
    { _tag: 'Claimed', at, mountpoint, filesystem, volume, consumer, found: { _tag: 'NoDirectory' }, layersBefore: [] },
    { _tag: 'DirectoryMade', at, mountpoint },
    { _tag: 'Mounted', at, mountpoint, identity },
  ]
}

const all: readonly Fact[] = [
  { _tag: 'HostCameUp', at: 1, generation: 1, boot: 'boot', mountNamespace: '1' },
  ...Array.from({ length: MOUNTPOINTS }, (_, index) => mounted(index)).flat(),
  ...Array.from({ length: HOLDERS }, (_, index) => held(index)),
]

interface Recovered {
  readonly ms: number
  readonly cpuMs: number
  readonly bytes: number
}

const recover = async (): Promise<Recovered> => {
  globalThis.gc?.()
  const before = process.memoryUsage()
  const cpu = process.cpuUsage()
  const from = performance.now()
  const journal = createFileJournal({ directory })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  const host = restore(defaultSettings('/srv/mounts'), read.right)
  const ms = performance.now() - from
  const used = process.cpuUsage(cpu)
  const after = process.memoryUsage()
  if (host.mountpoints.size !== MOUNTPOINTS) throw new Error('not all of it was there')
  await journal.close('drain')
  const cpuMs = (used.user + used.system) / 1_000
  return { ms, cpuMs, bytes: after.heapUsed + after.external - before.heapUsed - before.external }
}

const recovery = async (name: string, text: string): Promise<void> => {
  writeFileSync(file, text, { mode: 0o600 })
  const rounds: Recovered[] = []
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await recover())
  const of = (key: keyof Recovered): number => median(rounds.map((each) => each[key]))
  const times = `${grouped(of('ms'))} ms (${grouped(of('cpuMs'))} of CPU)`
  const size = statSync(file).size / 1e6
  tell(`recovery, ${name}`, `${times}, ${grouped(of('bytes') / 1e6)} MB of memory, ${size.toFixed(1)} MB file`)
}

const perSecond = (count: number, from: number): number => (count / (performance.now() - from)) * 1_000

/** Writes of the size of an attach and a flush of each, with nothing around them. */
const ofDisk = (count: number): number => {
  const fd = openSync(join(directory, 'plain'), 'w')
  const bytes = Buffer.from(encodeWrite([held(1)]))
  const from = performance.now()
  for (let index = 0; index < count; index += 1) {
    writeSync(fd, bytes, 0, bytes.length, index * bytes.length)
    fdatasyncSync(fd)
  }
  closeSync(fd)
  return perSecond(count, from)
}

/** Callers that each wait for their own before the next; gives attaches a second. */
const ofJournal = async (callers: number, each: number): Promise<number> => {
  rmSync(file, { force: true })
  const journal = createFileJournal({ directory })
  await journal.read()
  const from = performance.now()
  const caller = async (number: number): Promise<void> => {
    for (let index = 0; index < each; index += 1) {
      const appended = await journal.append([held(number * each + index)])()
      if (appended._tag === 'Left') throw new Error(appended.left.why)
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)))
  const rate = perSecond(callers * each, from)
  await journal.close('drain')
  return rate
}

try {
  const live = snapshot(all)
  const short = encodeHead(live.length) + live.map((fact) => encodeWrite([fact])).join('')
  await recovery(`${grouped(MOUNTPOINTS)} mountpoints, ${grouped(HOLDERS)} holders, short`, short)
  await recovery('the same, as it was appended', encodeHead(0) + all.map((fact) => encodeWrite([fact])).join(''))
  const churn = Array.from({ length: COMPACT_FACTS_MIN }, (_, index) => encodeWrite([held(index)])).join('')
  await recovery('the same, short, and so many facts that it is made shorter', short + churn)

  const disk: number[] = []
  const alone: number[] = []
  const together: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    disk.push(ofDisk(ALONE))
    alone.push(await ofJournal(1, ALONE))
    together.push(await ofJournal(CALLERS, ALONE))
  }
  const share = median(alone.map((rate, round) => rate / (disk[round] ?? rate)))
  const flushes = median(together.map((rate, round) => rate / CALLERS / (disk[round] ?? rate)))
  tell('the disk: write and fdatasync, a second', grouped(median(disk)))
  tell('durable attaches a second, alone', `${grouped(median(alone))} (${share.toFixed(2)} of the disk)`)
  tell(
    `durable attaches a second, ${CALLERS} callers`,
    `${grouped(median(together))} (${flushes.toFixed(2)} of the disk's flushes)`,
  )
} finally {
  rmSync(directory, { recursive: true })
}
