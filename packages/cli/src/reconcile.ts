// `mountkeeper reconcile`: the differences between what is wanted, recorded and there. With --apply it is a manager for as
// long as the repairs take: it has the locks, comes up, repairs by looking first, and tells what is left.

import type { Configuration } from '@mountkeeper/codec'
import type { Difference, Host, Request } from '@mountkeeper/core'
import type { MountManager, Timers } from '@mountkeeper/runtime'
import { createMountManager } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { ReconcileArguments } from './arguments.js'
import { configurationOf, needsRoot } from './configuration-file.js'
import type { ExitCode, Failure } from './exit.js'
import { EXIT, stopFailure } from './exit.js'
import { guarded } from './guarded-journal.js'
import type { Machine } from './machine.js'
import { notPrivileged, thisMachine } from './machine.js'
import type { Streams } from './streams.js'
import { complain, fail } from './streams.js'
import { encodeDifferences, encodeSurvey, surveyHere } from './survey.js'
import { answerWords, differenceWords } from './transcript/answer-words.js'
import { counted, word } from './transcript/words.js'

/** How often it is asked whether the repairs have ended, ms. */
const LOOK_EVERY_MS = 50

const isAtWork = (host: Host): boolean =>
  [...host.mountpoints.values()].some(({ record }) => record.work !== undefined || record.inFlight !== undefined)

/** Resolves when nothing is under way, or nobody would wait any longer. */
const settled = async (host: Host, timers: Timers, limitMs: number): Promise<void> => {
  for (const end = timers.now() + limitMs; isAtWork(host) && timers.now() < end;) {
    await new Promise<void>((next) => void timers.after(LOOK_EVERY_MS, next))
  }
}

/** The differences that were found first, and those that are left. */
export interface Repaired {
  readonly before: readonly Difference[]
  readonly after: readonly Difference[]
}

type Told = E.Either<Failure, readonly Difference[]>

/** Asks, and takes the differences out of the answer. */
const ask = async ({ submit }: MountManager, request: Request): Promise<Told> => {
  const answer = await submit(request)
  if (!answer.ok) return E.left(stopFailure(`the host cannot be compared: ${answerWords(answer).text}`))
  const { result } = answer
  if (result._tag === 'Up') return E.right(result.drift)
  return E.right(result._tag === 'Reconciled' ? result.differences : [])
}

const repairWith = async (
  manager: MountManager,
  timers: Timers,
  limitMs: number,
): Promise<E.Either<Failure, Repaired>> => {
  const before = await ask(manager, { op: 'host-up' })
  if (E.isLeft(before)) return before
  const asked = await ask(manager, { op: 'reconcile', apply: true })
  if (E.isLeft(asked)) return asked
  await settled(manager.state, timers, limitMs)
  const after = await ask(manager, { op: 'reconcile', apply: false })
  return E.isLeft(after) ? after : E.right({ before: before.right, after: after.right })
}

/** Repairs what can be repaired; `notice` hears what is worth telling meanwhile. */
export const repair = async (
  { settings, adapter }: Configuration,
  machine: Machine,
  notice: (sentence: string) => void,
): Promise<E.Either<Failure, Repaired>> => {
  const state = adapter.stateDirectory === undefined ? [] : [adapter.stateDirectory]
  const lock = await machine.locks.acquire([...settings.roots.map(({ path }) => path), ...state])()
  if (E.isLeft(lock)) return E.left(stopFailure(lock.left.why))
  const journal = machine.journal(notice)
  const release = machine.timers.hold?.()
  try {
    const made = await createMountManager({
      settings,
      host: machine.host,
      ...(machine.inventory === undefined ? {} : { inventory: machine.inventory }),
      journal: guarded(journal, lock.right),
      timers: machine.timers,
    })()
    if (E.isLeft(made)) return E.left(stopFailure(made.left.why))
    const manager = made.right
    void lock.right.lost.then(() => manager.stop({ hard: true }))
    const repaired = await repairWith(manager, machine.timers, settings.deadlinesMs.request)
    const { ending } = await manager.stop()
    return ending._tag === 'JournalFailed' ? E.left(stopFailure(ending.why)) : repaired
  } finally {
    release?.()
    await journal.close('drain')
    await lock.right.release()
  }
}

/** What a repair is for; the rest needs a person, or a consumer that leaves. */
const isMendable = ({ _tag }: Difference): boolean =>
  _tag === 'lost' || _tag === 'vacant' || _tag === 'leftover-directory' || _tag === 'uncertain' || _tag === 'broken'

const isIn = (all: readonly Difference[], one: Difference): boolean =>
  all.some(({ _tag, mountpoint }) => _tag === one._tag && mountpoint === one.mountpoint)

const repairedLines = ({ before, after }: Repaired): readonly string[] => {
  const mended = before.filter((each) => !isIn(after, each))
  return [
    ...mended.map(({ _tag, mountpoint }) => `repaired: ${_tag} ${word(mountpoint)}`),
    ...after.map(differenceWords),
    `${counted(mended.length, 'difference')} repaired, ${after.length} left`,
  ]
}

const write = (streams: Streams, lines: readonly string[]): void => {
  streams.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

const apply = async (asked: ReconcileArguments, streams: Streams): Promise<ExitCode> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const unfit = needsRoot(configuration.right) ?? (await notPrivileged(configuration.right))
  if (unfit !== undefined) return fail(streams, unfit)
  const machine = await thisMachine(configuration.right)
  const repaired = await repair(configuration.right, machine, (text) => complain(streams, `warning: ${text}`))
  if (E.isLeft(repaired)) return fail(streams, repaired.left)
  const { before, after } = repaired.right
  const encoded = { before: encodeDifferences(before), after: encodeDifferences(after) }
  write(streams, asked.json ? [JSON.stringify(encoded)] : repairedLines(repaired.right))
  return after.some(isMendable) ? EXIT.refused : EXIT.ok
}

/** Shows what differs, and repairs it if that is asked for. */
export const reconcile = async (asked: ReconcileArguments, streams: Streams): Promise<ExitCode> => {
  if (asked.apply) return apply(asked, streams)
  const survey = await surveyHere(asked)
  if (E.isLeft(survey)) return fail(streams, survey.left)
  const { differences } = survey.right
  write(
    streams,
    asked.json
      ? [JSON.stringify(encodeSurvey(survey.right))]
      : [...differences.map(differenceWords), counted(differences.length, 'difference')],
  )
  return EXIT.ok
}
