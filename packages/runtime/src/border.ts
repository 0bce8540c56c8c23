// The border of the manager: what embedders hand in, of any shape, read once into values of our own. TypeScript forbids most of
// it; JSON, plain JavaScript and `any` do not. Nothing here throws, and nothing of a caller's object is kept.

import { readRequest, readSettings } from '@mountkeeper/border'
import type { Invalid, Request, Settings } from '@mountkeeper/core'
import { checkName } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import type { StopOptions } from './loop.js'

/** Requests that may be planned in one call. */
export const PLANNED_MAX = 65_536

const invalid = (field: string, why: string): Either<Invalid, never> => left({ _tag: 'Invalid', field, why })

/** The requests of a plan, or the first that is wrong: `requests[2].consumer`. */
export const readPlan = (value: unknown): Either<Invalid, readonly Request[]> => {
  try {
    if (!Array.isArray(value)) return invalid('requests', 'expected a list of requests')
    const { length } = value
    if (length > PLANNED_MAX) return invalid('requests', `has more than ${PLANNED_MAX} entries`)
    const requests: Request[] = []
    for (let index = 0; index < length; index += 1) {
      const read = readRequest((value as readonly unknown[])[index])
      if (!read.ok) return invalid(fieldOf(index, read.error.field), read.error.why)
      requests.push(read.request)
    }
    return right(requests)
  } catch {
    return invalid('requests', 'cannot be read: reading it threw an error; give a plain list')
  }
}

const fieldOf = (index: number, field: string): string =>
  field === 'request' ? `requests[${index}]` : `requests[${index}].${field}`

/** The name of a stream. A wrong one is a mistake in the embedding program, whose senders have no part in it. */
export const readStream = (name: unknown): string => {
  const bad = typeof name === 'string' ? checkName('stream', name) : { why: 'expected a string' }
  if (bad !== undefined) throw new TypeError(`stream: ${bad.why}`)
  return name as string
}

/** How to stop, with whatever is not understood left out: a stop is never refused. */
export const readStop = (value: unknown): StopOptions => {
  try {
    if (typeof value !== 'object' || value === null) return {}
    const { hard, graceMs } = value as Readonly<Record<keyof StopOptions, unknown>>
    const isGrace = typeof graceMs === 'number' && Number.isFinite(graceMs) && graceMs >= 0
    return { hard: hard === true, ...(isGrace ? { graceMs } : {}) }
  } catch {
    return {}
  }
}

/** What has to be there, and the functions it has to have. */
const NEEDED: Readonly<Record<string, readonly string[]>> = { host: ['run'], journal: ['read', 'append'] }
/** The same of what may be left out. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  inventory: ['ask', 'watch'],
  timers: ['now', 'after'],
  observer: [],
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  (typeof value === 'object' || typeof value === 'function') && value !== null

const checkPort = (
  options: Readonly<Record<string, unknown>>,
  field: string,
  names: readonly string[],
): Either<Invalid, void> => {
  const port = options[field]
  const lacking = isObject(port) ? names.find((name) => typeof port[name] !== 'function') : names.join(' and ')
  return lacking === undefined ? right(undefined) : invalid(field, `expected an object with ${lacking || 'hooks'}`)
}

/** The settings of a manager that is about to be made; refused with the first option that cannot be used. */
export const readOptions = (value: unknown): Either<Invalid, Settings> => {
  try {
    if (!isObject(value)) return invalid('options', 'expected an object with settings, host and journal')
    const settings = readSettings(value['settings'])
    if ('_tag' in settings) return left(settings)
    const present = Object.entries(OPTIONAL).filter(([field]) => value[field] !== undefined)
    for (const [field, names] of [...Object.entries(NEEDED), ...present]) {
      const port = checkPort(value, field, names)
      if (port._tag === 'Left') return port
    }
    const { onDefect } = value
    return onDefect === undefined || typeof onDefect === 'function'
      ? right(settings)
      : invalid('onDefect', 'expected a function')
  } catch {
    return invalid('options', 'cannot be read: reading one of them threw an error')
  }
}
