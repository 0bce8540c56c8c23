// Faults, injections and acts as embedders give them: a name that does not exist, or a part that is missing, is refused with a
// sentence at once. Used as they are, they would never happen, and a test would pass that has tested nothing.

import type { Effect } from '@mountkeeper/core'
import type { Fault, Injection } from './fault.js'
import type { ThirdPartyAct } from './third-party.js'

/** For each name the fields that it cannot do without; a name that is gained is a compile error here. */
type FieldsByTag<Union extends { readonly _tag: string }> = {
  readonly [Tag in Union['_tag']]: readonly Exclude<keyof Extract<Union, { readonly _tag: Tag }>, '_tag'>[]
}

const FAULTS: FieldsByTag<Fault> = {
  None: [],
  Fails: ['worked'],
  DoesNothing: [],
  Late: ['afterMs'],
  Hangs: ['worked'],
  CannotTell: ['worked'],
  WrongFilesystem: [],
  Respelled: [],
  MissingFlag: [],
  Twice: [],
  Unchecked: [],
  Dead: [],
}

const ACTS: FieldsByTag<ThirdPartyAct> = {
  Mounts: ['path', 'fstype', 'source', 'flags'],
  Binds: ['path', 'source'],
  Unmounts: ['path', 'how'],
  MakesDirectory: ['path'],
  RemovesDirectory: ['path'],
  Writes: ['path'],
  Deletes: ['path'],
  Links: ['path', 'target'],
  Renames: ['from', 'to'],
  Moves: ['from', 'to'],
  Remounts: ['path', 'flags'],
  TurnsReadOnly: ['path', 'readOnly'],
  Enters: ['path', 'uses'],
  Leaves: [],
  Behaves: ['server', 'as'],
  Obstructs: ['path', 'by'],
  Helper: ['type', 'is'],
  Unshares: ['propagation'],
}

const EFFECTS: Readonly<Record<Exclude<Effect['_tag'], 'Wait'>, true>> = {
  Look: true,
  MakeDirectory: true,
  Mount: true,
  Unmount: true,
  RemoveDirectory: true,
  Probe: true,
  Discover: true,
}

const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : typeof value)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const checkTagged = (what: string, value: unknown, known: Readonly<Record<string, readonly string[]>>): void => {
  if (!isObject(value)) throw new TypeError(`${what}: expected an object with _tag, got ${shown(value)}`)
  const tag = value['_tag']
  const fields = typeof tag === 'string' && Object.hasOwn(known, tag) ? known[tag] : undefined
  if (fields === undefined) {
    throw new TypeError(`${what}: there is no ${shown(tag)}; its _tag is one of ${Object.keys(known).join(', ')}`)
  }
  const missing = fields.find((field) => value[field] === undefined)
  if (missing !== undefined) throw new TypeError(`${what}: ${String(tag)} lacks ${missing}`)
}

const INJECTION: readonly string[] = ['effect', 'mountpoint', 'fault', 'times'] satisfies readonly (keyof Injection)[]

/** Throws a sentence unless it is an injection. */
export const checkInjection = (value: Injection): void => {
  const given: unknown = value
  if (!isObject(given)) throw new TypeError(`inject: expected { effect, fault }, got ${shown(given)}`)
  const { effect, times, mountpoint } = given
  if (typeof effect !== 'string' || !Object.hasOwn(EFFECTS, effect)) {
    throw new TypeError(`inject: there is no effect ${shown(effect)}; it is one of ${Object.keys(EFFECTS).join(', ')}`)
  }
  const stray = Object.keys(given).find((key) => !INJECTION.includes(key))
  if (stray !== undefined)
    throw new TypeError(`inject: ${shown(stray)} means nothing; it takes ${INJECTION.join(', ')}`)
  if (times !== undefined && !(Number.isInteger(times) && Number(times) > 0)) {
    throw new TypeError('inject: times is not a whole number above 0')
  }
  if (mountpoint !== undefined && typeof mountpoint !== 'string') throw new TypeError('inject: mountpoint is no path')
  checkTagged('inject: fault', given['fault'], FAULTS)
}

/** Throws a sentence unless it is an act. */
export const checkAct = (act: ThirdPartyAct): void => checkTagged('interfere', act, ACTS)
