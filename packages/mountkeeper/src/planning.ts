// What a plan needs besides the runtime's own: the roots of a host that never came up, and how it is written.

import { answerLineCodec, decode, effectCodec, requestCodec } from '@mountkeeper/codec'
import type { Host, RootIdentity } from '@mountkeeper/core'
import { effectId, requestId } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import type { HostPort } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'

/** The discovery of a plan has no place in any host; its number says so. */
const OUTSIDE = effectId(0)

/** The roots as they are now, or why they could not be read. */
export const seeRoots = async (
  host: Host,
  port: HostPort,
): Promise<E.Either<string, ReadonlyMap<string, RootIdentity>>> => {
  const { roots, deadlinesMs } = host.settings
  const { found } = await port.run({
    _tag: 'Discover',
    effect: OUTSIDE,
    roots: roots.map(({ path }) => path),
    known: [],
    deadlineMs: deadlinesMs.discover,
  })
  if (found._tag === 'Discovered') return E.right(new Map(found.roots.map((root) => [root.path, root])))
  return E.left(found._tag === 'NotDiscovered' ? found.reason : `not finished within ${deadlinesMs.discover} ms`)
}

/** One planned request as JSON. */
export const encodePlanned = ({ request, steps, answer }: PlannedRequest): unknown => ({
  request: requestCodec.encode(request),
  steps: steps.map(({ effect, why, onFailure }) => ({ effect: effectCodec.encode(effect), why, onFailure })),
  ...(answer === undefined ? {} : { answer: answerLineCodec.encode(answer) }),
})

const UNREADABLE = 'the answer is no plan'

const decodedStep = (value: unknown): E.Either<string, PlannedRequest['steps'][number]> => {
  const { effect, why, onFailure } = value as {
    readonly effect?: unknown
    readonly why?: unknown
    readonly onFailure?: unknown
  }
  const decoded = decode(effectCodec, effect)
  return E.isRight(decoded) && typeof why === 'string' && typeof onFailure === 'string'
    ? E.right({ effect: decoded.right, why, onFailure })
    : E.left(UNREADABLE)
}

/** Reads what `encodePlanned` writes. */
export const decodePlanned = (value: unknown): E.Either<string, PlannedRequest> => {
  if (typeof value !== 'object' || value === null) return E.left(UNREADABLE)
  const { request, steps, answer } = value as {
    readonly request?: unknown
    readonly steps?: unknown
    readonly answer?: unknown
  }
  const asked = decode(requestCodec, request)
  const taken = Array.isArray(steps) ? E.traverseArray(decodedStep)(steps as readonly unknown[]) : E.left(UNREADABLE)
  const given = answer === undefined ? E.right(undefined) : decode(answerLineCodec, answer)
  if (E.isLeft(asked) || E.isLeft(taken) || E.isLeft(given)) return E.left(UNREADABLE)
  return E.right({
    request: asked.right,
    steps: taken.right,
    // On the wire an answer has no number; that of a plan had none to begin with.
    answer: given.right === undefined ? undefined : { ...given.right, request: requestId(0) },
  })
}

/** Whether all of it would be served, as far as one can see. */
export const wouldServe = (planned: readonly PlannedRequest[]): boolean =>
  planned.every(({ answer }) => answer?.ok !== false)
