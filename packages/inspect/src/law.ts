// Laws over a host: what must hold in every state, whatever the inputs were. Tests and the explorer ask after each decision;
// production never does. A sentence that comes back is a defect of ours, not a fault of the host.

import type { Attachment, Entry, Host } from '@mountkeeper/core'
import { grantable } from '@mountkeeper/core'
import type { Durable, Mountpoint } from '@mountkeeper/core/state'
import {
  DEFAULT_STREAM,
  LOCAL_LANE,
  NOTHING_DURABLE,
  allHolders,
  ancestorsOf,
  countHolders,
  isNothingLeft,
  mountingOf,
  namesOf,
  phaseOf,
  refusalOf,
  shareMax,
  streamMax,
} from '@mountkeeper/core/state'

/** One law that a host breaks: which, where, and how. */
export interface Breach {
  readonly law: string
  readonly at: string
  readonly text: string
}

type Breaches = readonly Breach[]

const NONE: Breaches = []

const unless = (holds: boolean, law: string, at: string, text: string): Breaches => (holds ? NONE : [{ law, at, text }])

/** What facts say of one mountpoint. */
export interface Folded {
  readonly record: Durable
  readonly holders: readonly Attachment[]
}

const isEqual = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

const FACTS_WRITE = Object.keys(NOTHING_DURABLE) as readonly (keyof Durable)[]

const NOTHING_FOLDED: Folded = { record: NOTHING_DURABLE, holders: [] }

const holds = (holders: readonly Attachment[], { volume, consumer }: Attachment): boolean =>
  holders.some((each) => each.volume === volume && each.consumer === consumer)

/** The durable part of a live record, with its holders, is the fold of its facts; of a record that has ended nothing is left. */
export const breachesOfFacts = (host: Host, path: string, folded: Folded = NOTHING_FOLDED): Breaches => {
  const entry = host.mountpoints.get(path)
  const record = entry?.record ?? NOTHING_DURABLE
  const live = entry === undefined ? [] : allHolders(entry.holders)
  const { holders } = folded
  const same = live.length === holders.length && live.every((each) => holds(holders, each))
  const ofHolders = unless(same, 'section 7', path, `${live.length} holders, and facts say ${holders.length}`)
  if (isNothingLeft(record, live.length) && isNothingLeft(folded.record, holders.length)) return ofHolders
  const different = FACTS_WRITE.filter((field) => !isEqual(record[field], folded.record[field]))
  const text = different.map((field) => {
    return `${field} is ${JSON.stringify(record[field])}, and facts say ${JSON.stringify(folded.record[field])}`
  })
  return [...ofHolders, ...unless(different.length === 0, 'section 7', path, text.join('; '))]
}

/** Something is overdue, or a step of the ladder that stood beside it has not ended yet. */
const isOverdue = ({ overdue, slot, inFlight }: Mountpoint): boolean =>
  overdue.length > 0 || (slot === 'overdue' && inFlight !== undefined)

/** The phase is the one that the record shows; beside an overdue effect only the ladder acts. */
const ofPhase = ({ record, holders }: Entry): Breaches => {
  const { phase, inFlight, path } = record
  const shown = phaseOf(record, holders.count)
  const ladder = inFlight === undefined || inFlight.kind === 'Look' || inFlight.kind === 'Unmount'
  return [
    ...unless(phase === shown, 'L22', path, `called ${phase}, and is ${shown}`),
    ...unless(ladder || !isOverdue(record), 'L23', path, `${inFlight?.kind ?? ''} beside an overdue effect`),
  ]
}

/** Holders, claims and layers fit the phase. */
const ofHolders = ({ record, holders }: Entry): Breaches => {
  const { phase, path, layer, claim, work } = record
  const counted = allHolders(holders).length
  const leaving = phase === 'unmounting' || phase === 'removing'
  const replaces = mountingOf(work)?.replacing === 'broken'
  return [
    ...unless(counted === holders.count, 'L1', path, `${counted} holders, counted as ${holders.count}`),
    ...unless(
      !leaving || holders.count === 0 || replaces || refusalOf(work) !== undefined,
      'L2',
      path,
      `${phase} under holders`,
    ),
    ...unless(!leaving || claim === undefined, 'L2', path, `${phase} under a claim`),
    ...unless(
      phase !== 'mounted' || (layer !== undefined && holders.count > 0),
      'L35',
      path,
      'mounted without layer or holder',
    ),
    ...unless(
      phase !== 'lost' || (layer === undefined && holders.count > 0),
      'L35',
      path,
      'lost with a layer or without holders',
    ),
    ...unless(
      // A layer that is rolled back serves no holder, also where others hold one that is lost.
      phase !== 'vacant' || (layer !== undefined && (holders.count === 0 || refusalOf(work) !== undefined)),
      'L35',
      path,
      'vacant without layer or with holders',
    ),
    ...unless(phase !== 'leftover' || record.directory === 'ours', 'L35', path, 'leftover without a directory of ours'),
  ]
}

/** No request that waits is forgotten: work, a delay, an effect, a slot or an earlier generation is what they wait for. */
const ofWaiting = (host: Host, record: Mountpoint): Breaches => {
  const { waiting, work, inFlight, overdue, wait, path, slot } = record
  const head = waiting.find((each) => each.generation <= host.generation)
  const moves = inFlight !== undefined || overdue.length > 0 || wait !== undefined || slot === 'wanted'
  return [
    ...unless(head === undefined || work !== undefined, 'L45', path, 'a request waits and nothing is done'),
    ...unless(work === undefined || moves, 'L45', path, `work to ${work?.goal._tag ?? ''} that nothing will end`),
    ...waiting.flatMap(({ request }) =>
      unless(host.requests.has(request), 'L45', path, `request ${request} waits and is not known`),
    ),
  ]
}

const ofSlot = (record: Mountpoint): Breaches => {
  const { slot, inFlight, overdue, path } = record
  const beside = isOverdue(record)
  return [
    ...unless(inFlight === undefined || beside || slot === 'held', 'L25', path, `in flight with slot ${slot}`),
    ...unless(inFlight !== undefined || slot !== 'held', 'L25', path, 'a slot is held for nothing'),
    ...unless(beside === (slot === 'overdue'), 'L25', path, `slot ${slot} with ${overdue.length} overdue`),
  ]
}

const isOfStream = ({ slot, background, stream }: Mountpoint, name: string): boolean =>
  slot === 'held' && !background && stream === name

/** The counts of slots are those that the records show. */
const ofLanes = (host: Host): Breaches => {
  const records = [...host.mountpoints.values()].map((entry) => entry.record)
  const held = records.filter((record) => record.slot === 'held' && record.lane !== LOCAL_LANE).length
  const wanting = records.filter((record) => record.slot === 'wanted').length
  const lanes = [...host.slots.lanes.values()]
  const queued = lanes
    .flatMap(({ queues, background }) => [
      ...[...queues.values()].flatMap((queue) => [queue.requests, queue.beyond]),
      background,
    ])
    .reduce((sum, queue) => sum + namesOf(queue).length, 0)
  const { hanging, perServer, local } = host.settings.slots
  return [
    ...unless(
      host.slots.hangingHeld === held,
      'L25',
      'host',
      `${held} slots held, counted as ${host.slots.hangingHeld}`,
    ),
    ...unless(queued === wanting, 'L25', 'host', `${wanting} want a slot, ${queued} are queued`),
    ...unless(held <= hanging, 'L25', 'host', `${held} slots of ${hanging} are held`),
    ...[...host.slots.streams].flatMap(([name, stream]) => {
      const shown = records.filter((record) => isOfStream(record, name) && record.lane !== LOCAL_LANE).length
      return [
        ...unless(stream.held === shown, 'L25', name, `${shown} slots held, counted as ${stream.held}`),
        ...unless(shown <= streamMax(host.settings, name), 'L25', name, `${shown} slots held by one stream`),
      ]
    }),
    ...[...host.slots.lanes].flatMap(([name, lane]) => {
      const isLocal = name === LOCAL_LANE
      const taken = isLocal ? lane.held : lane.held + lane.overdue
      return [
        ...unless(taken <= (isLocal ? local : perServer), 'L25', name, `${lane.held} held, ${lane.overdue} overdue`),
        ...(['held', 'overdue'] as const).flatMap((slot) => {
          const shown = records.filter((record) => record.slot === slot && record.lane === name).length
          return unless(lane[slot] === shown, 'L25', name, `${shown} ${slot}, counted as ${lane[slot]}`)
        }),
      ]
    }),
  ]
}

/**
 * A slot that is free goes to a request that waits for it, and not to a background look before a request: what hangs at one server
 * holds up no other. From the records alone, without the queues of slots.ts.
 */
const ofTurns = (host: Host): Breaches => {
  const { hanging, perServer, local } = host.settings.slots
  const records = [...host.mountpoints.values()].map((entry) => entry.record)
  const isLocal = ({ lane }: Mountpoint): boolean => lane === LOCAL_LANE
  const held = records.filter(({ slot }) => slot === 'held')
  const total = held.filter((record) => !isLocal(record)).length
  const taken = (name: string): number =>
    records.filter(({ slot, lane }) => lane === name && (slot === 'held' || slot === 'overdue')).length
  const ofStream = (name: string): number =>
    held.filter((record) => isOfStream(record, name) && !isLocal(record)).length
  // What has its limit keeps the background looks at the server that it waits for behind it.
  const mayStart = (record: Mountpoint): boolean =>
    record.background
      ? records.every((other) => other.slot !== 'wanted' || other.background || other.lane !== record.lane)
      : ofStream(record.stream) < streamMax(host.settings, record.stream)
  const isFree = (record: Mountpoint): boolean =>
    isLocal(record)
      ? held.length - total < local
      : total < hanging && taken(record.lane) < perServer && mayStart(record)
  const could = records.filter((record) => record.slot === 'wanted' && isFree(record))
  const path = grantable(host)
  const next = could.find((record) => record.path === path)
  const share = shareMax(host.settings)
  const hasLess = (record: Mountpoint): boolean => !record.background && ofStream(record.stream) < share
  const before = could.filter((record) => next !== undefined && isLocal(record) === isLocal(next))
  return [
    ...unless((path === undefined) === (could.length === 0), 'L32', 'host', 'a slot is free, and is not granted'),
    ...unless(path === undefined || next !== undefined, 'L25', path ?? '', 'is given a slot that is not free'),
    ...unless(
      next?.background !== true || before.every((record) => record.background),
      'L32',
      path ?? '',
      'looks in the background before a request is served',
    ),
    ...unless(
      next === undefined || isLocal(next) || next.background || ofStream(next.stream) < share || !before.some(hasLess),
      'L32',
      path ?? '',
      'gets more than its share of the slots before another stream has its own',
    ),
  ]
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => [...a].sort().join() === [...b].sort().join()

/** The indexes are those that the records show. */
const ofIndexes = (host: Host): Breaches => {
  const below = [...host.mountpoints.values()].flatMap(({ record }) => ancestorsOf(record.path, record.root))
  const counted = [...host.ancestors].flatMap(([path, count]) =>
    Array.from({ length: Math.max(1, count) }, () => (count > 0 ? path : `none below ${path}`)),
  )
  const held = [...host.mountpoints.values()].flatMap(({ record, holders }) =>
    [...new Set(allHolders(holders).map((holder) => holder.consumer))].map((consumer) => `${consumer} ${record.path}`),
  )
  const indexed = [...host.consumers].flatMap(([consumer, at]) =>
    (typeof at === 'string' ? [at] : at.paths.size > 1 ? [...at.paths] : ['a list of one']).map(
      (path) => `${consumer} ${path}`,
    ),
  )
  const miscounted = [...host.consumers].flatMap(([consumer, at]) => {
    if (typeof at === 'string') return []
    const entries = [...host.mountpoints.values()]
    const counts = entries.reduce((sum, { holders }) => sum + countHolders(holders, consumer), 0)
    return counts === at.held ? [] : [`${consumer} holds ${counts}, counted as ${at.held}`]
  })
  const now = [...host.requests.values()].filter(
    (each) => each.generation > 0 && each.generation <= host.generation,
  ).length
  const streams = [...host.requests.values()].flatMap(({ stream }) => (stream === DEFAULT_STREAM ? [] : [stream]))
  const countedOfStreams = [...host.waitingOfStream].flatMap(([stream, count]) =>
    Array.from({ length: Math.max(1, count) }, () => (count > 0 ? stream : `none of ${stream}`)),
  )
  return [
    ...unless(isSame(below, counted), 'L4', 'host', 'the index of ancestors is wrong'),
    ...unless(isSame(held, indexed), 'L4', 'host', 'the index of consumers is wrong'),
    ...unless(miscounted.length === 0, 'L1', 'host', miscounted.join(', ')),
    ...unless(isSame(streams, countedOfStreams), 'L36', 'host', 'the count of requests of a stream is wrong'),
    ...unless(now === host.unansweredNow, 'L36', 'host', `${now} unanswered, counted as ${host.unansweredNow}`),
  ]
}

/** Every law that this host breaks; none, if all is well. Linear in the host. */
export const breaches = (host: Host): readonly Breach[] => [
  ...[...host.mountpoints.values()].flatMap((entry) => [
    ...ofPhase(entry),
    ...ofHolders(entry),
    ...ofWaiting(host, entry.record),
    ...ofSlot(entry.record),
  ]),
  ...ofLanes(host),
  ...ofTurns(host),
  ...ofIndexes(host),
]
