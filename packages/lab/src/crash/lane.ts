// One manager and its lives: started, asked, disturbed, killed at a moment, started again over the same state directory, and
// judged after each; after some kills every consumer leaves, and then nothing may be left.

import { statSync, truncateSync } from 'node:fs'
import type { Filesystem, Request, Status } from '@mountkeeper/core'
import { createCallers } from './callers.js'
import { commandsAt, contentsOf, createPlace, exec, fillDisk, layersBelow, remount } from './ground.js'
import { createJudge, noOthers } from './judge.js'
import type { LifeEnd, Manager } from './manager.js'
import { startManager } from './manager.js'
import type { Moment } from './moments.js'
import { pickMoment, watchFor } from './moments.js'
import { chanceFrom } from './random.js'
import { CONSUMERS, nextRequest, shows, targetsOf } from './requests.js'
import type { Tally } from './tally.js'
import type { Scene } from './third-parties.js'
import { actOnce, removeEmpty, takeOff, tidy } from './third-parties.js'
import { createTold } from './told.js'
import { createWitness } from './witness.js'

/** What a lane is run with. */
export interface LaneOptions {
  readonly name: string
  readonly seed: number
  readonly fuse: boolean
  /** Asked before each life; false ends the lane. */
  readonly mayKill: () => boolean
  readonly killed: () => void
  readonly tally: Tally
}

/** How long a life lasts at most, in starts of a manager; one that is to end at a moment waits longer for that. */
const LIFE_STARTS = 1
const AIMED_LIFE_STARTS = 2
const QUIET_STARTS = 4
const UP_LIMIT_MS = 60_000
const CLEAR_LIMIT_MS = 60_000
const LOCK_LIMIT_MS = 5_000
const KILLS_BETWEEN_CLEARINGS = 15

const sleep = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))

/** Runs one lane until it may kill no more. Rejects with a `Violation`. */
export const runLane = async ({ name, seed, fuse, mayKill, killed, tally }: LaneOptions): Promise<void> => {
  const chance = chanceFrom(seed)
  const place = createPlace(name)
  const journal = `${place.state}/journal`
  const targets = targetsOf(place, name, fuse)
  const told = createTold()
  const others = noOthers()
  const witness = createWitness(name, place)
  const wanted = (path: string): readonly Filesystem[] =>
    targets.find((target) => target.path === path)?.filesystems ?? []
  const judge = createJudge({
    place,
    mountpoints: targets.map(({ path }) => path),
    told,
    others,
    agrees: (path, layer) => wanted(path).some((filesystem) => shows(filesystem, layer)),
  })
  const callers = createCallers({ name, place, told, others, judge, witness, tally })

  let manager: Manager
  /** How long a start takes here and now: the measure of all times, so that a slow machine meets the same. */
  let startMs = 400

  const ask = (request: Request): void => callers.ask(request, manager.send)
  const commands = (): readonly string[] => commandsAt(`${name}-`)
  const judgeNow = (): void => {
    witness.check(judge.look())
    witness.assert()
  }

  const scene: Scene = {
    chance,
    place,
    others,
    asked: callers.asked,
    note: witness.note,
    isCalm: ({ path, name: mountpoint }) =>
      !callers.touches(path) && commandsAt(mountpoint).length === 0 && judge.relies(path),
  }

  /** Long enough for the aimed kills that the command outlives the next start, and for some types longer than its deadline. */
  const makeSlow = (moment: Moment): void => {
    const isAimed = moment === 'mounting' || moment === 'unmounting'
    const seconds = (): string =>
      (((isAimed ? 1 + chance.below(20) / 8 : chance.below(10) / 8) * startMs) / 1_000).toFixed(2)
    const words = (ways: readonly string[]): string | undefined =>
      chance.percent(isAimed ? 60 : 15) ? `${seconds()} ${chance.pick(ways)}` : undefined
    for (const target of targets) {
      place.slow(target.name, 'mount', words(['late', 'resolved', 'resolved', 'deaf']))
      place.slow(target.name, 'umount', words(['before', 'before', 'after', 'deaf']))
    }
  }

  /** What `status` says; undefined when the manager ended first. */
  const statusNow = async (end: Promise<LifeEnd>): Promise<Status | undefined> => {
    const answer = new Promise<Status>((resolve) => {
      callers.onStatus = resolve
    })
    ask({ op: 'status' })
    const limit = new AbortController()
    const late = sleep(UP_LIMIT_MS).then(() => (limit.signal.aborted ? undefined : ('late' as const)))
    const first = await Promise.race([answer, end.then(() => undefined), late])
    limit.abort()
    callers.onStatus = undefined
    if (first === 'late') throw witness.violation([`no status within ${UP_LIMIT_MS} ms`])
    return first
  }

  /** The recovery, as it is seen from outside: what lives of an earlier life, and what `status` says. */
  const recovered = (status: Status, alive: readonly string[]): void => {
    tally.recoveries += 1
    witness.check(judge.compare(status))
    told.shown(
      status.mountpoints.flatMap(({ mountpoint, holders }) =>
        holders.map(({ volume, consumer }) => ({ mountpoint, volume, consumer })),
      ),
    )
    const still = commands().filter((command) => alive.includes(command))
    for (const { name: mountpoint, path } of targets) {
      const entry = status.mountpoints.find((one) => one.mountpoint === path)
      const isWaitedFor = entry?.reason?._tag === 'Unknown' && entry.reason.why === 'CommandAlive'
      if (isWaitedFor) tally.orphans += 1
      const here = still.filter((command) => command.includes(`/${mountpoint}`))
      if (here.length > 0 && !isWaitedFor) {
        witness.check([`not waited for: ${here.join('; ')}; status: ${JSON.stringify(entry)}`])
      }
    }
    judgeNow()
  }

  const lockIsFree = async (): Promise<void> => {
    const from = performance.now()
    for (const directory of [place.root, place.state]) {
      while (!exec('flock', '-n', '-x', directory, 'true').ok) {
        if (performance.now() - from > LOCK_LIMIT_MS) {
          throw witness.violation([`${directory} is locked ${LOCK_LIMIT_MS} ms after SIGKILL`])
        }
        await sleep(1)
      }
    }
    tally.lockMs = Math.max(tally.lockMs, performance.now() - from)
  }

  const whatIsLeft = (): readonly string[] => [
    ...told
      .all()
      .filter((one) => told.known(one) !== 'free')
      .map((one) => JSON.stringify(one)),
    ...layersBelow(place.root).map(({ target, source }) => `${source} on ${target}`),
    ...(contentsOf(place.bare) ?? []).map((directory) => `the directory ${directory}`),
  ]

  /** Every consumer leaves; then nothing of ours may be left. */
  const clear = async (end: Promise<LifeEnd>): Promise<void> => {
    witness.note('every consumer leaves')
    for (const target of targets) {
      place.slow(target.name, 'mount', undefined)
      place.slow(target.name, 'umount', undefined)
      tidy(scene, target)
    }
    const from = performance.now()
    const within = (left: readonly string[]): boolean => {
      if (left.length === 0) return false
      if (performance.now() - from > CLEAR_LIMIT_MS) throw witness.violation(['all have left, and there is:', ...left])
      return true
    }
    for (let turn = 0; turn === 0 || within(whatIsLeft()); turn += 1) {
      if (turn % 10 === 0) {
        ask({ op: 'host-up' })
        for (const consumer of CONSUMERS) ask({ op: 'release', consumer })
      }
      await sleep(30)
      const haveLeft = told.all().every((one) => told.known(one) === 'free')
      for (const target of targets) {
        takeOff(scene, target, 'foreign')
        // A directory that third parties made stays, and is theirs to remove; one of ours is gone before that.
        if (turn > 20 && haveLeft) removeEmpty(scene, target)
      }
      judgeNow()
    }
    const records = async (): Promise<readonly string[]> =>
      ((await statusNow(end))?.mountpoints ?? []).map((one) => `the record ${JSON.stringify(one)}`)
    while (within(await records())) await sleep(50)
    others.gone.clear()
    tally.cleared += 1
  }

  /** Random requests and third parties, until `isOver` or the time is. */
  const busy = async (isOver: () => boolean, lastsMs: number, coming: number): Promise<void> => {
    const from = performance.now()
    while (!isOver() && performance.now() - from < lastsMs) {
      for (let count = chance.below(5); count > 0 && !isOver(); count -= 1) {
        ask(nextRequest({ chance, targets, told, coming }))
      }
      if (chance.percent(8)) actOnce(scene, chance.pick(targets))
      judgeNow()
      await sleep(chance.below(50))
    }
  }

  const hostNow = (): string => JSON.stringify([layersBelow(place.root), contentsOf(place.bare), commands()])

  /**
   * One request in the quiet, and the kill with its first write: if nothing followed from the write yet, it may as well never
   * have come to the disk, and any part of it is cut off.
   */
  const tear = async (isOver: () => boolean, kill: () => void, end: Promise<LifeEnd>): Promise<void> => {
    const from = performance.now()
    while (!isOver() && (told.open().length > 0 || commands().length > 0)) {
      if (performance.now() - from > QUIET_STARTS * startMs) return
      await sleep(5)
    }
    if (isOver()) return
    const host = hostNow()
    const whole = statSync(journal)
    const unwatch = watchFor('torn', { state: place.state, prefix: name }, kill)
    try {
      ask(nextRequest({ chance, targets, told, coming: 50 }))
      for (let turn = 0; !isOver() && turn < 20; turn += 1) await sleep(startMs / 80)
      if (!isOver()) return
      await end
      // What it had just forked shows itself by now.
      await sleep(20)
      const torn = statSync(journal)
      const written = torn.size - whole.size
      if (torn.ino !== whole.ino || written <= 0 || told.open().length === 0 || hostNow() !== host) return
      const kept = chance.below(written)
      truncateSync(journal, whole.size + kept)
      witness.note(`of the last ${written} bytes of the journal ${kept} are kept`)
      tally.torn += 1
    } finally {
      unwatch()
    }
  }

  /** The disk is full until the manager has stopped; gives how that ended, if it needed the disk at all. */
  const starve = async (isOver: () => boolean, end: Promise<LifeEnd>): Promise<void> => {
    const relieve = fillDisk(place.state)
    witness.note('the disk is full')
    try {
      await busy(isOver, AIMED_LIFE_STARTS * startMs, 40)
      if (!isOver()) return
      const { code, stderr } = await end
      const [said = ''] = stderr.split('\n').filter((line) => line.includes('ENOSPC') && !line.includes('shortened'))
      if (code !== 3 || !said.includes('make room')) {
        throw witness.violation([`full, it ended with ${String(code)} and said: ${stderr}`])
      }
      tally.full += 1
    } finally {
      relieve()
    }
  }

  /** A start over a disk that is read-only: refused, with the fix. */
  const startReadOnly = async (): Promise<void> => {
    // What the killed one had just forked has its descriptors, and so keeps the disk busy, until it becomes another program.
    await lockIsFree()
    remount(place.state, 'ro')
    const host = hostNow()
    // What was left running may change the host yet.
    const isQuiet = commands().length === 0
    const { code, stderr } = await startManager(place.configuration, callers.hear).ended
    remount(place.state, 'rw')
    if (code !== 3 || !stderr.includes('EROFS') || !stderr.includes('mount it for writing')) {
      throw witness.violation([`read-only, it ended with ${String(code)} and said: ${stderr}`])
    }
    if (isQuiet && hostNow() !== host) {
      throw witness.violation(['a manager that could not start has changed the host', host])
    }
    tally.readOnly += 1
  }

  const live = async (clearing: boolean): Promise<void> => {
    const moment = pickMoment(chance)
    makeSlow(moment)
    // Some lives are more of coming, some more of leaving.
    const coming = moment === 'unmounting' ? 15 : 15 + chance.below(50)
    const alive = commands()
    witness.note(`start, to be killed: ${moment}`)
    const started = performance.now()
    manager = startManager(place.configuration, callers.hear)
    const { ended, signal } = manager
    let over = false
    let mayEnd = false
    const isOver = (): boolean => over
    const kill = (how: Moment): void => {
      if (over) return
      over = true
      signal('SIGKILL')
      witness.note(`killed: ${how}`)
      tally.kills.set(how, (tally.kills.get(how) ?? 0) + 1)
      killed()
    }
    const end = ended.then((life) => {
      if (!over && !mayEnd) witness.check([`it ended by itself, ${life.code ?? life.signal ?? ''}: ${life.stderr}`])
      over = true
      return life
    })
    const timer = moment === 'starting' ? setTimeout(() => kill('starting'), chance.below(startMs * 1.2)) : undefined
    let unwatch = (): void => undefined
    try {
      const status = await statusNow(end)
      if (status !== undefined) {
        startMs = (startMs + performance.now() - started) / 2
        recovered(status, alive)
      }
      if (clearing && !isOver()) {
        clearTimeout(timer)
        await clear(end)
      }
      const skip = chance.below(moment === 'answer' || moment === 'journal' ? 8 : 2)
      let met = 0
      const meet = (): void => {
        met += 1
        if (met > skip) kill(moment)
      }
      if (moment === 'answer') callers.onAnswer = meet
      if (moment !== 'torn') unwatch = watchFor(moment, { state: place.state, prefix: name }, meet)
      const isShort = moment === 'any' || moment === 'stopping' || moment === 'torn' || moment === 'full'
      await busy(isOver, startMs * (isShort ? (chance.below(100) * LIFE_STARTS) / 100 : AIMED_LIFE_STARTS), coming)
      if (moment === 'torn' && !isOver()) await tear(isOver, () => kill('torn'), end)
      if (moment === 'full' && !isOver()) {
        mayEnd = true
        await starve(isOver, end)
      }
      if (moment === 'stopping' && !isOver()) {
        witness.note('asked to stop')
        mayEnd = true
        signal('SIGTERM')
        await sleep(chance.below(startMs / 6))
      }
      kill(moment === 'stopping' ? 'stopping' : 'any')
    } finally {
      clearTimeout(timer)
      unwatch()
      callers.onAnswer = undefined
      if (!isOver()) signal('SIGKILL')
    }
    await end
    told.ended()
    if (chance.percent(15)) await lockIsFree()
    judgeNow()
    if (chance.percent(20)) actOnce(scene, chance.pick(targets))
    if (chance.percent(30)) await sleep(chance.below(startMs))
    if (chance.percent(2)) await startReadOnly()
  }

  /** A last life, that ends as it should. */
  const leave = async (): Promise<void> => {
    witness.note('start, to end in order')
    manager = startManager(place.configuration, callers.hear)
    const { ended, finish } = manager
    const status = await statusNow(ended)
    if (status !== undefined) recovered(status, [])
    await clear(ended)
    finish()
    const { code, stderr } = await ended
    judgeNow()
    const unanswered = told.open()
    if (code !== 0 && code !== 1) throw witness.violation([`it ended with ${String(code)}: ${stderr}`])
    if (unanswered.length > 0) throw witness.violation([`it left without an answer to ${unanswered.join(', ')}`])
  }

  for (let count = 1; mayKill(); count += 1) await live(count % KILLS_BETWEEN_CLEARINGS === 0)
  await leave()
}
