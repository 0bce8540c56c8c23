// One request after the other: each is served to its answer before the next one is asked, with the faults that a test names.

import type { Answer, AttachRequest, DetachRequest, Filesystem, MountpointStatus, Request } from '@mountkeeper/core'
import { act, ask, begin, letOut, NO_FAULT, pass } from '../../src/index.js'
import type { Fault, Played, SimulatedSettings, Simulation, Watch } from '../../src/index.js'

export const A = '/srv/mounts/a'
export const TMPFS: Filesystem = { type: 'tmpfs', source: 'f', options: [] }
export const NFS: Filesystem = { type: 'nfs', source: 'n1:/f', options: [] }
export const BIND: Filesystem = { type: 'bind', source: '/srv/exports/f', options: [] }

export const attach = (
  filesystem: Filesystem = TMPFS,
  volume = 'v',
  consumer = 'c',
  mountpoint = A,
): AttachRequest => ({
  op: 'attach',
  mountpoint,
  filesystem,
  volume,
  consumer,
})

export const detach = (volume = 'v', consumer = 'c', mountpoint = A): DetachRequest => ({
  op: 'detach',
  mountpoint,
  volume,
  consumer,
})

export interface Stage extends Played {
  /** All answers of this life, in order. */
  readonly answers: Answer[]
  /** What was started, such as `Mount /srv/mounts/a`. */
  readonly started: string[]
}

export const stage = (settings: SimulatedSettings = {}, propagation: 'private' | 'shared' = 'shared'): Stage => {
  const answers: Answer[] = []
  const started: string[] = []
  const also: Watch = (happening) => {
    if (happening._tag === 'Told') answers.push(happening.answer)
    if (happening._tag !== 'Started' || happening.effect._tag === 'Discover') return
    started.push(`${happening.effect._tag} ${happening.effect.mountpoint ?? ''}`.trimEnd())
  }
  const played = begin({ settings, propagation, journal: 'at once' }, also)
  return { ...played, answers, started }
}

/** Faults by kind of effect; each is for the next effect of its kind. */
export type Faults = Partial<
  Record<'Look' | 'MakeDirectory' | 'Mount' | 'Unmount' | 'RemoveDirectory' | 'Probe', readonly Fault[]>
>

/** Ends what runs, oldest first, with the faults in their turn. */
export const endAll = (simulation: Simulation, faults: Faults = {}): void => {
  const used = new Map<string, number>()
  for (let flight = simulation.flights[0]; flight !== undefined; flight = simulation.flights[0]) {
    const { _tag } = flight.effect
    const index = used.get(_tag) ?? 0
    used.set(_tag, index + 1)
    const fault = _tag === 'Discover' ? undefined : faults[_tag]?.[index]
    act(simulation, { _tag: 'End', which: 0, fault: fault ?? NO_FAULT })
    if (fault?._tag === 'Hangs' && fault.endsAfterMs === undefined) return
  }
}

const STEPS_MAX = 500

/** Serves a request to its answer. Time passes as far as it has to. */
export const serve = (on: Stage, body: Request, faults: Faults = {}): Answer => {
  const { simulation, answers } = on
  const request = ask(simulation, body)
  const used = new Map<string, number>()
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    letOut(simulation, simulation.parcels.length)
    const answer = answers.findLast((each) => each.request === request)
    if (answer !== undefined) return answer
    const flight = simulation.flights.find(({ overdue }) => !overdue)
    if (flight === undefined) {
      pass(simulation, undefined)
      continue
    }
    const { _tag } = flight.effect
    const index = used.get(_tag) ?? 0
    used.set(_tag, index + 1)
    const fault = _tag === 'Discover' ? undefined : faults[_tag]?.[index]
    act(simulation, { _tag: 'End', which: simulation.flights.indexOf(flight), fault: fault ?? NO_FAULT })
  }
  throw new Error(`${body.op} is not answered`)
}

/** What `status` shows of a mountpoint. */
export const statusOf = (on: Stage, path = A): MountpointStatus | undefined => {
  const answer = serve(on, { op: 'status' })
  if (!answer.ok || answer.result._tag !== 'Status') throw new Error('status is refused')
  return answer.result.mountpoints.find(({ mountpoint }) => mountpoint === path)
}

/** The tag of the answer: of the result, or of the refusal. */
export const tagOf = (answer: Answer): string => (answer.ok ? answer.result._tag : answer.error._tag)
