// What 32 hung mountpoints cost the process that manages them: the delay of its event loop and of its `fs.promises` calls,
// beside an idle process that is measured at the same time. Mounts for real, in a namespace of its own.
//
//   npm run bench -- linux              SECONDS=20 for longer rows

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Filesystem, MountpointEffect, RootIdentity } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import { execaRunner, linuxHost } from '@mountkeeper/linux'
import { namedOptions, typeRule } from '@mountkeeper/types'

const SECONDS = Number(process.env['SECONDS'] ?? 6)
const HUNG = 32
const OTHERS = 400
const TOGETHER = 4
const ROOT = '/srv/mounts'
const EXPORTED = '/srv/exported'
const SFTP = '/usr/lib/openssh/sftp-server'
const PORT = '2222'
const NS_PER_MS = 1e6

const LISTENER = `
use Socket;
socket(L, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt(L, SOL_SOCKET, SO_REUSEADDR, 1);
bind(L, sockaddr_in(${PORT}, inet_aton('127.0.0.1'))) or die $!;
listen(L, 256) or die $!;
$SIG{CHLD} = 'IGNORE';
$| = 1;
print "listens\\n";
while (1) {
  accept(C, L) or next;
  if (fork() == 0) { open(STDIN, '<&C'); open(STDOUT, '>&C'); exec '${SFTP}'; exit 1 }
  close C;
}`

/** Stops every look process; from outside, since to search for them takes time. */
const STOPPER = `
while (1) {
  for (glob '/proc/[0-9]*') {
    open(F, '<', "$_/cmdline") or next;
    my $line = <F> // '';
    m{(\\d+)$} && kill('STOP', $1) if $line =~ /look-process/;
  }
  select(undef, undef, undef, 0.1);
}`

interface Measured {
  readonly loop: readonly number[]
  readonly calls: readonly number[]
}

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0

/** Median, 99th percentile and greatest, ms: of the event loop beyond the resolution of its timer, and of calls. */
const measure = async (): Promise<Measured> => {
  const resolution = 5
  const loop = monitorEventLoopDelay({ resolution })
  loop.enable()
  const times: number[] = []
  for (const end = performance.now() + SECONDS * 1_000; performance.now() < end;) {
    const since = performance.now()
    await stat('/')
    times.push(performance.now() - since)
    await sleep(2)
  }
  loop.disable()
  times.sort((a, b) => a - b)
  return {
    loop: [loop.percentile(50), loop.percentile(99), loop.max].map((ns) => Math.max(0, ns / NS_PER_MS - resolution)),
    calls: [quantile(times, 0.5), quantile(times, 0.99), times.at(-1) ?? 0],
  }
}

const self = fileURLToPath(import.meta.url)

const measureIdle = (): Promise<Measured> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [self], {
      env: { ...process.env, ROLE: 'idle' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more))
    child.once('close', () => {
      resolve(JSON.parse(text) as Measured)
    })
  })

const figures = ({ loop, calls }: Measured): string =>
  [loop, calls].map((some) => some.map((ms) => ms.toFixed(2).padStart(7)).join('')).join('  |')

const row = async (name: string, work: (end: AbortSignal) => Promise<void>): Promise<void> => {
  const over = new AbortController()
  const working = work(over.signal)
  const [idle, here] = await Promise.all([measureIdle(), measure()])
  over.abort()
  await working
  process.stdout.write(`${figures(here)}  ${name}\n${figures(idle)}    an idle process meanwhile\n`)
}

const sh = (...vector: readonly string[]): void => {
  const [file = '', ...args] = vector
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${vector.join(' ')}: ${stderr}`)
}

const listen = (): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn('perl', ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.once('exit', () => {
      reject(new Error('the server did not start'))
    })
    child.stdout.once('data', () => {
      resolve(child)
    })
  })

const pidsOf = (mark: string): readonly number[] =>
  readdirSync('/proc').flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(mark) ? [Number(entry)] : []
    } catch {
      return []
    }
  })

const FILESYSTEM: Filesystem = {
  type: 'fuse.sshfs',
  source: `127.0.0.1:${EXPORTED}`,
  options: [`directport=${PORT}`, 'dir_cache=no', 'attr_timeout=0', 'entry_timeout=0'],
}

const bench = async (): Promise<void> => {
  sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'srv', '/srv')
  for (const path of [ROOT, EXPORTED, '/srv/others']) mkdirSync(path, { mode: 0o700 })
  const server = await listen()
  const host = linuxHost({
    types: { 'fuse.sshfs': typeRule('fuse.sshfs', ['*'], namedOptions('fuse.sshfs', ['directport'])) },
    runner: execaRunner({ graceMs: 100 }),
  })
  const discover = { _tag: 'Discover', effect: effectId(1), roots: [ROOT], known: [], deadlineMs: 10_000 } as const
  const { found } = await host.run(discover)
  if (found._tag !== 'Discovered') throw new Error(JSON.stringify(found))
  const root: RootIdentity = found.roots[0]!
  const common = { effect: effectId(2), root, filesystem: FILESYSTEM, deadlineMs: 10_000 }
  const paths = Array.from({ length: HUNG }, (_, index) => `${ROOT}/hung-${index}`)
  const run = async (effect: MountpointEffect): Promise<string> => (await host.run(effect)).found._tag
  for (const mountpoint of paths) {
    mkdirSync(mountpoint, { mode: 0o700 })
    const mount = { _tag: 'Mount', mountpoint, options: FILESYSTEM.options, ...common } as const
    const report = await host.run(mount)
    if (report.found._tag !== 'Mounted') throw new Error(JSON.stringify(report))
  }
  const look = (mountpoint: string): Promise<string> => run({ _tag: 'Look', mountpoint, ...common, deadlineMs: 1_000 })
  const lookAll = async (end: AbortSignal): Promise<void> => {
    while (!end.aborted) {
      await Promise.all(paths.map(look))
      await sleep(50)
    }
  }
  process.stdout.write(`${' '.repeat(6)}event loop, ms     |  fs.promises.stat('/'), ms\n`)
  process.stdout.write(
    `${`${'p50'.padStart(7)}${'p99'.padStart(7)}${'max'.padStart(7)}`.repeat(2).replace(/^(.{21})/, '$1  |')}\n`,
  )
  await row('nothing hangs, nothing is done', () => Promise.resolve())
  await row(`${HUNG} mountpoints looked at 20 times a second`, lookAll)
  for (const pid of pidsOf(SFTP)) process.kill(pid, 'SIGSTOP')
  await row('their server hangs, nothing is done', () => Promise.resolve())
  await row('it hangs, and they are looked at as often', lookAll)
  const hung: Promise<void>[] = []
  await row(`it hangs, and each is probed, ${TOGETHER} at a time`, async () => {
    for (let from = 0; from < HUNG; from += TOGETHER) {
      const probes = paths.slice(from, from + TOGETHER).map(async (mountpoint) => {
        const report = await host.run({ _tag: 'Probe', mountpoint, ...common, deadlineMs: 500 })
        if (report.ended !== undefined) hung.push(report.ended)
      })
      await Promise.all(probes)
    }
  })
  await row(`${hung.length} probes hang, each in a process of its own`, () => Promise.resolve())
  for (let index = 0; index < OTHERS; index += 1) {
    mkdirSync(`/srv/others/${index}`)
    sh('mount', '-t', 'tmpfs', 'other', `/srv/others/${index}`)
  }
  await row(`it hangs, and ${OTHERS} other mounts: looks are left to the look process`, lookAll)
  spawn('perl', ['-e', STOPPER], { stdio: 'ignore' })
  await row('and every look process hangs as soon as it is seen', lookAll)
  // Their processes go with the namespace.
  server.kill('SIGKILL')
  process.exit(0)
}

if (process.env['ROLE'] === 'idle') process.stdout.write(JSON.stringify(await measure()))
else if (process.env['MOUNTKEEPER_NAMESPACE'] !== undefined) await bench()
else {
  const wrapper = fileURLToPath(new URL('../../../../../.ci/in-namespace.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [wrapper, process.execPath, self], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
