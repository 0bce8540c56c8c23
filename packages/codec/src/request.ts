// Requests as JSON. The shape is checked here, every unknown key refused; what a path, a name or a source may be is checked
// by core, which answers `Invalid` with the same field names.

import { maskedFilesystem } from '@mountkeeper/border'
import type { HostUpRequest, Request } from '@mountkeeper/core'
import { STATUS_MAX } from '@mountkeeper/core'
import type * as E from 'fp-ts/lib/Either.js'
import type { Codec } from './decode-error.js'
import { filesystemCodec } from './filesystem.js'
import type { LineError } from './line.js'
import { REQUEST_LINE_BYTES_MAX, decodeBoundedLine, encodeLine } from './line.js'
import type { Fields, Members } from './shape.js'
import { between, either, list, literal, mapped, named, optional, plain, record, tagged, text, truth } from './shape.js'

/** The longest time that a request may give itself, in ms: one day. */
export const DEADLINE_MS_MAX = 86_400_000

/** Asks what requests would lead to, without doing it. Answered by the command, never by core. */
export interface PlanRequest {
  readonly op: 'plan'
  readonly id?: string
  readonly requests: readonly Request[]
}

/** All that a line may ask for. */
export type RequestOrPlan = Request | PlanRequest

type Asked = Omit<HostUpRequest, 'op'>

const asked: Fields<Asked> = {
  id: optional(text),
  deadlineMs: optional(between(1, DEADLINE_MS_MAX, ' of ms')),
}

type ByMountpoint<Op> = Asked & { readonly op: Op; readonly mountpoint: string }
type ByServer<Op> = Asked & { readonly op: Op; readonly server: string; readonly mountpoint?: never }

const nothingBeside = plain('nothing beside server', (_value): _value is never => false)

const maintaining = <Op extends 'refuse-new' | 'allow-new'>(op: Op): Codec<ByMountpoint<Op> | ByServer<Op>> => {
  const head = { op: literal(op), ...asked }
  const byMountpoint: Codec<ByMountpoint<Op>> = record<ByMountpoint<Op>>('a request', {
    ...head,
    mountpoint: named(text, 'a string (or server in its place)'),
  })
  const byServer: Codec<ByServer<Op>> = record<ByServer<Op>>('a request', {
    ...head,
    server: text,
    mountpoint: optional(nothingBeside),
  })
  return either('a request', byMountpoint, byServer, (value) =>
    typeof value === 'object' && value !== null && 'server' in value ? 'second' : 'first',
  )
}

/** What is shown and recorded of a request is what was decoded, so that a password in it is masked here. */
const askedFilesystem = mapped(filesystemCodec, maskedFilesystem)

const members: Members<Request, 'op'> = {
  attach: { ...asked, mountpoint: text, filesystem: askedFilesystem, volume: text, consumer: text },
  detach: { ...asked, mountpoint: text, volume: text, consumer: text },
  release: { ...asked, consumer: text },
  cancel: { ...asked, target: text },
  'host-up': asked,
  'host-down': { ...asked, reason: optional(text) },
  status: { ...asked, mountpoint: optional(text), limit: optional(between(1, STATUS_MAX)), after: optional(text) },
  reconcile: { ...asked, apply: truth },
  retry: { ...asked, mountpoint: text },
  forget: { ...asked, mountpoint: text, force: truth },
  'refuse-new': maintaining('refuse-new'),
  'allow-new': maintaining('allow-new'),
}

const REQUEST = 'a request: an object with op'

/** A request. */
export const requestCodec: Codec<Request> = tagged('op', REQUEST, members)

/** A request, or a plan of some. */
export const requestOrPlanCodec: Codec<RequestOrPlan> = tagged('op', REQUEST, {
  ...members,
  plan: { id: optional(text), requests: list(requestCodec) },
})

/** Reads one line of requests. Blank lines are for the caller to skip. */
export const decodeRequestLine = (line: string): E.Either<LineError, RequestOrPlan> =>
  decodeBoundedLine(requestOrPlanCodec, line, REQUEST_LINE_BYTES_MAX)

/** A request as a line, without its end. */
export const encodeRequest = (request: RequestOrPlan): string => encodeLine(requestOrPlanCodec, request)
