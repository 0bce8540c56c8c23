// One connection of a client. Requests are served as they come, a bounded number at once; answers leave as they end, and a client
// that does not read them is disconnected. A lost connection withdraws nothing.

import type { Socket } from 'node:net'
import type { LineError, QuestionRequest, RequestOrPlan } from '@mountkeeper/codec'
import {
  REQUEST_LINE_BYTES_MAX,
  decodeQuestionLine,
  decodeRequestLine,
  encodeAnswer,
  encodeUnreadable,
  isBlankLine,
  shownJson,
} from '@mountkeeper/codec'
import type { Answer, Invalid, Refusal, Request } from '@mountkeeper/core'
import { requestId } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import * as E from 'fp-ts/lib/Either.js'
import { SOCKET_ID_MAX, readHello, welcomeLine } from './hello.js'
import type { PlanError } from './keeper.js'
import { linesOf } from './lines.js'
import { encodePlanned } from './planning.js'
import type { QuestionAnswer } from './questions.js'

/** Requests of one connection that are served at the same time; it is read further when one of them has its answer. */
export const TOGETHER_MAX = 64
/** Lines of one connection that cannot be read, after which it is ended. */
export const UNREADABLE_MAX = 100
/** How long a client may leave its answers unread, ms. */
export const READER_PATIENCE_MS = 30_000

/** What serves a connection. */
export interface Service {
  /** In the name of a socket: sockets share the slots of the host fairly, and each has ids of its own. */
  readonly submit: (request: Request, socketName: string) => Promise<Answer>
  readonly plan: (requests: readonly Request[]) => Promise<E.Either<PlanError, readonly PlannedRequest[]>>
  readonly question: (question: QuestionRequest) => Promise<QuestionAnswer>
}

/** What a connection is served with. */
export interface ConnectionOptions {
  readonly service: Service
  readonly gate: (request: RequestOrPlan | QuestionRequest) => Invalid | undefined
  /** Of this connection, as long as it has not given a name. */
  readonly anonymous: string
  /** The name of the stream of requests of this socket. */
  readonly socketName: string
  /** Ends the connection when it is aborted: nothing more is read, and what was asked is answered. */
  readonly ending?: AbortSignal
  readonly readerPatienceMs?: number
}

const NEVER_SUBMITTED = requestId(0)

const refusal = ({ op, id }: Pick<Request, 'op' | 'id'>, error: Refusal): Answer => ({
  request: NEVER_SUBMITTED,
  ...(id === undefined ? {} : { id }),
  op,
  ok: false,
  error,
})

const badId = (id: string | undefined): Invalid | undefined =>
  id !== undefined && id.length > SOCKET_ID_MAX
    ? { _tag: 'Invalid', field: 'id', why: `is longer than ${SOCKET_ID_MAX} characters` }
    : undefined

/** An answer with the id that its caller gave. */
const asAsked = (answer: Answer, id: string | undefined): Answer => {
  const { id: _inner, ...rest } = answer
  return id === undefined ? rest : { ...rest, id }
}

/** An answer to these may be large: the next one is made when the client has read the one before it. */
const isBulky = ({ op }: RequestOrPlan | QuestionRequest): boolean =>
  op === 'status' || op === 'plan' || op === 'reconcile'

const readRequest = (line: string): E.Either<LineError, RequestOrPlan | QuestionRequest> =>
  decodeQuestionLine(line) ?? decodeRequestLine(line)

/** Serves a connection to its end; resolves when it is closed. Never rejects. */
export const serveConnection = async (socket: Socket, options: ConnectionOptions): Promise<void> => {
  const { service, gate, socketName, ending, readerPatienceMs = READER_PATIENCE_MS } = options
  let client = options.anonymous
  let running = 0
  let unreadable = 0
  let waiting: (() => void)[] = []
  let bulky: Promise<void> = Promise.resolve()
  let impatient: NodeJS.Timeout | undefined

  const changed = (): void => {
    const all = waiting
    waiting = []
    for (const wake of all) wake()
  }
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve)
    })
  const isGone = (): boolean => socket.destroyed || socket.writableEnded

  const write = (line: string): void => {
    if (isGone()) return
    if (!socket.write(`${line}\n`)) impatient ??= setTimeout(() => socket.destroy(), readerPatienceMs).unref()
  }
  socket.on('drain', () => {
    clearTimeout(impatient)
    impatient = undefined
    changed()
  })
  const finish = async (): Promise<void> => {
    while (running > 0 && !isGone()) await change()
    socket.end()
    setTimeout(() => socket.destroy(), readerPatienceMs).unref()
  }
  const onEnding = (): void => void finish()
  ending?.addEventListener('abort', onEnding, { once: true })
  socket.on('close', () => {
    clearTimeout(impatient)
    ending?.removeEventListener('abort', onEnding)
    changed()
  })
  // Why is of no use to anyone: the client is gone.
  socket.on('error', () => undefined)

  const named = <Asked extends RequestOrPlan>(request: Asked): Asked =>
    request.id === undefined ? request : { ...request, id: `${client}:${request.id}` }

  const answerTo = async (request: RequestOrPlan | QuestionRequest): Promise<string> => {
    const { id } = request
    if (request.op === 'inspect' || request.op === 'why') {
      const wrong = badId(id) ?? gate(request)
      const answered = wrong === undefined ? await service.question(request) : E.left(wrong)
      const head = { ...(id === undefined ? {} : { id }), op: request.op, ok: E.isRight(answered) }
      return shownJson(E.isRight(answered) ? { ...head, result: answered.right } : { ...head, error: answered.left })
    }
    if (request.op === 'plan') {
      const wrong = gate(request)
      const planned = wrong === undefined ? await service.plan(request.requests) : E.left(wrong)
      const head = { ...(id === undefined ? {} : { id }), op: 'plan' }
      if (E.isLeft(planned)) return shownJson({ ...head, ok: false, error: planned.left })
      return shownJson({ ...head, ok: true, result: { _tag: 'Planned', requests: planned.right.map(encodePlanned) } })
    }
    const wrong = badId(id) ?? gate(request)
    if (wrong !== undefined) return encodeAnswer(refusal(request, wrong))
    const inner = named(request)
    const asked = inner.op === 'cancel' ? { ...inner, target: `${client}:${inner.target}` } : inner
    return encodeAnswer(asAsked(await service.submit(asked, socketName), id))
  }

  const drained = async (): Promise<void> => {
    while (socket.writableNeedDrain && !isGone()) await change()
  }

  const start = (request: RequestOrPlan | QuestionRequest): void => {
    running += 1
    const work = async (): Promise<void> => {
      if (isBulky(request)) await drained()
      write(await answerTo(request))
    }
    const mine = isBulky(request) ? bulky.then(work) : work()
    const done = mine.catch(() => {
      // The answer could not be made; without it the client would wait for ever.
      socket.destroy()
    })
    if (isBulky(request)) bulky = done
    void done.then(() => {
      running -= 1
      changed()
    })
  }

  const cannotRead = (number: number, error: LineError): void => {
    unreadable += 1
    write(encodeUnreadable(number, error))
  }

  try {
    for await (const line of linesOf(socket, REQUEST_LINE_BYTES_MAX)) {
      if (ending?.aborted === true) break
      if (line._tag === 'Unreadable') cannotRead(line.number, line.error)
      else if (!isBlankLine(line.text)) {
        const hello = readHello(line.text)
        const read = hello === undefined ? readRequest(line.text) : undefined
        if (read !== undefined && E.isRight(read)) start(read.right)
        else if (read !== undefined) cannotRead(line.number, read.left)
        else if (hello !== undefined && E.isRight(hello)) {
          client = hello.right
          write(welcomeLine())
        } else if (hello !== undefined) {
          unreadable += 1
          write(shownJson({ op: 'hello', ok: false, error: { _tag: 'Invalid', field: 'hello', why: hello.left } }))
        }
      }
      if (unreadable >= UNREADABLE_MAX) break
      while ((running >= TOGETHER_MAX || socket.writableNeedDrain) && !isGone()) await change()
    }
    // A client that has ended its side still reads its answers.
    while (running > 0 && !isGone()) await change()
    socket.end()
  } catch {
    socket.destroy()
  }
}
