// Sharing: the states of one depth differ in few of their parts, and the steps make each part again. Equal parts are kept once,
// which is the most of what the states that wait to be expanded would take.

import type { Frozen } from './frozen.js'
import type { Model } from './model.js'

/** The parts kept so far, by what they hold: data without cycles, distinguished by nothing but their fields. */
export type Parts = Map<string, unknown>

const shared = <Part>(parts: Parts, part: Part): Part => {
  const key = JSON.stringify(part)
  const known = parts.get(key)
  if (known !== undefined) return known as Part
  parts.set(key, part)
  return part
}

const NONE: readonly never[] = []

const list = <Each>(parts: Parts, all: readonly Each[]): readonly Each[] =>
  all.length === 0 ? NONE : shared(parts, all)

/** The same host, of parts that others have as well. */
export const shareFrozen = (parts: Parts, frozen: Frozen): Frozen => ({
  ...frozen,
  hostUps: list(parts, frozen.hostUps),
  reconciles: list(parts, frozen.reconciles),
  surveyed: list(parts, frozen.surveyed),
  roots: list(parts, frozen.roots),
  entries: list(parts, frozen.entries),
  requests: list(parts, frozen.requests),
  queues: frozen.queues && shared(parts, frozen.queues),
})

/** The same model, of parts that others have as well. */
export const shareModel = (parts: Parts, model: Model): Model => ({
  ...model,
  places: list(parts, model.places),
  flying: list(parts, model.flying),
  orphans: list(parts, model.orphans),
  late: list(parts, model.late),
  pending: list(parts, model.pending),
})
