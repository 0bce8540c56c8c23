// Two servers that hang for ever, an sftp server and a GlusterFS brick, and 64 consumers that ask for both all the time: what does it
// cost those who ask for a third server, or for tmpfs? The same requests go, by turns of a second, to a manager that has to do with
// the hung servers and to one that has not. What is stuck is counted from outside.
//
//   npm run bench -- cli                 20 seconds
//   MINUTES=5 npm run bench -- cli

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Filesystem } from '@mountkeeper/core'
import type { Journal } from '@mountkeeper/runtime'
import { right } from 'fp-ts/lib/TaskEither.js'
import { GLUSTER_KIND, stopGluster } from '../src/servers/gluster.js'
import type { Managed } from '../src/servers/managed.js'
import { manage } from '../src/servers/managed.js'
import { leavePlace, MOUNTS, preparePlace } from '../src/servers/place.js'
import type { Server } from '../src/servers/server.js'
import { processesWith, sleep } from '../src/servers/server.js'
import { SFTP_KIND } from '../src/servers/sftp.js'

const SECONDS = Number(process.env['MINUTES'] ?? 1 / 3) * 60
const CONSUMERS = 64
/** Of each hung server; half of them were mounted before it hung. */
const MOUNTPOINTS = 8
const WORKERS = 2
const TURN_MS = 1_000
const PER_SERVER = 4
const AIM = 1.2
const TMPFS: Filesystem = { type: 'tmpfs', source: 'scratch', options: ['size=64k'] }

/** Short enough for many of them in a run; probes and mounts of what hangs always pass them. */
const DEADLINES_MS = { mount: 4_000, unmount: 4_000, probe: 1_000, request: 3_000 }

type Samples = Record<string, number[]>

const quantile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN

/** Mounts and unmounts until the turn is over; each answer's time is a sample. */
const work = async (managed: Managed, samples: Samples, until: number, name: string, what: string, of: Filesystem) => {
  while (performance.now() < until) {
    for (const op of ['attach', 'detach'] as const) {
      const since = performance.now()
      const answer = op === 'attach' ? await managed.attach(1, name, of) : await managed.detach(1, name)
      if (!answer.ok) throw new Error(`${what} was refused: ${JSON.stringify(answer)}`)
      ;(samples[`${what} ${op}`] ??= []).push(performance.now() - since)
    }
  }
}

const turn = async (managed: Managed, samples: Samples, healthy: Server, place: string): Promise<void> => {
  const until = performance.now() + TURN_MS
  const workers = Array.from({ length: WORKERS }, (_, index) => [
    work(managed, samples, until, `${place}-sftp-${index}`, 'sftp', healthy.filesystem),
    work(managed, samples, until, `${place}-tmpfs-${index}`, 'tmpfs', TMPFS),
  ])
  await Promise.all(workers.flat())
}

interface Hung {
  readonly name: string
  readonly server: Server
}

const mountpoint = ({ name }: Hung, index: number): string => `hung-${name}-${index}-`

/** Consumers that ask for what hangs, except while it is the other manager's turn; resolves when all have left. */
const ask = (managed: Managed, hung: readonly Hung[]) => {
  const state = { asking: true, over: false, answers: 0 }
  const consumer = async (who: number): Promise<void> => {
    for (let round = 0; !state.over; round += 1) {
      const one = hung[(who + round) % hung.length]!
      const name = mountpoint(one, (who + round) % MOUNTPOINTS)
      await managed.attach(who, name, one.server.filesystem)
      await managed.detach(who, name)
      state.answers += 2
      while (!state.asking) await sleep(20)
    }
  }
  const consumers = Array.from({ length: CONSUMERS }, (_, index) => consumer(100 + index))
  return { state, all: Promise.all(consumers) }
}

/** Commands that have to do with a hung server and live now. Their helpers, and daemons that serve a mount, are none. */
const stuck = (one: Hung): number =>
  processesWith(`/hung-${one.name}-`).filter(
    ({ pid, session, line }) => pid === session && /^(mount|umount|stat|\S*node) /.test(line),
  ).length

const memory = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 1e6
}

const row = (...cells: readonly string[]): string => `${cells.map((cell) => cell.padStart(14)).join('')}\n`

const report = (without: Samples, withHung: Samples): number => {
  process.stdout.write(row('ms', 'without', '', 'with hung', '', 'ratio', '', 'requests'))
  process.stdout.write(row('', 'median', 'p99', 'median', 'p99', 'median', 'p99', ''))
  let worst = 0
  for (const what of Object.keys(without)) {
    const [a, b] = [without[what] ?? [], withHung[what] ?? []]
    const figures = [quantile(a, 0.5), quantile(a, 0.99), quantile(b, 0.5), quantile(b, 0.99)] as const
    const ratios = [figures[2] / figures[0], figures[3] / figures[1]]
    worst = Math.max(worst, ...ratios)
    const shown = [...figures.map((figure) => figure.toFixed(1)), ...ratios.map((ratio) => ratio.toFixed(2))]
    process.stdout.write(row(what, ...shown, `${a.length}+${b.length}`))
  }
  return worst
}

const main = async (): Promise<void> => {
  preparePlace()
  const healthy = await SFTP_KIND.start('healthy')
  const kinds = [SFTP_KIND, ...(GLUSTER_KIND.why === undefined ? [GLUSTER_KIND] : [])]
  if (GLUSTER_KIND.why !== undefined) process.stdout.write(`without GlusterFS, since ${GLUSTER_KIND.why}\n`)
  const hung = await Promise.all(
    kinds.map(async (kind) => {
      const name = kind === SFTP_KIND ? 'sftp' : 'gluster'
      return { name, server: await kind.start(`hung-${name}`) }
    }),
  )
  // One that remembered would grow with every mount.
  const journal: Journal = { read: right([]), append: () => right(undefined) }
  const options = { deadlinesMs: DEADLINES_MS, slots: { hanging: 16, perServer: PER_SERVER }, journal }
  const withHung = await manage(`${MOUNTS}/with`, options)
  const without = await manage(`${MOUNTS}/without`, options)
  for (const one of hung) {
    const half = Array.from({ length: MOUNTPOINTS / 2 }, (_, index) => index)
    const there = await Promise.all(half.map((at) => withHung.attach(1, mountpoint(one, at), one.server.filesystem)))
    if (there.some(({ ok }) => !ok)) throw new Error(JSON.stringify(there))
    await one.server.hang()
  }
  const { state, all } = ask(withHung, hung)
  const samples = { with: {} as Samples, without: {} as Samples }
  const seen: { readonly stuck: readonly number[]; readonly megabytes: number }[] = []
  // Everything has hung once by then.
  await sleep(5_000)
  const began = performance.now()
  while (performance.now() - began < SECONDS * 1_000) {
    await turn(withHung, samples.with, healthy, 'with')
    seen.push({ stuck: hung.map(stuck), megabytes: memory() })
    state.asking = false
    await turn(without, samples.without, healthy, 'without')
    state.asking = true
  }
  const worst = report(samples.without, samples.with)
  state.over = true
  for (const { server } of hung) server.goOn()
  await all
  await Promise.all(
    hung.flatMap((one) => Array.from({ length: MOUNTPOINTS }, (_, at) => withHung.detach(1, mountpoint(one, at)))),
  )
  await withHung.nothingLeft(60_000)
  await without.nothingLeft()
  const most = hung.map((one, index) => `${one.name} ${Math.max(...seen.map((each) => each.stuck[index] ?? 0))}`)
  const quarter = Math.ceil(seen.length / 4)
  const heap = [0, 1, 2, 3].map((at) => {
    const some = seen.slice(at * quarter, (at + 1) * quarter).map((each) => each.megabytes)
    return quantile(some, 0.5).toFixed(1)
  })
  process.stdout.write(`${state.answers} answers to ${CONSUMERS} consumers of the hung servers, each request one; `)
  process.stdout.write(`commands stuck at most: ${most.join(', ')} (budget ${PER_SERVER} a server); `)
  process.stdout.write(`heap, MB, by quarters of the run: ${heap.join(', ')}; nothing is left\n`)
  process.stdout.write(`worst ratio ${worst.toFixed(2)}, aim ${AIM}\n`)
  if (withHung.asked() !== withHung.answered()) throw new Error('a request has not had its one answer')
  if (seen.some((each) => each.stuck.some((count) => count > PER_SERVER))) process.exitCode = 1
  for (const managed of [withHung, without]) await managed.end()
  for (const { server } of hung) await server.stop()
  await healthy.stop()
  await stopGluster()
  leavePlace()
}

if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) {
  const inNamespace = fileURLToPath(new URL('../../../../../.ci/in-namespace.mjs', import.meta.url))
  const command = [inNamespace, process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)]
  process.exitCode = spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1
} else if (SFTP_KIND.why !== undefined) {
  process.stdout.write(`SKIPPED: ${SFTP_KIND.why}\n`)
} else {
  await main()
}
