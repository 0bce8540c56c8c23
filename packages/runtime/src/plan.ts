// What requests would lead to now. The core plans; this file only looks first, through the port and beside the loop: looks
// change nothing, so they need no turn, no slot and no claim.

import { readReport } from '@mountkeeper/border'
import type { EffectFound, Filesystem, Found, Host, Look, Request, RootIdentity } from '@mountkeeper/core'
import { checkPath, effectId } from '@mountkeeper/core'
import type { Looked, PlannedRequest } from '@mountkeeper/plan'
import { plan, plannedMountpoints } from '@mountkeeper/plan'
import type { Task } from 'fp-ts/lib/Task.js'
import type { HostPort } from './ports.js'

/** Looks of plans that run at the same time, over all plans of a call. */
const LOOKS_AT_ONCE_MAX = 16

/** Looks of plans count downwards, so that their ids are never those of the core. */
let lastLook = 0

/** The roots as they are known to be; before the first host-up nothing is known of them. */
type Roots = ReadonlyMap<string, RootIdentity>

const lookAt = (host: Host, roots: Roots, mountpoint: string, filesystem: Filesystem | undefined): Look => {
  lastLook -= 1
  const above = rootPathOf(host, mountpoint)
  const layer = host.mountpoints.get(mountpoint)?.record.layer
  return {
    _tag: 'Look',
    effect: effectId(lastLook),
    mountpoint,
    filesystem,
    ...(layer && { layer }),
    root: above === undefined ? undefined : roots.get(above),
    deadlineMs: host.settings.deadlinesMs.look,
  }
}

const rootPathOf = (host: Host, mountpoint: string): string | undefined =>
  host.settings.roots.find(({ path }) => mountpoint.startsWith(`${path}/`))?.path

/** What is no path below a root is refused without a look, unless it was one when it was recorded. */
const isLookedAt = (host: Host, mountpoint: string): boolean =>
  host.mountpoints.has(mountpoint) ||
  (rootPathOf(host, mountpoint) !== undefined && checkPath('mountpoint', mountpoint) === undefined)

const isFound = (found: EffectFound): found is Found =>
  found._tag === 'NoDirectory' ||
  found._tag === 'Directory' ||
  found._tag === 'Obstacle' ||
  found._tag === 'Mounted' ||
  found._tag === 'Unknown'

const unreadable = (detail: string): Looked => ({ found: { _tag: 'Unknown', why: 'Unreadable', detail } })

/** A plan that cannot see says so: it is no reason for anything to stop. */
const lookedAt = async (port: HostPort, look: Look): Promise<Looked> => {
  try {
    const read = readReport('Look', await port.run(look))
    if ('wrong' in read) return unreadable(`the host port gave no report of a look: ${read.wrong.why}`)
    const { found, source, elsewhere, submounts, missingHelper } = read
    if (!isFound(found)) return unreadable(`the host port found ${found._tag} at a look`)
    return {
      found,
      ...(source && { source }),
      ...(elsewhere !== undefined && { elsewhere }),
      ...(submounts && { submounts }),
      ...(missingHelper !== undefined && { missingHelper }),
    }
  } catch (error) {
    return unreadable(String(error))
  }
}

/**
 * What these requests would lead to if they came now, one after the other: the effects, why, what a failure of each would
 * lead to, and the answer. Looks at the mountpoints they concern (each at most `deadlinesMs.look`), changes nothing, asks
 * no waiting caller. Assumes that the host is up and that every effect succeeds. Never rejects. `roots` are those that the
 * host has seen; of one that never came up, what the caller has.
 */
export const planRequests =
  (
    host: Host,
    port: HostPort,
    requests: readonly Request[],
    roots: Roots = host.roots,
  ): Task<readonly PlannedRequest[]> =>
  async () => {
    const wanted = plannedMountpoints(host, requests).filter(({ mountpoint }) => isLookedAt(host, mountpoint))
    const looked = new Map<string, Looked>()
    const lookOn = async (): Promise<void> => {
      for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
        const { mountpoint, filesystem } = next
        looked.set(mountpoint, await lookedAt(port, lookAt(host, roots, mountpoint, filesystem)))
      }
    }
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE_MAX }, lookOn))
    return plan(host, requests, looked)
  }
