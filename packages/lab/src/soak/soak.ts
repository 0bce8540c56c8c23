// The soak: consumers, faults and operators by chance on real filesystems for as long as asked for, and a judge who watches from
// outside. Every now and then the faults stop and all leave; then nothing may be left, and everything has to work. What breaks a
// law ends it, with the trace of the manager's life. Started by `npm run soak`.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Answer, Filesystem, Request } from '@mountkeeper/core'
import { LOCK_FILE } from '@mountkeeper/linux'
import { chanceOf, pick } from '../chance.js'
import { GLUSTER_KIND, stopGluster } from '../servers/gluster.js'
import { mountsBelow, settingsFor } from '../servers/managed.js'
import { EXPORTS, leavePlace, MOUNTS, preparePlace } from '../servers/place.js'
import type { Server } from '../servers/server.js'
import { processesWith, sleep } from '../servers/server.js'
import { SFTP_KIND } from '../servers/sftp.js'
import { SSHD_KIND } from '../servers/sshd.js'
import type { Stage } from './faults.js'
import { createFaults } from './faults.js'
import { beginLives } from './life.js'
import type { Share } from './model.js'
import { createJudge } from './model.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '' } },
})
const seed = values.seed === '' ? Date.now() % 1_000_000 : Number(values.seed)
const totalMs = Number(values.minutes) * 60_000
if (!(totalMs > 0) || !Number.isInteger(seed)) throw new Error('--minutes takes a number above 0, --seed a whole one')

const CONSUMERS = 16
const PER_SERVER = 2
/** Between two rests. */
const ROUND_MS = 20_000
const WATCH_MS = 150
const CALM_MS = 60_000
const LOG_MAX = 40

const ROOT = `${MOUNTS}/soak`

const terminal = process.stdout.isTTY
const counts: Record<string, number> = {}
const count = (what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1
}
const log: string[] = []
const began = performance.now()
const note = (what: string): void => {
  log.push(`${((performance.now() - began) / 1_000).toFixed(2).padStart(8)} s  ${what}`)
  log.splice(0, log.length - LOG_MAX)
}

const traces = mkdtempSync(join(tmpdir(), 'mountkeeper-soak-'))
let traceNow = ''

/** Ends the run: whatever lives in this namespace ends with it. */
const violation = (what: string): void => {
  process.stdout.write(`\n${log.join('\n')}\n\nVIOLATION ${what}\n`)
  process.stdout.write(`trace of the life in which it was seen: ${traceNow}; seed ${seed}\n`)
  process.exit(1)
}

const sftpShare = (name: string, server: string, filesystem: Filesystem): Share => ({
  name,
  path: `${ROOT}/${name}`,
  filesystem,
  shows: filesystem.source,
  server,
})

const startServers = async (): Promise<Readonly<Record<string, Server>>> => {
  const kinds = { 'sftp-1': SFTP_KIND, 'sftp-2': SFTP_KIND, sshd: SSHD_KIND, gluster: GLUSTER_KIND }
  const servers: Record<string, Server> = {}
  for (const [name, kind] of Object.entries(kinds)) {
    if (kind.why === undefined) servers[name] = await kind.start(name)
    else process.stdout.write(`without ${name}, since ${kind.why}\n`)
  }
  return servers
}

const makeShares = (servers: Readonly<Record<string, Server>>): readonly Share[] => {
  mkdirSync(`${EXPORTS}/bound`)
  const local = (name: string, filesystem: Filesystem, shows: string): Share => ({
    name,
    path: `${ROOT}/${name}`,
    filesystem,
    shows,
    server: undefined,
  })
  for (const name of ['sftp-1', 'sftp-2']) if (name in servers) writeFileSync(`${EXPORTS}/${name}/canary`, 'alive')
  return [
    local('soak-tmpfs-1', { type: 'tmpfs', source: 'scratch-1', options: ['size=64k'] }, 'scratch-1'),
    local('soak-tmpfs-2', { type: 'tmpfs', source: 'scratch-2', options: ['size=64k'] }, 'scratch-2'),
    local('soak-bind', { type: 'bind', source: `${EXPORTS}/bound`, options: [] }, 'place'),
    ...Object.entries(servers).flatMap(([name, { filesystem }]) =>
      [1, 2].map((at) => sftpShare(`soak-${name}-${at}`, name, filesystem)),
    ),
  ]
}

const main = async (): Promise<void> => {
  preparePlace()
  mkdirSync(ROOT, { mode: 0o700 })
  const chance = chanceOf(seed)
  const servers = await startServers()
  const shares = makeShares(servers)
  const ladder = pick(chance, ['off', 'force', 'lazy'] as const)
  const policies = {
    lost: pick(chance, ['report', 'remount'] as const),
    broken: pick(chance, ['refuse', 'remount'] as const),
  }
  const settings = settingsFor(ROOT, {
    ladder,
    policies,
    slots: { hanging: 16, perServer: PER_SERVER },
    deadlinesMs: { mount: 2_000, unmount: 2_000, probe: 700 },
  })
  const about = `ladder ${ladder}, lost: ${policies.lost}, broken: ${policies.broken}`
  process.stdout.write(`seed ${seed}: ${shares.length} mountpoints, ${CONSUMERS} consumers, ${about}\n`)

  const traceOf = (life: number): string => (traceNow = join(traces, `life-${life}.jsonl`))
  const lives = await beginLives(settings, traceOf, violation)
  // The ladder may stand beside what is overdue, without a slot.
  const judge = createJudge(ROOT, shares, ladder === 'off' ? PER_SERVER : 2 * PER_SERVER, violation)
  const stage: Stage = { root: ROOT, shares, servers, lives, judge, chance }
  const faults = createFaults(stage)

  let isCalm = false
  let isOver = false
  let unanswered = 0

  /** Asks, and judges how long the answer took. */
  const ask = async (request: Request & { readonly deadlineMs: number }): Promise<Answer | undefined> => {
    unanswered += 1
    const late = setTimeout(() => {
      violation(`L45: no answer ${LATE_MS} ms after its deadline: ${JSON.stringify(request)}`)
    }, request.deadlineMs + LATE_MS)
    const answer = await lives.ask(request)
    clearTimeout(late)
    unanswered -= 1
    count(answer === undefined ? `${request.op} lost` : `${request.op} ${answer.ok ? 'served' : answer.error._tag}`)
    return answer
  }

  const attach = async (consumer: number, share: Share, deadlineMs: number): Promise<Answer | undefined> => {
    const asked = { consumer, share, at: performance.now(), before: judge.knownOf(consumer, share) }
    judge.begins(consumer, [share])
    const who = { mountpoint: share.path, volume: `vol-${consumer}`, consumer: `vm-${consumer}` }
    const answer = await ask({ op: 'attach', filesystem: share.filesystem, ...who, deadlineMs })
    if (answer === undefined) judge.toldNothing(consumer, [share])
    else judge.toldOfAttach(asked, answer)
    judge.ends(consumer, [share])
    return answer
  }
  const detach = async (consumer: number, share: Share, deadlineMs: number): Promise<Answer | undefined> => {
    const asked = { consumer, share, at: performance.now(), before: judge.knownOf(consumer, share) }
    judge.begins(consumer, [share])
    const who = { mountpoint: share.path, volume: `vol-${consumer}`, consumer: `vm-${consumer}` }
    const answer = await ask({ op: 'detach', ...who, deadlineMs })
    if (answer === undefined) judge.toldNothing(consumer, [share])
    else judge.toldOfDetach(asked, answer)
    judge.ends(consumer, [share])
    return answer
  }
  const release = async (consumer: number, deadlineMs: number): Promise<Answer | undefined> => {
    judge.begins(consumer, shares)
    const answer = await ask({ op: 'release', consumer: `vm-${consumer}`, deadlineMs })
    if (answer === undefined) judge.toldNothing(consumer, shares)
    else judge.toldOfRelease(consumer, answer)
    judge.ends(consumer, shares)
    return answer
  }

  const consumer = async (who: number): Promise<void> => {
    while (!isOver) {
      await sleep(chance() * 200)
      if (isCalm) continue
      const share = pick(chance, shares)
      const deadlineMs = pick(chance, [500, 2_000, 5_000])
      if (chance() < 0.03) await release(who, deadlineMs)
      else if (chance() < (judge.knownOf(who, share) === 'free' ? 0.8 : 0.15)) await attach(who, share, deadlineMs)
      else await detach(who, share, deadlineMs)
    }
  }

  const left = (): readonly string[] => [
    ...mountsBelow(ROOT).map((path) => `mount ${path}`),
    ...readdirSync(ROOT)
      .filter((name) => name !== LOCK_FILE)
      .map((name) => `directory ${name}`),
    ...shares.flatMap(({ name }) => processesWith(`/${name}`).map(({ pid, line }) => `process ${pid} ${line}`)),
  ]
  const records = async (): Promise<readonly string[]> => {
    const answer = await lives.ask({ op: 'status' })
    if (answer?.ok !== true || answer.result._tag !== 'Status') return ['no status']
    return answer.result.mountpoints.map(
      (each) => `${each.mountpoint} ${each.phase} ${JSON.stringify(each.reason ?? '')}`,
    )
  }

  /** The faults have stopped: all leave, and nothing may be left (L47); then everything has to work (L48). */
  const calm = async (): Promise<void> => {
    isCalm = true
    while (unanswered > 0) await sleep(20)
    await faults.mend()
    for (let who = 0; who < CONSUMERS; who += 1) {
      for (let answer = await release(who, 20_000); answer?.ok !== true; answer = await release(who, 20_000)) {
        note(`released again: ${JSON.stringify(answer)}`)
      }
    }
    const since = performance.now()
    for (;;) {
      const remains = [...left(), ...(await records())]
      if (remains.length === 0) break
      if (performance.now() - since > CALM_MS) violation(`L47: left after ${CALM_MS} ms of calm: ${remains.join('; ')}`)
      await sleep(100)
    }
    for (const share of shares) {
      for (let answer = await attach(0, share, 20_000); answer?.ok !== true; answer = await attach(0, share, 20_000)) {
        // A server that was just started again takes its time, and so does the end of a daemon that lost it.
        if (performance.now() - since > CALM_MS) violation(`L48: ${share.name}: ${JSON.stringify(answer)}`)
        await sleep(500)
      }
      await detach(0, share, 20_000)
    }
    count('rests with nothing left')
    isCalm = false
  }

  const watch = setInterval(() => judge.look(lives.pid()), WATCH_MS)
  const progress = (): void => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(0)
    const answers = lives.count()
    process.stdout.write(
      `\r\u001b[K${seconds} of ${totalMs / 1_000} s, life ${answers}, ${counts['faults'] ?? 0} faults`,
    )
  }
  const shown = terminal ? setInterval(progress, 500) : undefined
  const consumers = Array.from({ length: CONSUMERS }, (_, who) => consumer(who))
  while (performance.now() - began < totalMs) {
    for (const since = performance.now(); performance.now() - since < ROUND_MS;) {
      await sleep(100 + chance() * 900)
      const what = await faults.any()
      if (what === undefined) continue
      note(what)
      count('faults')
    }
    await calm()
  }
  isOver = true
  await Promise.all(consumers)
  clearInterval(watch)
  clearInterval(shown)
  await lives.end()
  for (const server of Object.values(servers)) await server.stop()
  await stopGluster()
  leavePlace()
  const facts = (tag: string): number => lives.facts().filter(({ _tag }) => _tag === tag).length
  const figures = [
    `${lives.count()} lives`,
    `${facts('Mounted')} mounts`,
    `${facts('Unmounted')} unmounts`,
    ...Object.entries(counts)
      .sort()
      .map(([what, times]) => `${what} ${times}`),
  ]
  process.stdout.write(
    `${terminal ? '\r\u001b[K' : ''}no law was broken in ${values.minutes} min: ${figures.join(', ')}\n`,
  )
  rmSync(traces, { recursive: true })
}

/** How much later than its deadline an answer may arrive on a machine with other things to do, ms. */
const LATE_MS = 20_000

await main()
