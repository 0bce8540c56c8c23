// How long a start takes on a host where much is mounted: 10,000 real mounts of tmpfs with 100,000 holders in a journal, read,
// restored, and compared with the mount table and a look at each, until the host is up.
//
//   npm run bench -- cli

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defaultSettings } from '@mountkeeper/border'
import type { Fact, Identity } from '@mountkeeper/core'
import { createFileJournal } from '@mountkeeper/journal'
import { identityOf, linuxHost, parseMountInfo } from '@mountkeeper/linux'
import { createMountManager } from '@mountkeeper/runtime'

const MOUNTPOINTS = 10_000
const HOLDERS_EACH = 10
const ROUNDS = 5
const ROOT = '/srv/mounts'
const STATE = '/srv/state'
const AT = 1_700_000_000_000

/** mount(2), by its number on this machine: ten thousand commands would take minutes. */
const MOUNT = process.arch === 'arm64' ? 40 : 165
const NOSUID_NODEV = 6
const MAKE = `
for my $i (1 .. ${MOUNTPOINTS}) {
  my $path = sprintf('${ROOT}/shared-%05d', $i);
  mkdir $path, 0700 or die "$path: $!";
  my ($source, $type, $data) = ('share', 'tmpfs', 'size=64k');
  syscall(${MOUNT}, $source, $path, $type, ${NOSUID_NODEV}, $data) == 0 or die "$path: $!";
}`

const must = (file: string, ...args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file}: ${error?.message ?? stderr}`)
}

interface Mount {
  readonly mountpoint: string
  readonly identity: Identity
}

const mounts = (): readonly Mount[] =>
  parseMountInfo(readFileSync('/proc/self/mountinfo')).lines.flatMap((line) =>
    line.target.startsWith(`${ROOT}/`) ? [{ mountpoint: line.target, identity: identityOf(line) }] : [],
  )

const recorded = ({ mountpoint, identity }: Mount, index: number): readonly Fact[] => {
  const filesystem = { type: 'tmpfs', source: 'share', options: ['size=64k'] }
  const holder = (each: number) => ({ volume: `volume-${index}-${each}`, consumer: `consumer-${index * 7 + each}` })
  const claimed = { filesystem, ...holder(0), found: { _tag: 'NoDirectory' }, layersBefore: [] } as const
  return [
    { _tag: 'Claimed', at: AT, mountpoint, ...claimed },
    { _tag: 'DirectoryMade', at: AT, mountpoint },
    { _tag: 'Mounted', at: AT, mountpoint, identity },
    ...Array.from({ length: HOLDERS_EACH }, (_, each): Fact => {
      return { _tag: 'Held', at: AT, mountpoint, ...holder(each), since: AT, knowledge: 'request' }
    }),
  ]
}

const prepare = async (): Promise<void> => {
  must('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'bench', '/srv')
  for (const path of [ROOT, STATE]) mkdirSync(path, { mode: 0o700 })
  must('perl', '-e', MAKE)
  const journal = createFileJournal({ directory: STATE })
  await journal.read()
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const mountNamespace = readlinkSync('/proc/self/ns/mnt')
  const up: Fact = { _tag: 'HostCameUp', at: AT, generation: 1, boot, mountNamespace }
  const facts = [up, ...mounts().flatMap(recorded)]
  const kept = await journal.append(facts)()
  if (kept._tag === 'Left') throw new Error(kept.left.why)
  await journal.close('drain')
}

interface Started {
  readonly restoredMs: number
  readonly upMs: number
  readonly megabytes: number
}

const start = async (): Promise<Started> => {
  globalThis.gc?.()
  const before = process.memoryUsage()
  const from = performance.now()
  const settings = defaultSettings(ROOT)
  const journal = createFileJournal({ directory: STATE })
  const made = await createMountManager({ settings, host: linuxHost({ types: settings.types }), journal })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  const restored = performance.now()
  const up = await made.right.hostUp()()
  const ended = performance.now()
  if (up._tag === 'Left') throw new Error(JSON.stringify(up.left))
  const { mountpoints } = made.right.state
  const held = [...mountpoints.values()].reduce((sum, { holders }) => sum + holders.count, 0)
  if (up.right.drift.length > 0 || mountpoints.size !== MOUNTPOINTS || held !== MOUNTPOINTS * HOLDERS_EACH) {
    throw new Error(`${mountpoints.size} mountpoints, ${held} holders, drift ${JSON.stringify(up.right.drift[0])}`)
  }
  const after = process.memoryUsage()
  await made.right.stop()
  await journal.close('drain')
  const megabytes = (after.heapUsed + after.external - before.heapUsed - before.external) / 1e6
  return { restoredMs: restored - from, upMs: ended - restored, megabytes }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const grouped = (value: number): string => Math.round(value).toLocaleString('en')

const measure = async (): Promise<void> => {
  await prepare()
  const rounds: Started[] = []
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await start())
  const of = (key: keyof Started): string => grouped(median(rounds.map((each) => each[key])))
  const total = grouped(median(rounds.map(({ restoredMs, upMs }) => restoredMs + upMs)))
  const what = `${grouped(MOUNTPOINTS)} mounts with ${grouped(MOUNTPOINTS * HOLDERS_EACH)} holders`
  console.log(
    `${what}: up after ${total} ms, ${of('restoredMs')} of them for the journal, ${of('upMs')} for table and looks`,
  )
  console.log(`memory: ${of('megabytes')} MB`)
}

if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) {
  const inNamespace = fileURLToPath(new URL('../../../../../.ci/in-namespace.mjs', import.meta.url))
  const again = [inNamespace, process.execPath, '--expose-gc', fileURLToPath(import.meta.url)]
  process.exitCode = spawnSync(process.execPath, again, { stdio: 'inherit' }).status ?? 1
} else await measure()
