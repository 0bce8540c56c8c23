// A keeper behind unix sockets, for many processes and for other languages: one file for each trust domain. The keeper can be
// exchanged while clients are connected: what they ask meanwhile waits for the next one.

import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { SocketSettings } from '@mountkeeper/codec'
import type { Answer } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Service } from './connection.js'
import { serveConnection } from './connection.js'
import { MountkeeperError } from './error.js'
import type { Failure } from './failure.js'
import type { OpenKeeper } from './open.js'
import { answerQuestion } from './questions.js'
import type { ConnectedTo, SocketsChanged } from './sockets.js'
import { createSockets } from './sockets.js'

/** Connections of one socket at the same time; further ones are refused at once. */
export const CONNECTIONS_MAX = 1_024
/** How long the end waits for clients to read their last answers, ms. */
const LAST_ANSWERS_MS = 2_000

/** The sockets of a keeper. */
export interface SocketServer {
  /**
   * Puts another keeper in the place of this one: `make` is called when this one is closed. What was refused `Stopped` by the one before,
   * and what comes meanwhile, is asked of the next one.
   */
  readonly exchange: (make: () => Promise<OpenKeeper>) => Promise<OpenKeeper>
  /**
   * Listens on these sockets and on no others; on a failure all is as before. Connections of a socket that is removed, and of one
   * whose owner or mode changes, are ended when what they asked is answered; what may be asked changes for open connections too.
   */
  readonly listen: (sockets: readonly SocketSettings[]) => Promise<E.Either<Failure, SocketsChanged>>
  /** Takes no more connections, closes the keeper, and ends the connections when their answers are read. */
  readonly close: (how?: { readonly hard?: boolean }) => Promise<void>
}

type Shared = { readonly asked: string; readonly answer: Promise<Answer> }

/** A request that is repeated under its id while it is served has the same answer. */
const sharing = (submit: Service['submit']): Service['submit'] => {
  const served = new Map<string, Shared>()
  return (request, socketName) => {
    const { id } = request
    if (id === undefined) return submit(request, socketName)
    const asked = JSON.stringify(request)
    const key = `${socketName}:${id}`
    const known = served.get(key)
    if (known?.asked === asked) return known.answer
    const answer = submit(request, socketName)
    if (known !== undefined) return answer
    served.set(key, { asked, answer })
    return answer.finally(() => served.delete(key))
  }
}

interface Exchangeable {
  readonly service: Service
  readonly exchange: SocketServer['exchange']
  readonly keeper: () => Promise<OpenKeeper>
}

const exchangeable = (first: OpenKeeper): Exchangeable => {
  let current: Promise<OpenKeeper> = Promise.resolve(first)
  const submit: Service['submit'] = async (request, socketName) => {
    for (;;) {
      const asked = current
      const keeper = await asked
      const answer = await keeper.manager.stream(socketName).submit(request)
      if (answer.ok || answer.error._tag !== 'Stopped' || asked === current) return answer
    }
  }
  return {
    service: {
      submit: sharing(submit),
      plan: async (requests) => (await current).manager.plan(requests)(),
      question: async (question) => answerQuestion((await current).manager, question),
    },
    exchange: async (make) => {
      const before = current
      const next = (async () => {
        await (await before).close()
        return make()
      })()
      current = next
      return next
    },
    keeper: () => current,
  }
}

const refuse = (socket: Socket): void => {
  const error = { _tag: 'Overloaded', limit: 'connections', value: CONNECTIONS_MAX }
  socket.on('error', () => undefined)
  socket.end(`${JSON.stringify({ ok: false, error })}\n`, () => socket.destroy())
}

/**
 * Serves a keeper on sockets, which closes it in the end.
 *
 * @throws MountkeeperError `NotOpened`: a socket could not be made; the keeper stays open.
 */
export const serveKeeper = async (keeper: OpenKeeper, sockets: readonly SocketSettings[]): Promise<SocketServer> => {
  const { service, exchange, keeper: current } = exchangeable(keeper)
  const connections = new Map<Socket, Promise<void>>()
  /** The name of a connection without one means nothing to the next server. */
  const life = randomUUID()
  let last = 0

  const accept = (socket: Socket, { stream, gate, ending }: ConnectedTo): void => {
    if (connections.size >= CONNECTIONS_MAX) {
      refuse(socket)
      return
    }
    last += 1
    const anonymous = `${life}.${last}`
    const served = serveConnection(socket, { service, gate, socketName: stream, anonymous, ending })
    connections.set(socket, served)
    socket.on('close', () => connections.delete(socket))
  }

  const all = createSockets(accept)
  const listens = await all.set(sockets)
  if (E.isLeft(listens)) {
    throw new MountkeeperError({ _tag: 'NotOpened', why: listens.left.text, by: 'stop' }, { subject: 'serve' })
  }

  return {
    exchange,
    listen: all.set,
    close: async (how) => {
      all.close()
      const open = await current().catch(() => undefined)
      await open?.close(how)
      // All is answered; what is written is read, or not.
      for (const socket of connections.keys()) socket.destroySoon()
      const closed = Promise.all(
        [...connections.keys()].map((socket) => new Promise((end) => socket.once('close', end))),
      )
      const late = new Promise<void>((resolve) => setTimeout(resolve, LAST_ANSWERS_MS).unref())
      await Promise.race([closed, late])
      for (const socket of connections.keys()) socket.destroy()
    },
  }
}
