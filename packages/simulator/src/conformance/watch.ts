// Effects put to a port and everything that comes of each, whatever the port does wrong: nothing here throws or waits for ever.
// The cases judge what was watched, each by its own promise.

import { readReport } from '@mountkeeper/border'
import type { Discover, Filesystem, Found, Identity, MountpointEffect, RootIdentity } from '@mountkeeper/core'
import { effectId, layersOf } from '@mountkeeper/core'
import type { HostPort, Report } from '@mountkeeper/runtime'
import { broken, shown, within } from './case.js'
import type { Subject } from './case.js'

/** A host port to be judged, and what third parties can do to its host. */
export interface HostSubject extends Subject {
  readonly port: HostPort
  /** A managed root; the case makes mountpoints directly below it. */
  readonly root: string
  /** Can be mounted below the root and answers. */
  readonly filesystem: Filesystem
  /** A filesystem whose mount at that mountpoint passes its deadline, and lives on until `endHanging` unless it is ended. */
  readonly hanging: (mountpoint: string) => Filesystem
  /** Ends what hangs. */
  readonly endHanging: () => Promise<void>
  /** A third party mounts something else on top of what is at the path. */
  readonly mountOnTop: (path: string) => Promise<void>
  /** A third party makes a file in the directory at the path. */
  readonly write: (path: string) => Promise<void>
  /** Only where time is virtual: lets that much of it pass. */
  readonly pass?: (ms: number) => Promise<void>
}

/** All that came of one effect. */
export interface Watched {
  readonly effect: MountpointEffect | Discover
  /** What `run` threw or rejected with, in words. */
  readonly thrown?: string
  /** No outcome by the deadline and its grace. */
  readonly silent: boolean
  /** How often an outcome was given. */
  readonly outcomes: number
  /** A process was named after the outcome. */
  readonly startedLate: boolean
  /** What the port reported, whatever it is. */
  readonly reported: unknown
}

/** What a port may take past the deadline of an effect, ms. */
const GRACE_MS = 2_000
/** What it may take in real time where time is virtual and has passed, ms. */
const VIRTUAL_GRACE_MS = 100
/** Turns of the event loop in which what comes after an outcome is noticed. */
const TURNS = 12

/** Deadline of effects that are not about deadlines, ms. */
export const DEADLINE_MS = 5_000

/** Lets what needs no time happen. */
export const turns = async (): Promise<void> => {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise<void>((next) => void setImmediate(next))
}

/**
 * Puts one effect to the port. `at once`: returns with the outcome, before anything that comes after it could happen.
 */
export const watch = async (
  subject: HostSubject,
  effect: MountpointEffect | Discover,
  returns: 'later' | 'at once' = 'later',
): Promise<Watched> => {
  const seen = {
    outcomes: 0,
    startedLate: false,
    reported: undefined as unknown,
    thrown: undefined as string | undefined,
  }
  const result = (silent: boolean): Watched => {
    const { thrown, ...rest } = seen
    return { effect, silent, ...rest, ...(thrown === undefined ? {} : { thrown }) }
  }
  const settled = new Promise<'settled'>((settle) => {
    const outcome = (note: () => void): void => {
      seen.outcomes += 1
      if (seen.outcomes === 1) note()
      settle('settled')
    }
    try {
      const running = subject.port.run(effect, () => {
        if (seen.outcomes > 0) seen.startedLate = true
      })
      void running.then(
        (report) => outcome(() => (seen.reported = report)),
        (error: unknown) => outcome(() => (seen.thrown = `rejected with ${errorWords(error)}`)),
      )
    } catch (error) {
      outcome(() => (seen.thrown = `threw ${errorWords(error)}`))
    }
  })
  await Promise.race([settled, turns()])
  if (subject.pass !== undefined && seen.outcomes === 0) await subject.pass(effect.deadlineMs + GRACE_MS)
  const limitMs = subject.pass === undefined ? effect.deadlineMs + GRACE_MS : VIRTUAL_GRACE_MS
  const how = await within(limitMs, settled, 'silent' as const)
  if (returns === 'later') await turns()
  return result(how === 'silent')
}

const errorWords = (error: unknown): string => (error instanceof Error ? error.message : shown(error))

/** Which effect it was, for a sentence. */
export const effectText = ({ effect }: Watched): string =>
  effect._tag === 'Discover' ? effect._tag : `${effect._tag} ${effect.mountpoint}`

/** What came of an effect that has to be sound for a case to go on. */
export const soundReport = (watched: Watched): Report => {
  const { effect, reported, silent, thrown } = watched
  if (silent) return broken(`${effectText(watched)} gave no outcome`)
  if (thrown !== undefined) return broken(`${effectText(watched)} ${thrown}`)
  const read = readReport(effect._tag, reported)
  if ('wrong' in read) return broken(`${effectText(watched)} reported ${shown(reported)}, which is no report`)
  return reported as Report
}

/** The layers that a sound report found, top first. */
export const layersIn = ({ found }: Report): readonly Identity[] =>
  found._tag === 'Mounted' ? layersOf(found satisfies Found) : []

/** Effects at one mountpoint below the root of a subject. */
export interface Place {
  readonly mountpoint: string
  readonly discovered: Watched
  readonly look: () => Promise<Watched>
  readonly makeDirectory: () => Promise<Watched>
  readonly mount: (filesystem?: Filesystem, deadlineMs?: number) => Promise<Watched>
  readonly probe: () => Promise<Watched>
  readonly unmount: (identity: Identity) => Promise<Watched>
  readonly removeDirectory: () => Promise<Watched>
}

const rootIn = ({ reported }: Watched): RootIdentity | undefined => {
  const read = readReport('Discover', reported)
  return 'found' in read && read.found._tag === 'Discovered' ? read.found.roots[0] : undefined
}

/** Discovers the host and makes the effects at a mountpoint. */
export const placeOn = async (subject: HostSubject, returns?: 'later' | 'at once'): Promise<Place> => {
  const mountpoint = `${subject.root}/conformance`
  let next = 1
  const head = () => ({ effect: effectId(next++), mountpoint, deadlineMs: DEADLINE_MS })
  const discover: Discover = {
    ...{ _tag: 'Discover', effect: effectId(next++), roots: [subject.root], known: [], deadlineMs: DEADLINE_MS },
  }
  const discovered = await watch(subject, discover)
  const root = rootIn(discovered)
  const { filesystem } = subject
  const run = (effect: MountpointEffect): Promise<Watched> => watch(subject, effect, returns)
  return {
    mountpoint,
    discovered,
    look: () => run({ _tag: 'Look', ...head(), filesystem, root }),
    makeDirectory: () => run({ _tag: 'MakeDirectory', ...head(), root }),
    mount: (asked = filesystem, deadlineMs = DEADLINE_MS) =>
      run({ _tag: 'Mount', ...head(), filesystem: asked, options: asked.options, root, deadlineMs }),
    probe: () => run({ _tag: 'Probe', ...head(), filesystem }),
    unmount: (identity) =>
      run({ _tag: 'Unmount', ...head(), filesystem, identity, how: 'plain', mayHang: false, root }),
    removeDirectory: () => run({ _tag: 'RemoveDirectory', ...head(), root }),
  }
}

/** The whole life of a mountpoint, whatever the port does wrong on the way. */
export const life = async (subject: HostSubject): Promise<readonly Watched[]> => {
  const place = await placeOn(subject)
  const all = [place.discovered, await place.look(), await place.makeDirectory()]
  const mounted = await place.mount()
  all.push(mounted, await place.look(), await place.probe())
  const read = readReport('Mount', mounted.reported)
  const [top] = 'found' in read && read.found._tag === 'Mounted' ? read.found.layers : []
  if (top !== undefined) all.push(await place.unmount(top))
  all.push(await place.removeDirectory())
  return all
}
