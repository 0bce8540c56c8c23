// `sockets`: where `mountkeeper serve` listens, one entry for each trust domain: who may open the file is decided by its owner and
// mode, and what they may ask by the lists here.

import type { Request } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { pathCodec } from './form.js'
import type { QuestionRequest } from './question.js'
import { between, list, oneOf, optional, record, refined, text } from './shape.js'

/** What may be asked on a socket. */
export type SocketOperation = Request['op'] | 'plan' | QuestionRequest['op']

/** One socket, as it is configured. */
export interface SocketSettings {
  readonly path: string
  /** Permission bits of the file. */
  readonly mode: number
  /** The user and the group of the file, by their numbers; absent: those of the manager. */
  readonly owner?: number
  readonly group?: number
  /** Patterns of the consumers that may be named; `*` is any run of characters. */
  readonly consumers: readonly string[]
  readonly operations: readonly SocketOperation[]
}

/** One socket in the file. */
export interface SocketEntry {
  readonly path: string
  readonly mode?: string
  readonly owner?: number
  readonly group?: number
  readonly consumers?: readonly string[]
  readonly operations?: readonly SocketOperation[]
}

/** Permission bits as text, as chmod(1) takes them. */
export const modeCodec: Codec<string> = refined(text, 'permission bits such as "0660"', (mode) =>
  /^0[0-7]{3}$/.test(mode),
)

/** A pattern of names of consumers. */
export const consumerPatternCodec: Codec<string> = refined(
  text,
  'a pattern of consumers: 1 to 255 characters without control characters',
  (pattern) => /^\P{Cc}{1,255}$/u.test(pattern),
)

const operation: Codec<SocketOperation> = oneOf({
  attach: true,
  detach: true,
  release: true,
  cancel: true,
  status: true,
  plan: true,
  'host-up': true,
  'host-down': true,
  reconcile: true,
  retry: true,
  forget: true,
  'refuse-new': true,
  'allow-new': true,
  inspect: true,
  why: true,
})

const ID_MAX = 4_294_967_294

/** One socket in the file. */
export const socketCodec: Codec<SocketEntry> = record<SocketEntry>('an object with path', {
  path: pathCodec,
  mode: optional(modeCodec),
  owner: optional(between(0, ID_MAX)),
  group: optional(between(0, ID_MAX)),
  consumers: optional(list(consumerPatternCodec, 'a list of patterns of consumers')),
  operations: optional(list(operation, 'a list of operations')),
})

/** Only its owner may open it. */
export const DEFAULT_SOCKET_MODE = '0600'
/** What concerns single attachments; what concerns all of the host has to be listed. */
export const DEFAULT_SOCKET_OPERATIONS: readonly SocketOperation[] = [
  'attach',
  'detach',
  'release',
  'cancel',
  'status',
  'plan',
]

/** A socket with its defaults. */
export const socketOf = ({ mode = DEFAULT_SOCKET_MODE, consumers = ['*'], ...entry }: SocketEntry): SocketSettings => ({
  operations: DEFAULT_SOCKET_OPERATIONS,
  ...entry,
  mode: Number.parseInt(mode, 8),
  consumers,
})
