// What a cycle costs the process that manages mounts while many others are mounted: its processor time, and how long its event
// loop is held, for roots that lie no, one and two mounts deeper; and what one killed look process costs a thousand looks.
// Mounts for real, in a namespace of its own. Compare the columns of a line: the machine may be busy.
//
//   node packages/linux/bench/table.bench.ts     OTHERS=10000 CYCLES=20

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { MountManager } from '@mountkeeper/runtime'
import { defaultSettings } from '@mountkeeper/core'
import { linuxHost, watchMounts } from '@mountkeeper/linux'

const OTHERS = Number(process.env['OTHERS'] ?? 10_000)
const CYCLES = Number(process.env['CYCLES'] ?? 20)
const NS_PER_MS = 1e6
const US_PER_MS = 1e3
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
  readonly wallMs: number
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

/** Per cycle: own processor time, wall time; and the longest time that the loop was held. */
const measure = async (root: string): Promise<Measured> => {
  const manager = await start(root)
  for (let index = 0; index < 3; index += 1) await cycle(manager, `${root}/warm`)
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const cpu = process.cpuUsage()
  const since = performance.now()
  for (let index = 0; index < CYCLES; index += 1) await cycle(manager, `${root}/a${index}`)
  const { user, system } = process.cpuUsage(cpu)
  const wallMs = (performance.now() - since) / CYCLES
  loop.disable()
  await manager.stop()
  return { cpuMs: (user + system) / US_PER_MS / CYCLES, wallMs, heldMs: loop.max / NS_PER_MS }
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

const line = (name: string, ...numbers: readonly number[]): string =>
  `${numbers.map((number) => number.toFixed(1).padStart(9)).join('')}  ${name}\n`

const bench = async (): Promise<void> => {
  // A watch keeps no process running.
  setInterval(() => undefined, 60_000)
  for (const path of ['/srv', '/srv/here', '/srv/one', '/srv/one/here', '/srv/one/two', '/srv/one/two/here'])
    mountAt(path)
  for (const root of ROOTS) mkdirSync(root, { mode: 0o700 })
  const few: Measured[] = []
  for (const root of ROOTS) few.push(await measure(root))
  mountOthers(0, OTHERS / 2)
  const half = OTHERS / 2
  const afterUnmount = [await noticed(ROOTS[0]!, 10), await noticed(ROOTS[0]!, 300)]
  mountOthers(half, OTHERS)
  process.stdout.write('  own processor time, ms | wall, ms        | loop held, ms  of a cycle; few others and many\n')
  for (const [index, root] of ROOTS.entries()) {
    const many = await measure(root)
    const one = few[index]!
    process.stdout.write(
      line(
        `root ${index} mounts deeper`,
        one.cpuMs,
        many.cpuMs,
        many.cpuMs / one.cpuMs,
        one.wallMs,
        many.wallMs,
        one.heldMs,
        many.heldMs,
      ),
    )
  }
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
