// Status: what the host looks like from outside, for people and machines. Reading only.

import type { MountpointStatus, Status } from './answer.js'
import type { Holder, Holders } from './holders.js'
import { allHolders } from './holders.js'
import type { Entry, Host } from './host.js'
import type { StatusRequest } from './input.js'
import { reasonOf } from './reason.js'

const someHolders = (holders: Holders, most: number): readonly Holder[] => {
  const all = allHolders(holders)
  return all.length > most ? all.slice(0, most) : all
}

const statusOf = (host: Host, { record, holders }: Entry, most: number): MountpointStatus => ({
  mountpoint: record.path,
  ...(record.filesystem && { filesystem: record.filesystem }),
  phase: record.phase,
  instance: record.instance,
  directory: record.directory,
  ...(record.layer && { layer: record.seen ?? record.layer }),
  ...(record.dead && { dead: record.dead }),
  ...(record.elsewhere !== undefined && { elsewhere: record.elsewhere }),
  ...(record.foreign.length > 0 && { foreign: record.foreign }),
  holders: someHolders(holders, most).map(({ volume, consumer, since, knowledge }) => ({
    volume,
    consumer,
    since,
    knowledge,
  })),
  ...(holders.count > most && { holdersNotShown: holders.count - most }),
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

/** Holders and waiting requests that one answer shows at most, but for those that wait at its first mountpoint. */
export const STATUS_ENTRIES_MAX = 10_000

/** Which part of a status is wanted. `entries`: how many holders and waiting requests at most. */
export type StatusPage = Pick<StatusRequest, 'mountpoint' | 'limit' | 'after'> & { readonly entries?: number }

const pathsOn = (host: Host, { mountpoint, after }: StatusPage): readonly string[] => {
  const known = mountpoint === undefined ? [...host.mountpoints.keys()] : [mountpoint]
  return known
    .filter((path) => (after === undefined || path > after) && host.mountpoints.has(path))
    .sort((a, b) => (a < b ? -1 : 1))
}

/** How many of these mountpoints are shown: no more than so many, and no more than have so many entries together, but one. */
const shownOf = (
  host: Host,
  paths: readonly string[],
  { limit = Infinity, entries = Infinity }: StatusPage,
): number => {
  let left = entries
  let shown = 0
  for (const path of paths) {
    const entry = host.mountpoints.get(path)
    left -= entry === undefined ? 0 : entry.holders.count + entry.record.waiting.length
    if (shown >= limit || (left < 0 && shown > 0)) break
    shown += 1
  }
  return shown
}

/** What is known, in the order of the paths; all of it where nothing is said about the page. */
export const statusOfHost = (host: Host, page: StatusPage = {}): Status => {
  const paths = pathsOn(host, page)
  const shown = paths.slice(0, shownOf(host, paths, page))
  const next = shown.length < paths.length ? shown.at(-1) : undefined
  return {
    _tag: 'Status',
    generation: host.generation,
    phase: host.phase,
    mountpoints: shown.flatMap((path) => {
      const entry = host.mountpoints.get(path)
      return entry === undefined ? [] : [statusOf(host, entry, page.entries ?? Infinity)]
    }),
    ...(next !== undefined && { next }),
    refusing: [...host.refusing].sort(),
    changedRoots: [...host.changedRoots].sort(),
  }
}
