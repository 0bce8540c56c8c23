// Looks, then plans: what requests would lead to, on this machine, as it is now. Nothing is changed, and no slot is taken.

import { answerLineCodec, effectCodec, requestCodec } from '@mountkeeper/codec'
import type { Discovered, Host, Looked, PlannedRequest, Request, RootIdentity } from '@mountkeeper/core'
import { checkPath, effectId, plan, plannedMountpoints } from '@mountkeeper/core'
import type { HostPort } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'

/** Effects of a plan have no place in any host; their number says so. */
const OUTSIDE = effectId(0)

/** Looks that are made at once. */
const TOGETHER = 16

/** The roots as they are now, or why they could not be read. */
export const seeRoots = async (host: Host, port: HostPort): Promise<E.Either<string, readonly RootIdentity[]>> => {
  const { roots, deadlinesMs } = host.settings
  const { found } = await port.run({
    _tag: 'Discover',
    effect: OUTSIDE,
    roots: roots.map(({ path }) => path),
    known: [],
    deadlineMs: deadlinesMs.discover,
  })
  if (found._tag === 'Discovered') return E.right((found satisfies Discovered).roots)
  return E.left(found._tag === 'NotDiscovered' ? found.reason : `not finished within ${deadlinesMs.discover} ms`)
}

type Place = ReturnType<typeof plannedMountpoints>[number]

const lookAt = async (
  host: Host,
  port: HostPort,
  root: RootIdentity,
  { mountpoint, filesystem }: Place,
): Promise<readonly [string, Looked]> => {
  const { found, source } = await port.run({
    _tag: 'Look',
    effect: OUTSIDE,
    mountpoint,
    filesystem,
    root,
    deadlineMs: host.settings.deadlinesMs.look,
  })
  const seen =
    'layers' in found ||
    'why' in found ||
    found._tag === 'NoDirectory' ||
    found._tag === 'Directory' ||
    found._tag === 'Obstacle'
      ? found
      : undefined
  return [
    mountpoint,
    { found: seen ?? { _tag: 'Unknown', why: 'Unreadable' }, ...(source === undefined ? {} : { source }) },
  ]
}

/** Plans requests, one after the other, from the host as it is known and from looks that are made now. */
export const planRequests = async (
  host: Host,
  port: HostPort,
  roots: readonly RootIdentity[],
  requests: readonly Request[],
): Promise<readonly PlannedRequest[]> => {
  const looked = new Map<string, Looked>()
  // What is not below a root is refused without a look.
  const places = plannedMountpoints(host, requests).flatMap((place) => {
    const root = roots.find(({ path }) => place.mountpoint.startsWith(`${path}/`))
    return root === undefined || checkPath('mountpoint', place.mountpoint) !== undefined ? [] : [{ place, root }]
  })
  for (let from = 0; from < places.length; from += TOGETHER) {
    const slice = places.slice(from, from + TOGETHER)
    for (const [mountpoint, seen] of await Promise.all(
      slice.map(({ place, root }) => lookAt(host, port, root, place)),
    )) {
      looked.set(mountpoint, seen)
    }
  }
  return plan(host, requests, looked)
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
