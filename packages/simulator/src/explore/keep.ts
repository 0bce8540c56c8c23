// Keeping the model: what a request, an answer, the end of a command or a crash changes of what is known outside.

import type { Answer, RequestId } from '@mountkeeper/core'
import type { Action } from './action.js'
import type { Flying, Model, Pending, Place } from './model.js'
import { UNKNOWN } from './model.js'

const everywhere = (model: Model, change: (place: Place, index: number) => Place): Model => ({
  ...model,
  places: model.places.map(change),
})

/** Who asks to leave is certain of nothing any more, and an attach that waits is to be undone. */
const leave = (model: Model, at: number, mask: number): Model => {
  const isThere = (place: number): boolean => at < 0 || place === at
  return {
    ...everywhere(model, (place, index) =>
      isThere(index) && (place.certain & mask) !== 0 ? { ...place, certain: place.certain & ~mask } : place,
    ),
    pending: model.pending.map((each) => {
      if (!isThere(each.place) || (each.attachments & mask) === 0) return each
      return each.op === 'attach' ? { ...each, left: true } : { ...each, had: each.had & ~mask }
    }),
  }
}

/** A request is on its way. */
export const noteRequest = (
  model: Model,
  { body, place, attachments, source }: Action & { _tag: 'Ask' },
  request: RequestId,
): Model => {
  const { op } = body
  switch (op) {
    case 'attach':
    case 'detach':
    case 'release':
    case 'host-up':
    case 'reconcile': {
      const had = op === 'detach' ? (model.places[place]?.certain ?? 0) & attachments : 0
      const left = op === 'detach' || op === 'release' ? leave(model, place, attachments) : model
      const pending: Pending = { request, op, place, attachments, source, left: false, looked: false, had }
      return { ...left, wish: op === 'host-up' ? 'up' : left.wish, pending: [...left.pending, pending] }
    }
    case 'host-down':
      return { ...model, wish: 'down' }
    default:
      return model
  }
}

/** A layer of ours was recorded: no holder relies on it yet. */
export const noteMounted = (model: Model, mountpoint: string): Model =>
  everywhere(model, (place) => (place.path === mountpoint && place.relied ? { ...place, relied: false } : place))

/** A request was answered. */
export const noteAnswer = (model: Model, pending: Pending, answer: Answer): Model => {
  const gains = (mask: number, source: string | undefined): Model =>
    everywhere(model, (place, index) =>
      index !== pending.place
        ? place
        : {
            ...place,
            certain: place.certain | mask,
            certainSource: source ?? place.certainSource,
            relied: place.relied || source !== undefined,
          },
    )
  if (pending.op === 'attach') return answer.ok && !pending.left ? gains(pending.attachments, pending.source) : model
  const nothing = !answer.ok && answer.error._tag === 'Cancelled'
  return pending.op === 'detach' && nothing && pending.had !== 0 ? gains(pending.had, undefined) : model
}

/** The manager has ended. A machine that begins again has no mounts, no commands and another boot id. */
export const forgetAll = (model: Model, what: 'manager' | 'machine', orphans: readonly Flying[]): Model => {
  const machine = what === 'machine'
  return {
    ...everywhere(model, (place) => ({
      ...place,
      shown: UNKNOWN,
      layers: machine ? [] : place.layers,
      relied: true,
    })),
    flying: [],
    orphans: machine ? [] : [...model.orphans, ...orphans.map((each) => ({ ...each, overdue: false }))],
    late: machine ? [] : model.late,
    pending: [],
    wasUp: false,
    boot: machine ? (model.boot === 'boot-1' ? 'boot-2' : 'boot-1') : model.boot,
    memory: model.memory,
    wish: model.wish,
  }
}
