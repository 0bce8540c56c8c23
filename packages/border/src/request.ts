// Requests of any shape: the one gate of the manager. A value becomes a plain request of its own, or is refused `Invalid` with
// the name of the field; nothing of the caller's object is kept. What names, paths and sources may be is checked by check.ts.

import type { Invalid, Request } from '@mountkeeper/core'
import { STATUS_MAX, utf8Length } from '@mountkeeper/core'
import { filesystemReader } from './filesystem.js'
import type { Fields, Reader } from './reader.js'
import { between, isWrong, oneOf, optional, plain, readWith, record, text, truth } from './reader.js'

/** The most that all texts of a request together may take, in bytes of UTF-8 (R11.1). */
export const REQUEST_BYTES_MAX = 65_536

/** The longest time that a request may give itself, in ms: one day. */
const DEADLINE_MS_MAX = 86_400_000

/** An operation by its name. */
export type RequestOp = Request['op']

/** A request that is well formed. */
export interface WellFormed {
  readonly ok: true
  readonly request: Request
}

/** One that is not, with as much of it as an answer needs. */
export interface Malformed {
  readonly ok: false
  readonly error: Invalid
  readonly id?: string
  /** Absent where no operation of that name exists. */
  readonly op?: RequestOp
}

type Of<Op extends RequestOp> = Extract<Request, { readonly op: Op }>
type FieldsOf<Op extends RequestOp> = Fields<Of<Op>, 'op'>

const asked: FieldsOf<'host-up'> = { id: optional(text), deadlineMs: optional(between(1, DEADLINE_MS_MAX, ' of ms')) }

interface Maintaining {
  readonly id?: string
  readonly deadlineMs?: number
  readonly mountpoint?: string
  readonly server?: string
}

const maintaining: Fields<Maintaining> = { ...asked, mountpoint: optional(text), server: optional(text) }

const fields: { readonly [Op in Exclude<RequestOp, 'refuse-new' | 'allow-new'>]: FieldsOf<Op> } = {
  attach: { ...asked, mountpoint: text, filesystem: filesystemReader, volume: text, consumer: text },
  detach: { ...asked, mountpoint: text, volume: text, consumer: text },
  release: { ...asked, consumer: text },
  cancel: { ...asked, target: text },
  'host-up': asked,
  'host-down': { ...asked, reason: optional(text) },
  status: { ...asked, mountpoint: optional(text), limit: optional(between(1, STATUS_MAX)), after: optional(text) },
  reconcile: { ...asked, apply: truth },
  retry: { ...asked, mountpoint: text },
  forget: { ...asked, mountpoint: text, force: truth },
}

const ops: Reader<RequestOp> = oneOf({
  attach: true,
  detach: true,
  release: true,
  cancel: true,
  'host-up': true,
  'host-down': true,
  status: true,
  reconcile: true,
  retry: true,
  forget: true,
  'refuse-new': true,
  'allow-new': true,
})

const REQUEST = 'a request: an object with op'
const OP: ReadonlySet<string> = new Set(['op'])

const all: Readonly<Record<RequestOp, object>> = { ...fields, 'refuse-new': maintaining, 'allow-new': maintaining }

/** Every field that some operation has. A typed operation ignores those of others: TypeScript lets a wider value pass. */
const ANY_FIELD: ReadonlySet<string> = new Set(['op', ...Object.values(all).flatMap((each) => Object.keys(each))])

const readersWith = (ignored: ReadonlySet<string>): ReadonlyMap<string, Reader<object>> =>
  new Map(Object.entries(all).map(([op, own]) => [op, record<object>(REQUEST, own as never, ignored)]))

const STRICT = readersWith(OP)
const WIDE = readersWith(ANY_FIELD)

const op: Reader<{ readonly op: RequestOp }> = {
  kind: REQUEST,
  read: (value) => {
    const object = OBJECT.read(value)
    if (isWrong(object)) return object
    const read = ops.read((object.value as { readonly op?: unknown }).op)
    return isWrong(read) ? { wrong: { ...read.wrong, at: '.op' } } : { value: { op: read.value } }
  },
}

const OBJECT: Reader<object> = plain(
  REQUEST,
  (value): value is object => typeof value === 'object' && value !== null && !Array.isArray(value),
)

const ID_SHOWN_MAX = 255

const id: Reader<string> = {
  kind: 'an id',
  read: (value) => text.read(typeof value === 'object' && value !== null ? (value as { readonly id?: unknown }).id : 0),
}

/** The id that a caller gave, where at least that can be read. */
const idIn = (value: unknown): { readonly id?: string } => {
  const read = readWith(id, value)
  return isWrong(read) || read.value.length > ID_SHOWN_MAX ? {} : { id: read.value }
}

/** Every text of a value that is made of plain objects, lists and texts. */
const bytesOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length > REQUEST_BYTES_MAX ? value.length : utf8Length(value)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, each) => sum + bytesOf(each), 0)
}

const fieldAt = (at: string): string => (at === '' ? 'request' : at.replace(/^\./, ''))

const malformed = (value: unknown, named: RequestOp | undefined, at: string, why: string): Malformed => ({
  ok: false,
  error: { _tag: 'Invalid', field: fieldAt(at), why },
  ...idIn(value),
  ...(named === undefined ? {} : { op: named }),
})

/** What is asked to be refused or allowed: one of the two, and only one. */
const targetProblem = (named: RequestOp, body: Maintaining): readonly [at: string, why: string] | undefined => {
  if (named !== 'refuse-new' && named !== 'allow-new') return undefined
  const { mountpoint, server } = body
  if (mountpoint !== undefined && server !== undefined) {
    return ['.mountpoint', 'expected nothing beside server, got both']
  }
  if (mountpoint !== undefined || server !== undefined) return undefined
  return ['.mountpoint', 'missing; expected a string (or server in its place)']
}

/**
 * Reads a request from any value: a plain copy, or why there is none. `as`: the operation that the caller has named otherwise,
 * as a method does; `op` and the fields of other operations are ignored then. Never throws.
 */
export const readRequest = (value: unknown, as?: RequestOp): WellFormed | Malformed => {
  const named = as === undefined ? readWith(op, value) : { value: { op: as } }
  if (isWrong(named)) return malformed(value, undefined, named.wrong.at, named.wrong.why)
  const reader = (as === undefined ? STRICT : WIDE).get(named.value.op)
  const body = reader === undefined ? undefined : readWith(reader, value)
  if (body === undefined || isWrong(body)) {
    return malformed(value, named.value.op, body?.wrong.at ?? '.op', body?.wrong.why ?? 'is not known')
  }
  const target = targetProblem(named.value.op, body.value)
  if (target !== undefined) return malformed(value, named.value.op, ...target)
  const bytes = bytesOf(body.value)
  if (bytes > REQUEST_BYTES_MAX) {
    return malformed(value, named.value.op, '', `takes more than ${REQUEST_BYTES_MAX} bytes`)
  }
  // The table above has one reader for each operation, and the compiler holds each to that operation's fields.
  return { ok: true, request: { op: named.value.op, ...body.value } as Request }
}
