// The keeper: what a service asks, in two styles. It is the same in front of a manager in this process, one behind a socket, or a
// simulated one. Promises reject with a MountkeeperError; tasks of fp-ts give a refusal as a Left, and have to be called.

import type { InspectRequest, QuestionRequest, WhyRequest } from '@mountkeeper/codec'
import type { Invalid, Request, Stopped } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import type { Asks, Operation, Results } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { MountkeeperError } from './error.js'
import type { InspectResult, QuestionError, WhyResult } from './questions.js'
import type { AnyRefusal, RefusalOf, Unreachable } from './refusal.js'

/** What may be said beside a request. */
export interface AskOptions {
  /**
   * Withdraws the request while it waits, which is then refused `Cancelled`. What has begun is not interrupted: the promise waits
   * for its answer, so that a mount is never forgotten.
   */
  readonly signal?: AbortSignal
}

/**
 * A request that is made when it is called: `await keeper.task.attach(request)()`. Awaited without the call it is refused by the compiler, and
 * rejects at run time.
 */
export interface Task<Refused, Given> extends TaskEither<Refused, Given> {
  readonly then: (callTheTaskFirst: 'await keeper.task.attach(request)()') => never
}

type Needed = 'attach' | 'detach' | 'release' | 'cancel' | 'reconcile' | 'retry' | 'forget' | 'refuse-new' | 'allow-new'

type Promised<Op extends Operation> = Op extends Needed
  ? (request: Asks[Op], options?: AskOptions) => Promise<Results[Op]>
  : (request?: Asks[Op], options?: AskOptions) => Promise<Results[Op]>

type Tasked<Op extends Operation> = Op extends Needed
  ? (request: Asks[Op], options?: AskOptions) => Task<RefusalOf<Op>, Results[Op]>
  : (request?: Asks[Op], options?: AskOptions) => Task<RefusalOf<Op>, Results[Op]>

/** Why nothing was planned. */
export type PlanError = Invalid | Stopped | Unreachable

/** Every operation as a task. */
export interface KeeperTasks {
  readonly attach: Tasked<'attach'>
  readonly detach: Tasked<'detach'>
  readonly release: Tasked<'release'>
  readonly cancel: Tasked<'cancel'>
  readonly status: Tasked<'status'>
  readonly reconcile: Tasked<'reconcile'>
  readonly retry: Tasked<'retry'>
  readonly forget: Tasked<'forget'>
  readonly refuseNew: Tasked<'refuse-new'>
  readonly allowNew: Tasked<'allow-new'>
  readonly hostUp: Tasked<'host-up'>
  readonly hostDown: Tasked<'host-down'>
  readonly plan: (requests: readonly Request[]) => Task<PlanError, readonly PlannedRequest[]>
}

/** Keeps the mountpoints below its roots for those who attach to them. */
export interface Keeper extends AsyncDisposable {
  /**
   * Mounts the filesystem unless it is mounted, and records the volume of the consumer as a holder.
   *
   * @throws MountkeeperError
   */
  readonly attach: Promised<'attach'>
  /**
   * Takes a holder away, and unmounts after the last one. Takes the value that `attach` took.
   *
   * @throws MountkeeperError
   */
  readonly detach: Promised<'detach'>
  /** Detaches all that a consumer has at the moment of arrival. */
  readonly release: Promised<'release'>
  /** Withdraws a request that waits, by its `id`; `signal` does it for you. */
  readonly cancel: Promised<'cancel'>
  /** Who holds what; at most 1,000 mountpoints at once, the rest after `next`. */
  readonly status: Promised<'status'>
  /** Compares what is wanted, recorded and mounted; `apply: true` repairs it. */
  readonly reconcile: Promised<'reconcile'>
  /** Looks again now at a mountpoint that is uncertain. */
  readonly retry: Promised<'retry'>
  /** Removes a record. */
  readonly forget: Promised<'forget'>
  /** Maintenance: refuses new attaches of a mountpoint or a server until `allowNew`. */
  readonly refuseNew: Promised<'refuse-new'>
  readonly allowNew: Promised<'allow-new'>
  readonly hostUp: Promised<'host-up'>
  readonly hostDown: Promised<'host-down'>
  /** What requests would lead to now, and why; changes nothing. */
  readonly plan: (requests: readonly Request[]) => Promise<readonly PlannedRequest[]>
  /** What is mounted at a path or from a source, managed or not, with its options and what is free; within its time whatever hangs. */
  readonly inspect: (question: Omit<InspectRequest, 'op' | 'id'>) => Promise<InspectResult>
  /** What keeps a mountpoint busy: processes, loop devices, swap files, mounts below, other mount namespaces. */
  readonly why: (question: Omit<WhyRequest, 'op' | 'id'>) => Promise<WhyResult>
  /** The same operations for fp-ts. */
  readonly task: KeeperTasks
  /** Ends the keeper; every mount stays. The same as leaving the block of `await using`. */
  readonly close: () => Promise<void>
}

/** Who serves a keeper: gives an answer to each request, and never rejects. */
export interface Backend {
  readonly ask: <Op extends Operation>(op: Op, request: Asks[Op]) => Promise<Either<RefusalOf<Op>, Results[Op]>>
  readonly plan: (requests: readonly Request[]) => Promise<Either<PlanError, readonly PlannedRequest[]>>
  readonly question: (
    question: QuestionRequest,
  ) => Promise<Either<QuestionError | Unreachable, InspectResult | WhyResult>>
  readonly close: () => Promise<void>
}

let lastId = 0

/** An id for a request that is to be withdrawn and has none. */
const newId = (): string => {
  lastId += 1
  return `keeper-${process.pid}-${lastId}`
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Whatever is asked may be withdrawn, although the types of what never waits do not say so. */
const cancelled = <Refused, Given>(): Either<Refused, Given> =>
  ({ _tag: 'Left', left: { _tag: 'Cancelled' } }) as unknown as Either<Refused, Given>

const withSignal = async <Op extends Operation>(
  backend: Backend,
  op: Op,
  request: Asks[Op],
  signal: AbortSignal,
): Promise<Either<RefusalOf<Op>, Results[Op]>> => {
  if (signal.aborted) return cancelled()
  const id = isObject(request) && 'id' in request && typeof request.id === 'string' ? request.id : newId()
  const withdraw = (): void => void backend.ask('cancel', { target: id })
  signal.addEventListener('abort', withdraw, { once: true })
  try {
    return await backend.ask(op, isObject(request) ? { ...request, id } : request)
  } finally {
    signal.removeEventListener('abort', withdraw)
  }
}

const subjectOf = (op: string, request: unknown): string => {
  if (!isObject(request)) return op
  const named = request as { readonly mountpoint?: unknown; readonly consumer?: unknown }
  const subject = [named.mountpoint, named.consumer].find((each) => typeof each === 'string')
  return subject === undefined ? op : `${op} ${subject}`
}

/** A task that rejects when it is awaited and was not called. */
const callable = <Refused, Given>(task: () => Promise<Either<Refused, Given>>): Task<Refused, Given> => {
  const refuse = (_resolve: unknown, reject: (error: unknown) => void): void =>
    reject(new MountkeeperError({ _tag: 'NotCalled' }))
  return Object.assign(() => task(), { then: refuse as unknown as Task<Refused, Given>['then'] })
}

const orThrow = async <Given>(
  answer: Promise<Either<AnyRefusal, Given>>,
  subject: string,
  signal?: AbortSignal,
): Promise<Given> => {
  const given = await answer
  if (given._tag === 'Right') return given.right
  const cause: unknown = signal?.aborted === true ? signal.reason : undefined
  throw new MountkeeperError(given.left, { subject, cause })
}

/** A keeper in front of the backend that serves it. */
export const createKeeper = (backend: Backend): Keeper => {
  const ask = <Op extends Operation>(
    op: Op,
    request: Asks[Op] | undefined,
    { signal }: AskOptions = {},
  ): Promise<Either<RefusalOf<Op>, Results[Op]>> => {
    const asked = request === undefined ? ({} as Asks[Op]) : request
    return signal === undefined ? backend.ask(op, asked) : withSignal(backend, op, asked, signal)
  }
  const promised = <Op extends Operation>(op: Op): Promised<Op> =>
    ((request: Asks[Op], options?: AskOptions) =>
      orThrow<Results[Op]>(ask(op, request, options), subjectOf(op, request), options?.signal)) as Promised<Op>
  const tasked = <Op extends Operation>(op: Op): Tasked<Op> =>
    ((request: Asks[Op], options?: AskOptions) => callable(() => ask(op, request, options))) as Tasked<Op>
  const { close } = backend
  return {
    attach: promised('attach'),
    detach: promised('detach'),
    release: promised('release'),
    cancel: promised('cancel'),
    status: promised('status'),
    reconcile: promised('reconcile'),
    retry: promised('retry'),
    forget: promised('forget'),
    refuseNew: promised('refuse-new'),
    allowNew: promised('allow-new'),
    hostUp: promised('host-up'),
    hostDown: promised('host-down'),
    plan: (requests) => orThrow(backend.plan(requests), 'plan'),
    inspect: (question) =>
      orThrow(backend.question({ ...question, op: 'inspect' }), 'inspect') as Promise<InspectResult>,
    why: (question) =>
      orThrow(backend.question({ ...question, op: 'why' }), `why ${question.mountpoint}`) as Promise<WhyResult>,
    task: {
      attach: tasked('attach'),
      detach: tasked('detach'),
      release: tasked('release'),
      cancel: tasked('cancel'),
      status: tasked('status'),
      reconcile: tasked('reconcile'),
      retry: tasked('retry'),
      forget: tasked('forget'),
      refuseNew: tasked('refuse-new'),
      allowNew: tasked('allow-new'),
      hostUp: tasked('host-up'),
      hostDown: tasked('host-down'),
      plan: (requests) => callable(() => backend.plan(requests)),
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
