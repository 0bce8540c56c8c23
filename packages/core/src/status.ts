// Status: what the host looks like from outside, for people and machines. Reading only.

import type { MountpointStatus, Status } from './answer.js'
import { allHolders } from './holders.js'
import type { Entry, Host } from './host.js'
import type { StatusRequest } from './input.js'
import { reasonOf } from './reason.js'

const statusOf = (host: Host, { record, holders }: Entry): MountpointStatus => ({
  mountpoint: record.path,
  ...(record.filesystem && { filesystem: record.filesystem }),
  phase: record.phase,
  instance: record.instance,
  directory: record.directory,
  ...(record.layer && { layer: record.seen ?? record.layer }),
  ...(record.dead && { dead: record.dead }),
  ...(record.elsewhere !== undefined && { elsewhere: record.elsewhere }),
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
  ...(record.unknown && { reason: reasonOf(record.path, record.unknown) }),
  ...(record.lastError && { lastError: record.lastError }),
  ...(record.root === undefined && { unmanaged: true as const }),
})

/** Mountpoints that one answer shows at most. */
export const STATUS_MAX = 1_000

/** Which part of a status is wanted. */
export type StatusPage = Pick<StatusRequest, 'mountpoint' | 'limit' | 'after'>

const pathsOn = (host: Host, { mountpoint, after }: StatusPage): readonly string[] => {
  const known = mountpoint === undefined ? [...host.mountpoints.keys()] : [mountpoint]
  return known
    .filter((path) => (after === undefined || path > after) && host.mountpoints.has(path))
    .sort((a, b) => (a < b ? -1 : 1))
}

/** What is known, in the order of the paths; all of it where nothing is said about the page. */
export const statusOfHost = (host: Host, page: StatusPage = {}): Status => {
  const paths = pathsOn(host, page)
  const shown = page.limit === undefined ? paths : paths.slice(0, page.limit)
  const next = shown.length < paths.length ? shown.at(-1) : undefined
  return {
    _tag: 'Status',
    generation: host.generation,
    phase: host.phase,
    mountpoints: shown.flatMap((path) => {
      const entry = host.mountpoints.get(path)
      return entry === undefined ? [] : [statusOf(host, entry)]
    }),
    ...(next !== undefined && { next }),
    refusing: [...host.refusing].sort(),
    changedRoots: [...host.changedRoots].sort(),
  }
}
