// A keeper behind a socket. It connects again when the connection is lost, and repeats what has no answer yet under the same ids, so that a
// restart of the server is only a delay. Invariant: each request is resolved exactly once.

import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { readRequest } from '@mountkeeper/border'
import type { AnswerLine, RequestOrPlan } from '@mountkeeper/codec'
import { decodeAnswerLine, encodeQuestion, encodeRequest } from '@mountkeeper/codec'
import type { Request } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import type { Asks, Operation, Results } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import { MountkeeperError } from './error.js'
import { helloLine } from './hello.js'
import type { Backend, Keeper, PlanError } from './keeper.js'
import { createKeeper } from './keeper.js'
import { linesOf } from './lines.js'
import { decodePlanned } from './planning.js'
import type { InspectResult, QuestionError, WhyResult } from './questions.js'
import type { RefusalOf, Unreachable } from './refusal.js'

/** How a client behaves. */
export interface ConnectOptions {
  /**
   * How long a request waits for a server that does not answer the connection, ms; then it is refused `Unreachable`.
   *
   * @default 30_000
   */
  readonly patienceMs?: number
  /** Under which name ids are kept; by default a new one for each client. One that is given survives a restart of this process. */
  readonly client?: string
}

/** The longest answer that is read, in bytes: a status of 1,000 mountpoints with many holders. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const PATIENCE_MS = 30_000
const RETRY = { firstMs: 20, ceilingMs: 1_000 }

interface Pending {
  readonly line: string
  readonly answered: (answer: unknown) => void
  readonly unreachable: () => void
}

type Raw = { readonly id?: unknown; readonly ok?: unknown; readonly error?: { readonly _tag?: unknown } }

const parsed = (text: string): Raw | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Sends lines, and gives the line that answers each. */
interface Link {
  readonly ask: (id: string, line: string) => Promise<unknown>
  readonly close: () => void
  /** Resolves when there is a connection; rejects where there is none, without a second try. */
  readonly first: Promise<void>
}

const openLink = (path: string, client: string, patienceMs: number): Link => {
  const pending = new Map<string, Pending>()
  let socket: Socket | undefined
  let isClosed = false
  let lostAt: number | undefined
  let delayMs = RETRY.firstMs
  let retry: NodeJS.Timeout | undefined
  let settleFirst: ((error?: Error) => void) | undefined
  const first = new Promise<void>((resolve, reject) => {
    settleFirst = (error) => (error === undefined ? resolve() : reject(error))
  })

  const giveUp = (): void => {
    const all = [...pending.values()]
    pending.clear()
    for (const { unreachable } of all) unreachable()
  }

  /** What has no answer keeps the process alive, an idle connection does not. */
  const keepAlive = (): void => {
    if (pending.size > 0) socket?.ref()
    else socket?.unref()
  }

  const take = (text: string): void => {
    const answer = parsed(text)
    if (answer === undefined || typeof answer.id !== 'string') return
    const asked = pending.get(answer.id)
    // A manager that stops refuses what it has not begun; the next one is asked, when this connection has ended.
    if (asked === undefined || (answer.ok === false && answer.error?._tag === 'Stopped' && !isClosed)) return
    pending.delete(answer.id)
    keepAlive()
    asked.answered(answer)
  }

  const lost = (error: Error | undefined): void => {
    socket = undefined
    lostAt ??= Date.now()
    const isBusy = (error as { readonly code?: string } | undefined)?.code === 'EAGAIN'
    const isPatient = Date.now() - lostAt < patienceMs
    // A server that has more connections waiting than the kernel keeps is there, and takes this one later.
    if (!isBusy || !isPatient) {
      settleFirst?.(error ?? new Error('the connection was ended'))
      settleFirst = undefined
    }
    if (isClosed) return
    if (!isPatient) giveUp()
    if (pending.size === 0 && settleFirst === undefined) return
    retry = setTimeout(begin, delayMs)
    delayMs = Math.min(delayMs * 2, RETRY.ceilingMs)
  }

  const read = async (from: Socket): Promise<void> => {
    for await (const line of linesOf(from, ANSWER_BYTES_MAX)) if (line._tag === 'Text') take(line.text)
  }

  const begin = (): void => {
    retry = undefined
    const mine = connect(path)
    socket = mine
    let why: Error | undefined
    mine.on('error', (error) => {
      why = error
    })
    mine.on('connect', () => {
      lostAt = undefined
      delayMs = RETRY.firstMs
      mine.write(`${helloLine(client)}\n`)
      for (const { line } of pending.values()) mine.write(`${line}\n`)
      keepAlive()
      settleFirst?.()
      settleFirst = undefined
    })
    mine.on('close', () => lost(why))
    void read(mine).catch(() => undefined)
  }

  begin()
  return {
    first,
    ask: (id, line) =>
      new Promise((resolve) => {
        const unreachable: Unreachable = { _tag: 'Unreachable', why: `no server answers on ${path}` }
        if (isClosed) {
          resolve({ ok: false, error: { _tag: 'Stopped' } })
          return
        }
        pending.set(id, { line, answered: resolve, unreachable: () => resolve({ ok: false, error: unreachable }) })
        if (socket !== undefined) {
          if (!socket.connecting) socket.write(`${line}\n`)
          keepAlive()
        } else if (retry === undefined) {
          lostAt = Date.now()
          begin()
        }
      }),
    close: () => {
      isClosed = true
      clearTimeout(retry)
      const all = [...pending.values()]
      pending.clear()
      for (const { answered } of all) answered({ ok: false, error: { _tag: 'Stopped' } })
      socket?.destroy()
    },
  }
}

const NO_ANSWER: Unreachable = { _tag: 'Unreachable', why: 'the server sent something that is no answer' }

const isUnreachable = (value: unknown): value is { readonly error: Unreachable } =>
  (value as { readonly error?: { readonly _tag?: unknown } }).error?._tag === 'Unreachable'

const decoded = (answer: unknown): E.Either<Unreachable, AnswerLine> => {
  if (isUnreachable(answer)) return E.left(answer.error)
  const read = decodeAnswerLine(JSON.stringify(answer))
  return E.isRight(read) ? read : E.left(NO_ANSWER)
}

const plannedOf = (answer: unknown): E.Either<PlanError, readonly PlannedRequest[]> => {
  if (isUnreachable(answer)) return E.left(answer.error)
  const { ok, error, result } = answer as {
    readonly ok?: unknown
    readonly error?: PlanError
    readonly result?: { readonly requests?: unknown }
  }
  if (ok === false && error !== undefined) return E.left(error)
  const requests = result?.requests
  if (!Array.isArray(requests)) return E.left(NO_ANSWER)
  const planned = E.traverseArray(decodePlanned)(requests as readonly unknown[])
  return E.isRight(planned) ? planned : E.left(NO_ANSWER)
}

const remoteBackend = (link: Link): Backend => {
  let last = 0
  /** The id of the caller, or one that no other request of this client has. */
  const send = (request: RequestOrPlan): Promise<unknown> => {
    last += 1
    const id = request.id ?? `${last}.${Date.now().toString(36)}`
    return link.ask(id, encodeRequest({ ...request, id }))
  }
  return {
    ask: async <Op extends Operation>(op: Op, value: Asks[Op]) => {
      const read = readRequest(value, op)
      if (!read.ok) return E.left(read.error) as E.Either<RefusalOf<Op>, Results[Op]>
      const answer = decoded(await send(read.request))
      if (E.isLeft(answer)) return answer
      // The server answers each operation in its own words, as a manager in this process does.
      return (answer.right.ok ? E.right(answer.right.result) : E.left(answer.right.error)) as E.Either<
        RefusalOf<Op>,
        Results[Op]
      >
    },
    plan: async (requests: readonly Request[]) => {
      const read = requests.map((each) => readRequest(each))
      const index = read.findIndex((each) => !each.ok)
      const wrong = read[index]
      if (wrong !== undefined && !wrong.ok)
        return E.left({ ...wrong.error, field: `requests[${index}].${wrong.error.field}` })
      return plannedOf(await send({ op: 'plan', requests }))
    },
    question: async (question) => {
      last += 1
      const id = `${last}.${Date.now().toString(36)}`
      const answer = await link.ask(id, encodeQuestion({ ...question, id }))
      if (isUnreachable(answer)) return E.left(answer.error)
      const { ok, error, result } = answer as {
        readonly ok?: unknown
        readonly error?: QuestionError
        readonly result?: InspectResult | WhyResult
      }
      if (ok === true && result !== undefined) return E.right(result)
      return E.left(error ?? NO_ANSWER)
    },
    close: () => {
      link.close()
      return Promise.resolve()
    },
  }
}

/**
 * A keeper behind the socket of `mountkeeper serve`. It survives a restart of the server: what has no answer is asked again under the same
 * id, and an attach that was served before the restart is still answered `added`.
 *
 * @throws MountkeeperError `NotOpened`: there is no server now.
 */
export const connectMountkeeper = async (path: string, options: ConnectOptions = {}): Promise<Keeper> => {
  const { patienceMs = PATIENCE_MS, client = randomUUID() } = options
  const link = openLink(path, client, patienceMs)
  try {
    await link.first
  } catch (error) {
    link.close()
    const why = `cannot connect to ${path}: ${error instanceof Error ? error.message : String(error)}`
    throw new MountkeeperError({ _tag: 'NotOpened', why, by: 'stop' }, { subject: 'connect', cause: error })
  }
  return createKeeper(remoteBackend(link))
}
