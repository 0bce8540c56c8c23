// One race: a tenant exchanges names without pause while attaches and detaches run on several mountpoints, and what may not be
// touched is looked at after each of them.

import { lstatSync, readFileSync, renameSync } from 'node:fs'
import { DEFAULT_DELAYS_MS, defaultSettings } from '@mountkeeper/border'
import type { Answer, Filesystem, Settings } from '@mountkeeper/core'
import type { LinuxHostOptions } from '@mountkeeper/linux'
import { linuxHost } from '@mountkeeper/linux'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { Untouched } from './ground.js'
import { LANES, clearGround, mountedBelow, prepareGround, untouched } from './ground.js'
import type { Pair } from './swapper.js'
import { startSwapper } from './swapper.js'

/** A race. */
export interface Race {
  readonly name: string
  readonly root: string
  readonly types: Settings['types']
  readonly trustedOwners?: LinuxHostOptions['trustedOwners']
  /** Mounts below it are this race's own. */
  readonly own: string
  readonly prepare: () => void
  /** The first of each is the directory, the other the link. */
  readonly pairs: readonly Pair[]
  readonly mountpoint: (lane: number, round: number) => string
  readonly filesystem: (lane: number) => Filesystem
  /** What only root does once the manager runs, and when the tenant has stopped. */
  readonly around?: { readonly begin: () => void; readonly end: () => void }
  /** What only root does between the attaches and the detaches of a round, and after it. */
  readonly between?: { readonly begin: () => void; readonly end: () => void }
  /** A bind whose source was renamed is `RootRenamed` until its directory has the name again that it had at the mount. */
  readonly knownByName?: true
  /** It is there to be lost: what it has moved and mounted is not put in order again. */
  readonly isProof?: true
  /** Whether what is mounted has a file that says whose it is. */
  readonly signs: boolean
}

/** The result. */
export interface RaceReport {
  readonly name: string
  readonly attaches: number
  readonly swaps: number
  /** Answers by kind. */
  readonly answers: ReadonlyMap<string, number>
  /** What must not be; at most the first hundred. */
  readonly wrong: readonly string[]
}

const WRONG_MAX = 100
const FINISH_MS = 60_000
const FINISH_PAUSE_MS = 500

const kindOf = (answer: Answer): string => {
  if (answer.ok) return `${answer.op} ${'mount' in answer.result ? answer.result.mount : answer.result._tag}`
  const { error } = answer
  const why = 'found' in error && error.found._tag === 'Unknown' ? ` ${error.found.why}` : ''
  return `${answer.op} ${error._tag}${why}`
}

const who = (lane: number): { readonly volume: string; readonly consumer: string } => ({
  volume: `vol-${lane}`,
  consumer: `vm-${lane}`,
})

const manage = async ({ root, types, trustedOwners }: Race): Promise<MountManager> => {
  const settings = {
    ...defaultSettings(root),
    types,
    // What a tenant keeps from being unmounted is looked at again soon, so that a race ends.
    delaysMs: { ...DEFAULT_DELAYS_MS, unmountRetry: [], backOffFirst: 200, backOffCeiling: 400 },
  }
  const host = linuxHost({ types, ...(trustedOwners === undefined ? {} : { trustedOwners }) })
  const made = await createMountManager({ settings, host, journal: createMemoryJournal() })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  const up = await made.right.hostUp()()
  if (up._tag === 'Left') throw new Error(JSON.stringify(up.left))
  return made.right
}

const exchange = (one: string, other: string): void => {
  renameSync(one, `${one}.aside`)
  renameSync(other, one)
  renameSync(`${one}.aside`, other)
}

/** Names as they were: a directory where the directory was. */
const putBack = (pairs: readonly Pair[]): void => {
  for (const [directory, link] of pairs) if (lstatSync(directory).isSymbolicLink()) exchange(directory, link)
}

const signedBy = (mountpoint: string): string => {
  try {
    return readFileSync(`${mountpoint}/who`, 'utf8')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

interface Running {
  readonly race: Race
  readonly manager: MountManager
  readonly judge: Untouched
  readonly answers: Map<string, number>
  readonly wrong: string[]
}

const note = ({ wrong }: Running, ...more: readonly string[]): void => {
  for (const each of more) if (wrong.length < WRONG_MAX && !wrong.includes(each)) wrong.push(each)
}

const submit = async (running: Running, request: Parameters<MountManager['submit']>[0]): Promise<Answer> => {
  const { manager, judge, answers } = running
  const answer = await manager.submit(request)
  answers.set(kindOf(answer), (answers.get(kindOf(answer)) ?? 0) + 1)
  note(running, ...judge.wrong().map((each) => `${each}, after ${JSON.stringify(answer)}`))
  return answer
}

const attach = async (running: Running, lane: number, round: number): Promise<void> => {
  const { race } = running
  const mountpoint = race.mountpoint(lane, round)
  const answer = await submit(running, {
    op: 'attach',
    mountpoint,
    filesystem: race.filesystem(lane),
    ...who(lane),
    deadlineMs: FINISH_MS,
  })
  if (answer.ok && race.signs) {
    const said = signedBy(mountpoint)
    if (said !== 'tenant') note(running, `${mountpoint} shows what ${said} has, after ${JSON.stringify(answer)}`)
  }
}

const detach = async (running: Running, lane: number, round: number): Promise<void> => {
  const mountpoint = running.race.mountpoint(lane, round)
  await submit(running, { op: 'detach', mountpoint, ...who(lane), deadlineMs: FINISH_MS })
}

const lanes = Array.from({ length: LANES }, (_, lane) => lane)

/** The tenant has stopped, and all is safe again: whatever is left has to go. */
const finish = async (running: Running): Promise<void> => {
  const { race, manager } = running
  const since = performance.now()
  for (;;) {
    const status = await manager.submit({ op: 'status' })
    if (!status.ok || status.result._tag !== 'Status') throw new Error(JSON.stringify(status))
    const left = status.result.mountpoints.map(({ mountpoint }) => mountpoint)
    if (left.length === 0 || performance.now() - since > FINISH_MS) {
      note(running, ...status.result.mountpoints.map((each) => `still on record: ${JSON.stringify(each)}`))
      break
    }
    for (const mountpoint of left) {
      const lane = lanes.find((each) => mountpoint.endsWith(`vol-${each}`)) ?? 0
      await manager.submit({ op: 'detach', mountpoint, ...who(lane) })
      await manager.submit({ op: 'retry', mountpoint })
    }
    await new Promise((wake) => setTimeout(wake, FINISH_PAUSE_MS))
    if (race.knownByName === true) for (const [one, other] of race.pairs) exchange(one, other)
  }
  note(running, ...mountedBelow(race.own).map((each) => `still mounted: ${each}`))
}

/** Runs a race until so many attaches were answered. */
export const runRace = async (race: Race, attaches: number): Promise<RaceReport> => {
  prepareGround()
  try {
    race.prepare()
    const judge = untouched(race.own)
    const running: Running = { race, manager: await manage(race), judge, answers: new Map(), wrong: [] }
    race.around?.begin()
    const swapper = await startSwapper(race.pairs)
    const rounds = Math.ceil(attaches / LANES)
    for (let round = 0; round < rounds; round += 1) {
      if (race.between === undefined) {
        const cycle = async (lane: number): Promise<void> => {
          await attach(running, lane, round)
          await detach(running, lane, round)
        }
        await Promise.all(lanes.map(cycle))
      } else {
        await Promise.all(lanes.map((lane) => attach(running, lane, round)))
        race.between.begin()
        await Promise.all(lanes.map((lane) => detach(running, lane, round)))
        race.between.end()
        putBack(race.pairs)
        await Promise.all(lanes.map((lane) => detach(running, lane, round)))
      }
    }
    const { swaps } = await swapper.stop()
    race.around?.end()
    if (race.isProof !== true) {
      putBack(race.pairs)
      await finish(running)
    }
    await running.manager.stop()
    note(running, ...judge.wrong())
    return { name: race.name, attaches: rounds * LANES, swaps, answers: running.answers, wrong: running.wrong }
  } finally {
    clearGround()
  }
}
