// What a plan needs besides the runtime's own: the roots of a host that never came up, and how it is written.

import { answerLineCodec, effectCodec, requestCodec } from '@mountkeeper/codec'
import type { Host, PlannedRequest, RootIdentity } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
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

/** Whether all of it would be served, as far as one can see. */
export const wouldServe = (planned: readonly PlannedRequest[]): boolean =>
  planned.every(({ answer }) => answer?.ok !== false)
