// What a start costs whose journal is long and says little: 250 MB of facts that come to one holder. Each is a process of its
// own, as a start is; the processor time and the memory are those of all of it, from the start of Node on.
//
//   npm run bench -- journal
//   MEGABYTES=25 npm run bench -- journal

import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, execPath } from 'node:process'
import { defaultSettings } from '@mountkeeper/border'
import type { Fact } from '@mountkeeper/core'
import { restore } from '@mountkeeper/core'
import { createFileJournal, encodeHead, encodeWrite } from '@mountkeeper/journal'

const BYTES = Number(process.env['MEGABYTES'] ?? 250) * 1e6
const ROUNDS = 3

const mountpoint = '/srv/mounts/shared-00000000000000000000000001'
const filesystem = { type: 'tmpfs', source: 'share', options: ['size=1m'] }
const flags = ['rw', 'nosuid', 'nodev', 'relatime']
const cameUp: Fact = { _tag: 'HostCameUp', at: 1, generation: 1, boot: 'boot', mountNamespace: '1' }

interface Life {
  readonly begin: readonly (readonly Fact[])[]
  readonly end: readonly (readonly Fact[])[]
}

const attachmentOf = (index: number): { readonly at: number; readonly volume: string; readonly consumer: string } => ({
  at: 1_700_000_000_000 + index,
  volume: `volume-${`${index}`.padStart(37, '0')}`,
  consumer: `consumer-${`${index}`.padStart(27, '0')}`,
})

/** A consumer that joins what others hold, and leaves. */
const joined = (index: number): Life => {
  const attachment = { ...attachmentOf(index), mountpoint }
  return {
    begin: [[{ _tag: 'Held', ...attachment, since: attachment.at, knowledge: 'request' }]],
    end: [[{ _tag: 'Left', ...attachment }]],
  }
}

/** A consumer that is alone: all that a mount and its end are. */
const alone = (index: number): Life => {
  const attachment = { ...attachmentOf(index), mountpoint }
  const there = { at: attachment.at, mountpoint }
  const identity = { mountId: index, device: `0:${index % 100}`, fstype: 'tmpfs', source: 'share', root: '/', flags }
  return {
    begin: [
      [{ _tag: 'Claimed', ...attachment, filesystem, found: { _tag: 'NoDirectory' }, layersBefore: [] }],
      [{ _tag: 'DirectoryMade', ...there }],
      [
        { _tag: 'Mounted', ...there, identity },
        { _tag: 'Held', ...attachment, since: attachment.at, knowledge: 'request' },
      ],
    ],
    end: [
      [{ _tag: 'Left', ...attachment }],
      [{ _tag: 'Unmounting', ...there, identity }],
      [{ _tag: 'Unmounted', ...there, by: 'us' }],
      [{ _tag: 'DirectoryRemoved', ...there }],
    ],
  }
}

const textOf = (writes: readonly (readonly Fact[])[]): string => writes.map(encodeWrite).join('')

/** Writes lives until there are enough bytes, and the begin of one more. */
const writeLives = (directory: string, life: (index: number) => Life): void => {
  const file = openSync(join(directory, 'journal'), 'w', 0o600)
  let bytes = writeSync(file, encodeHead(0) + textOf([[cameUp], ...alone(0).begin]))
  let index = 1
  if (life === alone) bytes += writeSync(file, textOf(alone(0).end))
  while (bytes < BYTES) {
    let text = ''
    for (const last = index + 1_000; index < last; index += 1) {
      const { begin, end } = life(index)
      text += textOf(begin) + textOf(end)
    }
    bytes += writeSync(file, text)
  }
  if (life === alone) writeSync(file, textOf(life(index).begin))
  closeSync(file)
}

interface Start {
  readonly cpuMs: number
  readonly megabytes: number
}

/** In the process that starts. */
const start = async (directory: string): Promise<void> => {
  const journal = createFileJournal({ directory })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  const host = restore(defaultSettings('/srv/mounts'), read.right)
  const holders = host.mountpoints.get(mountpoint)?.holders.count
  if (host.mountpoints.size !== 1 || holders !== 1) throw new Error('not one holder was there')
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const cost: Start = { cpuMs: (userCPUTime + systemCPUTime) / 1_000, megabytes: maxRSS / 1_024 }
  console.log(JSON.stringify(cost))
  await journal.close('drain')
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

const measure = (name: string, life: (index: number) => Life): void => {
  const directory = mkdtempSync(join(process.env['DIRECTORY'] ?? tmpdir(), 'mountkeeper-bench-'))
  try {
    writeLives(directory, life)
    const script = argv[1] ?? ''
    const starts = Array.from({ length: ROUNDS }, () => {
      const output = execFileSync(execPath, [script, directory], { encoding: 'utf8' })
      return JSON.parse(output) as Start
    })
    const seconds = median(starts.map(({ cpuMs }) => cpuMs)) / 1_000
    const megabytes = median(starts.map((each) => each.megabytes))
    const cost = `${seconds.toFixed(2)} s of CPU, at most ${megabytes.toFixed(0)} MB (aim 2 s, 150 MB)`
    console.log(`${`start, ${BYTES / 1e6} MB that say one holder, ${name}`.padEnd(58)} ${cost}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const [, , directory] = argv
if (directory === undefined) {
  measure('joins', joined)
  measure('mounts', alone)
} else await start(directory)
