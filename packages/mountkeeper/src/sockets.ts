// The sockets of a server: one file for each trust domain. A reload changes them in place: what is added listens before anything
// else changes, so that a configuration that cannot be served changes nothing.

import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import type { SocketSettings } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import { createGate } from './domain.js'
import type { Failure } from './failure.js'
import { listenOn, setOwner } from './socket-file.js'

const NAME_MAX = 40
const HASH_DIGITS = 8

/** What a connection of a socket is served with, as it is at the moment. */
export interface ConnectedTo {
  /** The stream of its requests. */
  readonly stream: string
  /** Why a request is not passed on; a reload changes it for open connections too. */
  readonly gate: ReturnType<typeof createGate>
  /** Aborted when the connection has to end: nothing more is read, and what was asked is answered. */
  readonly ending: AbortSignal
}

/** What a change of the sockets has led to: paths. */
export interface SocketsChanged {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** The sockets that are listened on. */
export interface Sockets {
  /** Listens on these and on no others; on a failure all is as before. */
  readonly set: (wanted: readonly SocketSettings[]) => Promise<E.Either<Failure, SocketsChanged>>
  /** Takes no more connections. Those that are open go on. */
  readonly close: () => void
}

interface Listening {
  readonly server: Server
  settings: SocketSettings
  gate: ReturnType<typeof createGate>
  ending: AbortController
}

/** A socket that becomes another one under its path. */
interface Changing {
  readonly listening: Listening
  readonly settings: SocketSettings
}

/** Each connection of a socket listens. */
const endingOfAll = (): AbortController => {
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  return ending
}

/** The stream of a socket: the same in each life of a server, because ids are kept with it. */
const streamOf = (path: string): string => {
  const name = basename(path)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(-NAME_MAX)
  return `${name}.${createHash('sha256').update(path).digest('hex').slice(0, HASH_DIGITS)}`
}

const mayBeOpenedBy = ({ mode, owner, group }: SocketSettings): string => JSON.stringify([mode, owner, group])

const isSame = (a: SocketSettings, b: SocketSettings): boolean =>
  mayBeOpenedBy(a) === mayBeOpenedBy(b) &&
  JSON.stringify([a.consumers, a.operations]) === JSON.stringify([b.consumers, b.operations])

/** Listens on nothing yet. */
export const createSockets = (accept: (socket: Socket, to: ConnectedTo) => void): Sockets => {
  const all = new Map<string, Listening>()

  const listen = async (settings: SocketSettings): Promise<E.Either<Failure, Listening>> => {
    const stream = streamOf(settings.path)
    const server = createServer({ allowHalfOpen: true }, (socket) =>
      accept(socket, {
        stream,
        gate: (request) => listening.gate(request),
        ending: listening.ending.signal,
      }),
    )
    const listening: Listening = { server, settings, gate: createGate(settings), ending: endingOfAll() }
    return E.map(() => listening)(await listenOn(server, settings))
  }

  /** Who may open the file is decided when it is opened, so that connections of before are ended where that has changed. */
  const change = (listening: Listening, settings: SocketSettings): void => {
    if (mayBeOpenedBy(listening.settings) !== mayBeOpenedBy(settings)) {
      listening.ending.abort()
      listening.ending = endingOfAll()
    }
    listening.settings = settings
    listening.gate = createGate(settings)
  }

  return {
    set: async (wanted) => {
      const added: Listening[] = []
      const undo = (failure: Failure): E.Either<Failure, never> => {
        for (const { server } of added) server.close()
        return E.left(failure)
      }
      for (const settings of wanted.filter(({ path }) => !all.has(path))) {
        const listening = await listen(settings)
        if (E.isLeft(listening)) return undo(listening.left)
        added.push(listening.right)
      }
      const changing = wanted.flatMap((settings): readonly Changing[] => {
        const listening = all.get(settings.path)
        return listening === undefined || isSame(listening.settings, settings) ? [] : [{ listening, settings }]
      })
      for (const [index, { listening, settings }] of changing.entries()) {
        if (mayBeOpenedBy(listening.settings) === mayBeOpenedBy(settings)) continue
        const owned = setOwner(settings)
        if (E.isRight(owned)) continue
        for (const before of changing.slice(0, index + 1)) setOwner(before.listening.settings)
        return undo(owned.left)
      }
      for (const { listening, settings } of changing) change(listening, settings)
      const paths = new Set(wanted.map(({ path }) => path))
      const removed = [...all.values()].filter(({ settings }) => !paths.has(settings.path))
      for (const { settings, server, ending } of removed) {
        all.delete(settings.path)
        server.close()
        ending.abort()
      }
      for (const listening of added) all.set(listening.settings.path, listening)
      const pathsOf = (of: readonly Listening[]): readonly string[] => of.map(({ settings }) => settings.path)
      const changed = changing.map(({ settings }) => settings.path)
      return E.right({ added: pathsOf(added), changed, removed: pathsOf(removed) })
    },
    close: () => {
      for (const { server } of all.values()) server.close()
    },
  }
}
