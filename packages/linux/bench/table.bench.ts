// What a cycle costs the process that manages mounts while many others are mounted: its processor time, and how long its event
// loop is held, for roots that are no, one and two mounts deeper; and what one killed look process costs a thousand looks.
// Mounts for real, in a namespace of its own. Compare the columns of a line: the machine may be busy.
//
//   node packages/linux/bench/table.bench.ts     OTHERS=10000 CYCLES=20 ROUNDS=3

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defaultSettings } from '@mountkeeper/border'
import type { RootIdentity } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import { linuxHost, watchMounts } from '@mountkeeper/linux'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'

const OTHERS = Number(process.env['OTHERS'] ?? 10_000)
const CYCLES = Number(process.env['CYCLES'] ?? 20)
const ROUNDS = Number(process.env['ROUNDS'] ?? 3)
const US_PER_MS = 1e3
/** Of /proc/PID/stat, which counts in hundredths of a second on every Linux that Node runs on. */
const MS_PER_TICK = 10
const PASS_MS = 5
const LOOKS = 1_000
const KILLED_AFTER_MS = 30
const ROOTS = ['/srv/here/mounts', '/srv/one/here/mounts', '/srv/one/two/here/mounts']

const sh = (...vector: readonly string[]): void => {
  const [file = '', ...args] = vector
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${vector.join(' ')}: ${stderr}`)
}

const mountAt = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'bench', path)
}

const start = async (root: string): Promise<MountManager> => {
  const settings = defaultSettings(root)
  const made = await createMountManager({
    settings,
    host: linuxHost({ types: settings.types }),
    journal: createMemoryJournal(),
  })()
  if (made._tag === 'Left') throw new Error(JSON.stringify(made.left))
  const up = await made.right.hostUp()()
  if (up._tag === 'Left') throw new Error(JSON.stringify(up.left))
  return made.right
}

interface Measured {
  readonly cpuMs: number
  /** With the commands and the look process. */
  readonly allMs: number
  readonly wallMs: number
  /** Of one pass of the loop, at most: own processor time, and time on the wall beyond that of the timer. */
  readonly busyMs: number
  readonly heldMs: number
}

const cycle = async (manager: MountManager, mountpoint: string): Promise<void> => {
  const who = { mountpoint, volume: 'v', consumer: 'c' }
  const filesystem = { type: 'tmpfs', source: 'bench', options: ['size=64k'] }
  const attached = await manager.attach({ ...who, filesystem })()
  if (attached._tag === 'Left') throw new Error(JSON.stringify(attached.left))
  const detached = await manager.detach(who)()
  if (detached._tag === 'Left' || detached.right.mount !== 'unmounted') throw new Error(JSON.stringify(detached))
}

/** Processor time of the processes below this one, those that have ended among them, ms. */
const childrenMs = (): number => {
  const fields = (path: string): readonly string[] =>
    readFileSync(path, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
  const ticks = (all: readonly string[], ...at: readonly number[]): number =>
    at.reduce((sum, index) => sum + Number(all[index]), 0)
  const living = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').filter(Boolean)
  const theirs = living.map((pid) => ticks(fields(`/proc/${pid}/stat`), 11, 12, 13, 14))
  return (theirs.reduce((sum, one) => sum + one, 0) + ticks(fields('/proc/self/stat'), 13, 14)) * MS_PER_TICK
}

const ownMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / US_PER_MS
}

/** Between two passes of a timer: the most processor time of this process, and the longest time on the wall beyond the timer's. */
const watchLoop = (): (() => { readonly busyMs: number; readonly heldMs: number }) => {
  let busyMs = 0
  let heldMs = 0
  let cpu = ownMs()
  let since = performance.now()
  const timer = setInterval(() => {
    const [cpuNow, now] = [ownMs(), performance.now()]
    busyMs = Math.max(busyMs, cpuNow - cpu)
    heldMs = Math.max(heldMs, now - since - PASS_MS)
    cpu = cpuNow
    since = now
  }, PASS_MS)
  return () => {
    clearInterval(timer)
    return { busyMs, heldMs }
  }
}

/** Per cycle the times; and how long the loop was held, in cycles of their own, since looking at that costs time as well. */
const measure = async (root: string): Promise<Measured> => {
  const manager = await start(root)
  for (let index = 0; index < 3; index += 1) await cycle(manager, `${root}/warm`)
  const before = { own: ownMs(), children: childrenMs(), wall: performance.now() }
  for (let index = 0; index < CYCLES; index += 1) await cycle(manager, `${root}/a${index}`)
  const cpuMs = (ownMs() - before.own) / CYCLES
  const allMs = cpuMs + (childrenMs() - before.children) / CYCLES
  const wallMs = (performance.now() - before.wall) / CYCLES
  const loop = watchLoop()
  for (let index = 0; index < CYCLES; index += 1) await cycle(manager, `${root}/b${index}`)
  const held = loop()
  await manager.stop()
  return { cpuMs, allMs, wallMs, ...held }
}

/** How long after a mount was taken off its holders are said to have lost it, ms. */
const noticed = async (root: string, afterMs: number): Promise<number> => {
  const manager = await start(root)
  const watch = watchMounts({ manager })
  await sleep(3_000)
  const mountpoint = `${root}/noticed`
  let hearNoMore = (): void => undefined
  const lost = new Promise<number>((resolve) => {
    hearNoMore = manager.events.subscribe((event) => {
      if (event._tag === 'Lost') resolve(performance.now())
    })
  })
  const filesystem = { type: 'tmpfs', source: 'bench', options: ['size=64k'] }
  await manager.attach({ mountpoint, filesystem, volume: 'v', consumer: 'c' })()
  await sleep(afterMs)
  const since = performance.now()
  sh('umount', mountpoint)
  const tookMs = (await lost) - since
  watch.close()
  hearNoMore()
  await manager.detach({ mountpoint, volume: 'v', consumer: 'c' })()
  await manager.stop()
  return tookMs
}

/** Mounts many by one command. */
const mountOthers = (from: number, to: number): void => {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  for (const number of numbers) mkdirSync(`/srv/others/${number}`, { recursive: true })
  writeFileSync('/srv/fstab', numbers.map((number) => `other /srv/others/${number} tmpfs size=4k 0 0\n`).join(''))
  sh('mount', '-a', '-T', '/srv/fstab')
}

const lookProcesses = (): readonly number[] =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1')
    .trim()
    .split(' ')
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('look-process'))
    .map(Number)

const rootAt = async (path: string): Promise<RootIdentity> => {
  const discover = { _tag: 'Discover', effect: effectId(0), roots: [path], known: [], deadlineMs: 60_000 } as const
  const { found } = await linuxHost().run(discover)
  const [root] = found._tag === 'Discovered' ? found.roots : []
  if (root === undefined) throw new Error(JSON.stringify(found))
  return root
}

/** A thousand looks at once, ms. `warm`: by a process that was there already; `kill`: it is killed meanwhile. */
const looks = async (root: RootIdentity, { warm, kill }: { warm: boolean; kill: boolean }): Promise<number> => {
  const host = linuxHost()
  const look = async (index: number): Promise<void> => {
    const { found } = await host.run({
      ...{ _tag: 'Look', effect: effectId(index), mountpoint: `${root.path}/look${index}` },
      ...{ filesystem: undefined, root, deadlineMs: 60_000 },
    })
    if (found._tag !== 'NoDirectory') throw new Error(JSON.stringify(found))
  }
  const others = lookProcesses()
  const mine = (): readonly number[] => lookProcesses().filter((pid) => !others.includes(pid))
  if (warm) await look(0)
  const since = performance.now()
  const all = Promise.all(Array.from({ length: LOOKS }, (_, index) => look(index)))
  if (kill) {
    await sleep(KILLED_AFTER_MS)
    for (const pid of mine()) process.kill(pid, 'SIGKILL')
  }
  await all
  const tookMs = performance.now() - since
  for (const pid of mine()) process.kill(pid, 'SIGKILL')
  return tookMs
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN

const line = (name: string, ...numbers: readonly number[]): string =>
  `${numbers.map((number) => number.toFixed(1).padStart(8)).join('')}  ${name}\n`

/** Few others, many, and the median of the ratios of the rounds. */
const pair = (rounds: readonly Round[], of: (measured: Measured) => number): readonly [number, number, number] => [
  median(rounds.map(({ few }) => of(few))),
  median(rounds.map(({ many }) => of(many))),
  median(rounds.map(({ few, many }) => of(many) / of(few))),
]

interface Round {
  readonly few: Measured
  readonly many: Measured
}

const bench = async (): Promise<void> => {
  // A watch keeps no process running.
  setInterval(() => undefined, 60_000)
  for (const path of ['/srv', '/srv/here', '/srv/one', '/srv/one/here', '/srv/one/two', '/srv/one/two/here'])
    mountAt(path)
  for (const root of ROOTS) mkdirSync(root, { mode: 0o700 })
  const rounds: Round[][] = ROOTS.map(() => [])
  const bursts = [true, false].map((warm) => ({ warm, undisturbed: [] as number[], killed: [] as number[] }))
  for (let round = 0; round < ROUNDS; round += 1) {
    const few: Measured[] = []
    for (const root of ROOTS) few.push(await measure(root))
    mountAt('/srv/others')
    mountOthers(0, OTHERS)
    for (const [index, root] of ROOTS.entries()) rounds[index]!.push({ few: few[index]!, many: await measure(root) })
    const root = await rootAt(ROOTS[2]!)
    for (let again = 0; again < 3; again += 1) {
      for (const { warm, undisturbed, killed } of bursts) {
        undisturbed.push(await looks(root, { warm, kill: false }))
        killed.push(await looks(root, { warm, kill: true }))
      }
    }
    sh('umount', '-l', '/srv/others')
  }
  process.stdout.write(
    `a cycle of attach and detach among few and among ${OTHERS} others, and the ratio; medians of ${ROUNDS} rounds\n`,
  )
  const table: readonly (readonly [string, (measured: Measured) => number])[] = [
    ['own processor time, ms', ({ cpuMs }) => cpuMs],
    ['processor time with children, ms', ({ allMs }) => allMs],
    ['on the wall, ms', ({ wallMs }) => wallMs],
    ['own processor time in one pass of the loop, at most, ms', ({ busyMs }) => busyMs],
    ['loop held on the wall, at most, ms', ({ heldMs }) => heldMs],
  ]
  for (const [name, of] of table)
    for (const [index, each] of rounds.entries())
      process.stdout.write(line(`${name}; root ${index} mounts deeper`, ...pair(each, of)))
  for (const { warm, undisturbed, killed } of bursts) {
    const ratio = median(undisturbed.map((ms, index) => killed[index]! / ms))
    const by = warm ? 'a process that is there' : 'a process that is started for them'
    process.stdout.write(line(`${LOOKS} looks by ${by}, and one kill, ms`, median(undisturbed), median(killed), ratio))
  }
  const half = OTHERS / 2
  mountAt('/srv/others')
  mountOthers(0, half)
  const afterUnmount = [await noticed(ROOTS[0]!, 10), await noticed(ROOTS[0]!, 300)]
  process.stdout.write(
    line(`ms until a mount is lost that was taken off 10 and 300 ms after Attached, among ${half}`, ...afterUnmount),
  )
  process.exit(0)
}

if (process.env['MOUNTKEEPER_NAMESPACE'] !== undefined) await bench()
else {
  const self = fileURLToPath(import.meta.url)
  const wrapper = fileURLToPath(new URL('../../../../../.ci/in-namespace.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [wrapper, process.execPath, self], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
