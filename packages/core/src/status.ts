// Status: what the host looks like from outside, for people and machines. Reading only.

import type { MountpointStatus, Status } from './answer.js'
import { allHolders } from './holders.js'
import type { Entry, Host } from './host.js'

const statusOf = (host: Host, { record, holders }: Entry): MountpointStatus => ({
  mountpoint: record.path,
  ...(record.filesystem && { filesystem: record.filesystem }),
  phase: record.phase,
  instance: record.instance,
  directory: record.directory,
  ...(record.layer && { layer: record.layer }),
  ...(record.foreign.length > 0 && { foreign: record.foreign }),
  holders: allHolders(holders).map(({ volume, consumer, since, knowledge }) => ({
    volume,
    consumer,
    since,
    knowledge,
  })),
  waiting: record.waiting.map(({ op, request, consumer }) => {
    const id = host.requests.get(request)?.id
    return { op, ...(id === undefined ? {} : { id }), consumer }
  }),
  since: record.since,
  slot: record.slot,
  ...(record.overdue.length > 0 && { overdue: record.overdue.map(({ kind }) => kind) }),
  ...(record.wait && { nextTryMs: record.wait.delayMs }),
  ...(record.reason && { reason: record.reason }),
  ...(record.unknown && { reason: record.unknown }),
  ...(record.lastError && { lastError: record.lastError }),
  ...(record.root === undefined && { unmanaged: true as const }),
})

/** Everything that is known, in the order of the paths. */
export const statusOfHost = (host: Host): Status => ({
  _tag: 'Status',
  generation: host.generation,
  phase: host.phase,
  mountpoints: [...host.mountpoints.values()]
    .map((entry) => statusOf(host, entry))
    .sort((a, b) => (a.mountpoint < b.mountpoint ? -1 : 1)),
  refusing: [...host.refusing].sort(),
  changedRoots: [...host.changedRoots].sort(),
})
