// Puts the changes of a decision into the host, in place. Trivial on purpose: every choice was made by `decide`. The
// indexes (ancestors, consumers, slots) follow from the records here, so that they cannot drift from them.

import type { Change, Decision, HostPatch } from './decision.js'
import { addHolder, countHolders, noHolders, removeHolder } from './holders.js'
import type { Host, Unanswered } from './host.js'
import { DEFAULT_STREAM, idKey } from './lane.js'
import type { Mountpoint } from './mountpoint.js'
import { mayTake, takenBy } from './memory.js'
import { moveSlot } from './slots.js'

/** The directories strictly between a root and a mountpoint, or all above one that is under no root. */
export const ancestorsOf = (path: string, root: string | undefined): readonly string[] => {
  const above: string[] = []
  const shortest = root === undefined ? 0 : root.length
  for (let slash = path.lastIndexOf('/'); slash > shortest; slash = path.lastIndexOf('/', slash - 1)) {
    above.push(path.slice(0, slash))
  }
  return above
}

const countAncestors = (host: Host, record: Mountpoint, by: 1 | -1): void => {
  for (const directory of ancestorsOf(record.path, record.root)) {
    const left = (host.ancestors.get(directory) ?? 0) + by
    if (left === 0) host.ancestors.delete(directory)
    else host.ancestors.set(directory, left)
  }
}

const indexLayer = (host: Host, path: string, was: Mountpoint | undefined, is: Mountpoint | undefined): void => {
  const [before, after] = [was?.layer?.mountId, is?.layer?.mountId]
  if (before === after) return
  if (before !== undefined && host.layers.get(before) === path) host.layers.delete(before)
  if (after !== undefined) host.layers.set(after, path)
}

const countMemory = (host: Host, was: Mountpoint | undefined, is: Mountpoint | undefined): void => {
  // The common case, a record whose layer stays, costs no look into the table of types.
  if (was?.filesystem === is?.filesystem && mayTake(was) === mayTake(is)) return
  host.memory += takenBy(host.settings, is) - takenBy(host.settings, was)
}

const putRecord = (host: Host, path: string, record: Mountpoint | undefined): void => {
  const entry = host.mountpoints.get(path)
  moveSlot(host.slots, host.settings, entry?.record, record)
  indexLayer(host, path, entry?.record, record)
  countMemory(host, entry?.record, record)
  if (record === undefined) {
    if (entry !== undefined) countAncestors(host, entry.record, -1)
    host.mountpoints.delete(path)
  } else if (entry === undefined) {
    countAncestors(host, record, 1)
    host.mountpoints.set(path, { record, holders: noHolders() })
  } else {
    entry.record = record
  }
}

/** One more attachment of a consumer, at this path. */
const indexConsumer = (host: Host, consumer: string, path: string): void => {
  const at = host.consumers.get(consumer)
  if (at === undefined) {
    host.consumers.set(consumer, path)
  } else if (typeof at !== 'string') {
    at.paths.add(path)
    at.held += 1
  } else if (at !== path) {
    const entry = host.mountpoints.get(at)
    const before = entry === undefined ? 0 : countHolders(entry.holders, consumer)
    host.consumers.set(consumer, { paths: new Set([at, path]), held: before + 1 })
  }
}

/** One attachment of a consumer less at this path, where `left` of its attachments stay. */
const forgetConsumer = (host: Host, consumer: string, path: string, left: number): void => {
  const at = host.consumers.get(consumer)
  if (at === undefined || typeof at === 'string') {
    if (at === path && left === 0) host.consumers.delete(consumer)
    return
  }
  at.held -= 1
  if (left > 0) return
  at.paths.delete(path)
  const [only] = at.paths
  if (only !== undefined && at.paths.size === 1) host.consumers.set(consumer, only)
}

/** Whether the request is one of those that a new generation has to wait for. */
const isCounted = (host: Host, unanswered: Unanswered): boolean =>
  unanswered.generation > 0 && unanswered.generation <= host.generation

const countOfStream = ({ waitingOfStream }: Host, { stream }: Unanswered, by: 1 | -1): void => {
  if (stream === DEFAULT_STREAM) return
  const count = (waitingOfStream.get(stream) ?? 0) + by
  if (count === 0) waitingOfStream.delete(stream)
  else waitingOfStream.set(stream, count)
}

/** Puts a request among those that have no answer yet, and into the indexes of them. */
export const addRequest = (host: Host, unanswered: Unanswered): void => {
  host.requests.set(unanswered.request, unanswered)
  if (unanswered.id !== undefined) host.ids.set(idKey(unanswered.stream, unanswered.id), unanswered.request)
  countOfStream(host, unanswered, 1)
}

const accept = (host: Host, unanswered: Unanswered): void => {
  addRequest(host, unanswered)
  if (isCounted(host, unanswered)) host.unansweredNow += 1
}

const end = (host: Host, unanswered: Unanswered | undefined): void => {
  if (unanswered === undefined) return
  host.requests.delete(unanswered.request)
  if (unanswered.id !== undefined) host.ids.delete(idKey(unanswered.stream, unanswered.id))
  countOfStream(host, unanswered, -1)
  if (isCounted(host, unanswered)) host.unansweredNow -= 1
}

const patchHost = (host: Host, patch: HostPatch): void => {
  const { roots, ...scalars } = patch
  Object.assign(host, scalars)
  if (roots === undefined) return
  host.roots.clear()
  host.changedRoots.clear()
  for (const root of roots) host.roots.set(root.path, root)
}

const applyChange = (host: Host, change: Change): void => {
  switch (change._tag) {
    case 'Record':
      putRecord(host, change.path, change.record)
      return
    case 'HolderAdded': {
      const entry = host.mountpoints.get(change.path)
      if (entry === undefined) return
      addHolder(entry.holders, change.holder)
      indexConsumer(host, change.holder.consumer, change.path)
      return
    }
    case 'HolderRemoved': {
      const entry = host.mountpoints.get(change.path)
      if (entry === undefined) return
      removeHolder(entry.holders, change.volume, change.consumer)
      forgetConsumer(host, change.consumer, change.path, countHolders(entry.holders, change.consumer))
      return
    }
    case 'Accepted':
      accept(host, change.unanswered)
      return
    case 'Progressed':
      host.requests.set(change.unanswered.request, change.unanswered)
      return
    case 'Answered':
      end(host, host.requests.get(change.request))
      return
    case 'Host':
      patchHost(host, change.patch)
      return
    case 'Refusing':
      host.refusing.add(change.target)
      return
    case 'Allowing':
      host.refusing.delete(change.target)
      return
    case 'RootChanged':
      host.changedRoots.add(change.root)
      return
    case 'Counted':
      host.nextEffect = change.nextEffect
      host.lastRequest = change.lastRequest
  }
}

/** Puts changes into the host that they were made for, in their order. */
export const applyChanges = (host: Host, changes: readonly Change[]): void => {
  for (const change of changes) applyChange(host, change)
}

/** Applies a decision to the host it was made for, before the next input is decided. */
export const apply = (host: Host, decision: Decision): void => applyChanges(host, decision.changes)
