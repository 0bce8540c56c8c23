// The first line that a client may send: its name. Ids of requests belong to a client, and a client that connects again under its name
// goes on with its ids: a request that is repeated under its id has the answer of the first one.

import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'

/** The version of the protocol. It grows when a client of before would not understand an answer. */
export const PROTOCOL_FORMAT = 1

/** The longest name of a client, and the longest id of a request on a socket, in characters. */
export const CLIENT_NAME_MAX = 64
/** The longest id of a request on a socket, in characters. */
export const SOCKET_ID_MAX = 100

const NAME = /^[A-Za-z0-9._-]{1,64}$/

/** What a line says, if it is a greeting: the name of the client, or why it is none. Absent for any other line. */
export const readHello = (line: string): Either<string, string> | undefined => {
  if (!line.includes('"hello"')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('op' in value) || value.op !== 'hello') return undefined
    const { client, format } = value as { readonly client?: unknown; readonly format?: unknown }
    if (format !== PROTOCOL_FORMAT) return left(`format: expected ${PROTOCOL_FORMAT}`)
    if (typeof client !== 'string' || !NAME.test(client))
      return left(`client: expected 1 to ${CLIENT_NAME_MAX} letters, digits, ".", "_" or "-"`)
    return right(client)
  } catch {
    return undefined
  }
}

/** The greeting of a client, as a line. */
export const helloLine = (client: string): string => JSON.stringify({ op: 'hello', format: PROTOCOL_FORMAT, client })

/** The answer to it, as a line. */
export const welcomeLine = (): string =>
  JSON.stringify({ op: 'hello', ok: true, result: { _tag: 'Hello', format: PROTOCOL_FORMAT } })
