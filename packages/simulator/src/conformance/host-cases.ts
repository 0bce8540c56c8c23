// The promises of a host port, one case each.

import { readReport } from '@mountkeeper/border'
import { compareIdentity } from '@mountkeeper/core'
import { broken, CASE_LIMIT_MS, casesFor, shown, within } from './case.js'
import type { PortCase } from './case.js'
import { effectText, layersIn, life, placeOn, soundReport, turns } from './watch.js'
import type { HostSubject, Watched } from './watch.js'

/** Deadline of a mount that hangs, ms. */
const HANGS_MS = 300

const NOT_YET = Symbol('not yet')

/** Judges each effect of the life of a mountpoint. */
const each =
  (judge: (watched: Watched) => void) =>
  async (subject: HostSubject): Promise<void> => {
    for (const watched of await life(subject)) judge(watched)
  }

const tagOf = ({ reported }: Watched): unknown => {
  const found: unknown = isObject(reported) ? reported['found'] : undefined
  return isObject(found) ? found['_tag'] : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const reports = each((watched) => {
  const isAnswered = !watched.silent && watched.thrown === undefined
  if (isAnswered && typeof tagOf(watched) !== 'string')
    broken(`${effectText(watched)} reported ${shown(watched.reported)}, without what was found`)
})

const knownWords = each((watched) => {
  if (typeof tagOf(watched) !== 'string') return
  const read = readReport(watched.effect._tag, watched.reported)
  if ('wrong' in read) broken(`${effectText(watched)} found ${shown(watched.reported)}, which no core understands`)
})

const settles = each((watched) => {
  if (watched.silent)
    broken(`${effectText(watched)} gave no outcome by its deadline of ${watched.effect.deadlineMs} ms`)
})

const noThrow = each((watched) => {
  if (watched.thrown !== undefined) broken(`${effectText(watched)} ${watched.thrown}`)
})

const oneOutcome = each((watched) => {
  if (watched.outcomes > 1) broken(`${effectText(watched)} gave ${watched.outcomes} outcomes`)
})

const namesInTime = each((watched) => {
  if (watched.startedLate) broken(`${effectText(watched)} gave its outcome and named a process of it afterwards`)
})

const afterWork = async (subject: HostSubject): Promise<void> => {
  const place = await placeOn(subject, 'at once')
  const made = soundReport(await place.makeDirectory()).found
  const seen = soundReport(await place.look()).found
  if (made._tag !== seen._tag)
    broken(`MakeDirectory was reported as ${shown(made)}, and a look at once after that shows ${shown(seen)}`)
}

const ended = async (subject: HostSubject): Promise<void> => {
  const place = await placeOn(subject)
  soundReport(await place.makeDirectory())
  const report = soundReport(await place.mount(subject.hanging(place.mountpoint), HANGS_MS))
  if (report.found._tag !== 'Unknown' || report.found.why !== 'TimedOut')
    return broken(`a mount that hangs was reported as ${shown(report.found)}, not as Unknown { TimedOut }`)
  if (report.ended === undefined)
    return broken('a mount that passed its deadline was reported without ended, so that its mountpoint is never free')
  await subject.endHanging()
  await turns()
  const end = await within(CASE_LIMIT_MS / 2, report.ended, NOT_YET)
  if (end === NOT_YET) broken('ended did not resolve although no process of the mount lives any more')
}

const topFirst = async (subject: HostSubject): Promise<void> => {
  const place = await placeOn(subject)
  soundReport(await place.makeDirectory())
  const [ours] = layersIn(soundReport(await place.mount()))
  if (ours === undefined) return broken('a mount that should succeed shows no layer')
  await subject.mountOnTop(place.mountpoint)
  const layers = layersIn(soundReport(await place.look()))
  const at = layers.findIndex((layer) => compareIdentity(ours, layer) === 'same')
  if (layers.length !== 2 || at !== 1)
    broken(`a third party mounted on top of our layer, and the look shows ${layers.length} layers with ours at ${at}`)
}

const fresh = async (subject: HostSubject): Promise<void> => {
  const place = await placeOn(subject)
  const look = async () => soundReport(await place.look()).found
  const before = await look()
  if (before._tag !== 'NoDirectory') return broken(`an empty root was seen to have ${shown(before)} at a mountpoint`)
  soundReport(await place.makeDirectory())
  const made = await look()
  if (made._tag !== 'Directory') return broken(`after a directory was made the look shows ${shown(made)}`)
  await subject.mountOnTop(place.mountpoint)
  const after = await look()
  if (after._tag !== 'Mounted') broken(`after a third party mounted there the look shows ${shown(after)}`)
}

const onlyRmdir = async (subject: HostSubject): Promise<void> => {
  const place = await placeOn(subject)
  soundReport(await place.makeDirectory())
  await subject.write(place.mountpoint)
  const { found, error } = soundReport(await place.removeDirectory())
  const seen = soundReport(await place.look()).found
  if (seen._tag !== 'Directory')
    return broken(`a directory with a file in it was removed: the look shows ${shown(seen)}`)
  if (found._tag !== 'Directory' || error === undefined)
    broken(`a directory with a file in it is still there, and its removal was reported as ${shown({ found, error })}`)
}

const truth = async (subject: HostSubject): Promise<void> => {
  const place = await placeOn(subject)
  const expected = (watched: Watched, tag: string): void => {
    const { found, error } = soundReport(watched)
    if (found._tag !== tag || error !== undefined)
      broken(`${effectText(watched)} should end as ${tag} and was reported as ${shown({ found, error })}`)
  }
  expected(await place.makeDirectory(), 'Directory')
  const mounted = await place.mount()
  expected(mounted, 'Mounted')
  const [top] = layersIn(soundReport(mounted))
  if (top === undefined) return broken('Mounted was reported without a layer')
  expected(await place.unmount(top), 'Directory')
  expected(await place.removeDirectory(), 'NoDirectory')
}

/** How the kit runs. */
export interface PortTestOptions {
  /** How long one case may take, ms. @default 60000 */
  readonly limitMs?: number
}

/**
 * The promises of a `HostPort` as cases; `make` gives each a host with an empty root.
 *
 * @example for (const { name, law, run } of hostPortTests(make)) test(`${law} ${name}`, run)
 */
export const hostPortTests = (
  make: () => Promise<HostSubject>,
  { limitMs = CASE_LIMIT_MS }: PortTestOptions = {},
): readonly PortCase[] => {
  const one = casesFor(make, limitMs)
  return [
    one('every outcome says what was found', 'L15', reports),
    one('what was found is in words that the core knows', 'L40', knownWords),
    one('every effect settles by its deadline', 'L25', settles),
    one('run neither throws nor rejects', 'R3.2', noThrow),
    one('every effect has one outcome', 'L45', oneOutcome),
    one('the outcome comes after the work', 'L22', afterWork),
    one('no process is named after the outcome', 'L22', namesInTime),
    one('what passed its deadline says when it has ended', 'L23', ended),
    one('a look shows all layers, top first', 'R2.3', topFirst),
    one('every look looks again', 'L29', fresh),
    one('a directory with contents stays, and is reported as it is', 'L11', onlyRmdir),
    one('the report of a change is what is there afterwards', 'L10', truth),
  ]
}
