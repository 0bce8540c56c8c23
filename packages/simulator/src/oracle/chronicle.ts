// The chronicle: how the history grows with each happening. Nothing is judged here, but that each answer comes once.

import type {
  Answer,
  Decision,
  Effect,
  Fact,
  Filesystem,
  Found,
  Input,
  Policies,
  Request,
  RequestId,
  Settings,
} from '@mountkeeper/core'
import { compareIdentity, emptyMemory, layersOf, remember, requestId } from '@mountkeeper/core'
import type { ModelHost } from '../model/host.js'
import { inodeOf, mountOf, superblockOf } from '../model/host.js'
import { directoryAt, identityOf, seeSource, stackAt } from '../model/look.js'
import { walk } from '../model/path.js'
import type { Happening, Simulation } from '../run/simulation.js'
import { mountpointOf } from '../run/simulation.js'
import { agrees, mayComeOf } from './agreement.js'
import type { History, PlaceHistory, Standing } from './history.js'
import { ends, judge, keyOf, placeAt, recordFact } from './history.js'

/** In an earlier life: before every request of this one. */
const EARLIER: RequestId = requestId(0)

const UNKNOWN: Standing = { is: 'unknown', by: EARLIER, untold: false, filesystem: undefined }

const FOUND = new Set(['NoDirectory', 'Directory', 'Obstacle', 'Mounted', 'Unknown'])

/** What an outcome found at a mountpoint, if it is that kind of outcome. */
export const foundOf = (input: Input): Found | undefined =>
  input._tag === 'Outcome' && input.mountpoint !== undefined && FOUND.has(input.found._tag)
    ? (input.found as Found)
    : undefined

/** Ours is still to become visible while a third party's layer is there: whatever is concluded, both will be there. */
const isOvertaken = (place: PlaceHistory, found: Found, { model, unseen }: Simulation): boolean =>
  found._tag === 'Mounted' &&
  unseen.some(({ effect }) => effect._tag === 'Mount' && effect.mountpoint === place.path) &&
  !stackAt(model, place.path).some((id) => mountOf(model, id).by === 'us')

/** Whether a command that was to mount there may still do it, or has, and cannot be seen yet. */
const mayStillMount = (place: PlaceHistory, { model, unseen, flights }: Simulation): boolean =>
  model.orphans.some(({ mountpoint }) => mountpoint === place.path) ||
  [...unseen, ...flights].some(({ effect }) => effect._tag === 'Mount' && effect.mountpoint === place.path)

/** A look at what a `Mount` did: one that shows a layer is conclusive, and so is the second one, after `settleMs`, that shows none. */
const noteLook = (place: PlaceHistory, found: Found, simulation: Simulation): void => {
  if (place.mounting === undefined || found._tag === 'Unknown' || mayStillMount(place, simulation)) return
  const looks = place.mounting.looks + 1
  place.mounting = looks > 1 || layersOf(found).length > 0 ? undefined : { ...place.mounting, looks }
}

/**
 * A layer of others that came while our command ran, which has ended well: what is found afterwards decides, and nothing that is
 * found distinguishes it from what the command was to bring.
 */
const noteMistaken = (place: PlaceHistory, effect: Effect, input: Input, host: ModelHost): void => {
  if (effect._tag !== 'Mount' || input._tag !== 'Outcome' || input.error !== undefined) return
  const stack = stackAt(host, place.path)
  const [top] = stack
  const before = place.decided.intent?.layersBefore.length ?? 0
  if (top === undefined || stack.length !== before + 1 || mountOf(host, top).by !== 'others') return
  if (!mayComeOf(host, effect.filesystem, top)) return
  const { serial } = mountOf(host, top)
  place.mistakable.add(serial)
  place.mistaken.add(serial)
}

const noteOutcome = (history: History, input: Input, simulation: Simulation): void => {
  const host = simulation.model
  if (input._tag === 'Ended') {
    if (input.mountpoint === undefined) return
    const place = placeAt(history, input.mountpoint)
    if (!place.overdue.delete(input.effect)) return
    for (const flight of place.flying.values()) flight.isStale = true
    return
  }
  if (input._tag !== 'Outcome') return
  if (input.found._tag === 'Discovered') {
    for (const { mountpoint, found } of input.found.mountpoints) {
      const place = placeAt(history, mountpoint)
      // What is under way there goes by looks of its own; the one before a probe counts until a survey shows something.
      const isProbed =
        found._tag !== 'Unknown' && [...place.flying.values()].every(({ effect }) => effect._tag === 'Probe')
      if ((place.flying.size > 0 && !isProbed) || place.overdue.size > 0) continue
      place.seen = { found, host, since: history.happenings, of: 'Discover', isStale: false }
      const overtaken = isOvertaken(place, found, simulation)
      place.doubled ||= overtaken
      history.entangled ||= overtaken
    }
    return
  }
  if (input.mountpoint === undefined) return
  const place = placeAt(history, input.mountpoint)
  const flight = place.flying.get(input.effect)
  place.flying.delete(input.effect)
  if (flight === undefined) return
  const { effect } = flight
  if (effect._tag === 'Probe') place.dead = input.found._tag === 'Broken'
  noteMistaken(place, effect, input, host)
  const found = foundOf(input)
  if (found === undefined) return
  if (found._tag === 'Unknown' && found.why === 'TimedOut') place.overdue.set(input.effect, effect)
  if (effect._tag === 'Probe') return
  const overtaken = isOvertaken(place, found, simulation)
  place.doubled ||= overtaken
  history.entangled ||= overtaken
  if (effect._tag === 'Look' && !flight.isStale) noteLook(place, found, simulation)
  const since = effect._tag === 'Look' ? flight.since : history.happenings
  place.seen = { found, host, since, of: effect._tag, isStale: flight.isStale }
}

const noteFact = (history: History, fact: Fact): void => {
  if (fact._tag === 'HostCameUp') {
    history.cameUp = true
    return
  }
  const place = placeAt(history, fact.mountpoint)
  place.decided = recordFact(place.decided, fact)
  if (fact._tag === 'Claimed') place.mounting = undefined
  if (fact._tag !== 'Mounted' && fact._tag !== 'Adopted') return
  place.formerly.push(fact.identity)
  place.isReliedOn = false
}

const concerned = (history: History, body: Request): readonly PlaceHistory[] => {
  switch (body.op) {
    case 'attach':
    case 'detach':
    case 'forget':
      return [placeAt(history, body.mountpoint)]
    case 'release':
      return [...history.places.values()]
    default:
      return []
  }
}

const noteLeft = (history: History, body: Request, standing: Omit<Standing, 'filesystem'>): void => {
  for (const place of concerned(history, body)) {
    for (const [key, known] of place.standings) {
      if (known.by < standing.by && ends(body, place.path, key)) {
        place.standings.set(key, { ...standing, filesystem: undefined })
      }
    }
  }
}

/** Refused `Stopped`: its result is unknown. */
const noteStopped = (history: History, body: Request): void => {
  for (const { path, standings } of concerned(history, body)) {
    if (body.op === 'attach') {
      const key = keyOf(body.volume, body.consumer)
      if (standings.get(key)?.is !== 'held') standings.set(key, UNKNOWN)
    }
    for (const key of standings.keys()) if (ends(body, path, key)) standings.set(key, UNKNOWN)
  }
}

/** Takes an answer that was decided into the history. Answers of one decision come one after the other, as they are given. */
export const noteAnswer = (history: History, answer: Answer): void => {
  const { request } = answer
  const asked = history.asked.get(request)
  judge(history, 'L45', history.answered.has(request) ? `request ${request} is answered twice` : undefined)
  if (asked === undefined) judge(history, 'L45', `request ${request} was never asked`)
  history.answered.set(request, answer)
  history.open.delete(request)
  if (asked === undefined) return
  const { body } = asked
  if (!answer.ok) {
    if (answer.error._tag === 'Stopped') noteStopped(history, body)
    return
  }
  if (body.op === 'attach') {
    const place = placeAt(history, body.mountpoint)
    const { standings } = place
    place.isReliedOn = true
    const key = keyOf(body.volume, body.consumer)
    const known = standings.get(key)
    const isNew = answer.result._tag === 'Attached' && answer.result.holder === 'added'
    if (known?.is === 'held' && !known.untold && !isNew) {
      standings.set(key, { ...known, by: request })
    } else if (known === undefined || known.by < request) {
      standings.set(key, { is: 'held', by: request, untold: true, filesystem: body.filesystem })
    }
  } else if (body.op === 'detach' || body.op === 'release' || body.op === 'forget') {
    noteLeft(history, body, { is: 'gone', by: request, untold: true })
  }
}

const noteDecision = (history: History, decision: Decision): void => {
  for (const fact of decision.append) noteFact(history, fact)
  for (const effect of decision.then.effects) {
    const mountpoint = mountpointOf(effect)
    if (mountpoint === undefined || effect._tag === 'Wait') continue
    if (effect._tag === 'Mount') placeAt(history, mountpoint).mounting = { filesystem: effect.filesystem, looks: 0 }
    placeAt(history, mountpoint).flying.set(effect.effect, {
      effect,
      since: history.happenings,
      isStale: false,
    })
  }
}

const noteTold = (history: History, { request }: Answer): void => {
  for (const { standings } of history.places.values()) {
    for (const [key, standing] of standings) {
      if (standing.by === request && standing.untold) standings.set(key, { ...standing, untold: false })
    }
  }
}

/** After a crash the result of what was not answered is unknown, and so is that of those whose end was asked for. */
const noteCrash = (history: History, reboot: boolean, afterReboot: Policies['afterReboot']): void => {
  for (const place of history.places.values()) {
    for (const [key, standing] of place.standings) {
      const leaving = [...history.open.values()].some((body) => ends(body, place.path, key))
      const dropped = reboot && afterReboot === 'drop'
      const is = standing.untold || leaving || dropped ? 'unknown' : standing.is
      place.standings.set(key, { ...standing, is, by: EARLIER, untold: false })
    }
    for (const body of history.open.values()) {
      if (body.op !== 'attach' || body.mountpoint !== place.path) continue
      const key = keyOf(body.volume, body.consumer)
      const known = place.standings.get(key)
      if (known?.is !== 'held') {
        place.standings.set(key, UNKNOWN)
      }
    }
    place.decided = reboot ? { ...place.durable, layer: undefined, unmounting: undefined } : place.durable
    place.durable = place.decided
    place.flying.clear()
    place.overdue.clear()
    place.seen = undefined
    // Every consumer that holds relies on what the next manager finds recorded.
    place.isReliedOn = true
    if (place.mounting !== undefined) place.mounting = reboot ? undefined : { ...place.mounting, looks: 0 }
    place.retriesInRow = 0
    place.lastBackOffMs = 0
    if (reboot) {
      // Its layer is gone, by which it could have been found.
      history.entangled ||= place.away !== undefined
      place.formerly.length = 0
      place.mistakable.clear()
      place.mistaken.clear()
      place.doubled = false
    }
  }
  history.asked.clear()
  history.answered.clear()
  history.open.clear()
  history.cameUp = false
  history.stopping = false
}

const leadsElsewhere = (filesystem: Filesystem, path: string, before: ModelHost, after: ModelHost): boolean =>
  JSON.stringify(seeSource(before, filesystem, path)?.asked) !==
  JSON.stringify(seeSource(after, filesystem, path)?.asked)

/**
 * A directory above was renamed. A recorded layer is found again wherever it is; a directory that is made or removed, and what
 * is being mounted, no look can search for.
 */
const noteTakenAlong = (history: History, place: PlaceHistory, before: ModelHost, after: ModelHost): void => {
  const [was, is] = [directoryAt(before, place.path), directoryAt(after, place.path)]
  if (is !== undefined && is === place.away) place.away = undefined
  if (was === undefined || was === is || !after.inodes.has(was)) return
  place.away = was
  const { layer } = place.decided
  const isSame = (id: number): boolean =>
    layer !== undefined && compareIdentity(layer, identityOf(before, id)) === 'same'
  const isOnlyMounted = stackAt(before, place.path).some(isSame) && place.flying.size === 0 && place.overdue.size === 0
  history.entangled ||= !isOnlyMounted
}

/** Layers of others that look like ours, or appear while ours is awaited, cannot be distinguished from ours. */
const noteInterference = (history: History, before: ModelHost, after: ModelHost, settings: Settings): void => {
  history.rootChanged ||= rootsOf(before, settings) !== rootsOf(after, settings)
  const known = new Set([...before.mounts.values()].map(({ serial }) => serial))
  for (const place of history.places.values()) {
    const intent = place.decided.intent ?? place.durable.intent
    // What is bound is recognized by where its source leads now.
    const isElsewhere = intent !== undefined && leadsElsewhere(intent.filesystem, place.path, before, after)
    place.doubled ||= isElsewhere
    history.entangled ||= isElsewhere
    for (const id of stackAt(after, place.path)) {
      const { serial } = mountOf(after, id)
      if (known.has(serial)) continue
      const identity = identityOf(after, id)
      const isTwin = place.formerly.some((each) => compareIdentity(each, identity) !== 'other')
      const { mounting } = place
      const isIntended = intent !== undefined && mounting !== undefined && agrees(after, mounting.filesystem, id)
      if (isTwin || isIntended) place.mistakable.add(serial)
      // Ours may come as well, on top of what was treated as ours.
      place.doubled ||= isIntended
      history.entangled ||= isIntended
    }
    const directory = directoryAt(after, place.path)
    noteTakenAlong(history, place, before, after)
    const making = [...place.flying.values(), ...[...place.overdue.values()].map((effect) => ({ effect }))].some(
      ({ effect }) => effect._tag === 'MakeDirectory',
    )
    const awaited = making || place.decided.directory === 'ours' || intent !== undefined
    if (directory !== undefined && directory !== directoryAt(before, place.path) && awaited)
      place.mistakableDirectories.add(directory)
  }
}

/** Whether a directory may be mistaken for ours. */
export const mayBeOurs = (history: History, place: PlaceHistory, host: ModelHost, directory: number): boolean =>
  inodeOf(host, directory).owner === 'us' || place.mistakableDirectories.has(directory) || history.rootChanged

const rootsOf = (host: ModelHost, settings: Settings): string =>
  JSON.stringify(settings.roots.map(({ path }) => walk(host, host.own, path, { links: 'refuse', last: 'over' })))

/** Whether a layer of ours shows another source than it was made from: only the exit status of its command says whose it is. */
const isRespelled = (host: ModelHost, id: number): boolean => {
  const { by, superblock } = mountOf(host, id)
  const { fstype, source, madeFrom } = superblockOf(host, superblock)
  return by === 'us' && fstype !== 'fuse' && source !== madeFrom
}

/** The manager ended before it recorded a layer of ours that is not as expected: to the next one it is a layer of others. */
const noteUnrecorded = (history: History, { model }: Simulation): void => {
  for (const { path, durable } of history.places.values()) {
    const { layer, intent } = durable
    const isRecorded = (id: number): boolean =>
      layer !== undefined && compareIdentity(layer, identityOf(model, id)) === 'same'
    const isOther = (id: number): boolean =>
      mountOf(model, id).by === 'us' && intent !== undefined && !agrees(model, intent.filesystem, id)
    history.entangled ||= stackAt(model, path).some((id) => (isRespelled(model, id) || isOther(id)) && !isRecorded(id))
  }
}

/** A faulty mount: where others mounted since the look, and ours is not as expected, its layer is not to be distinguished from theirs. */
const noteActed = (history: History, { effect, before, after, how }: Happening & { readonly _tag: 'Acted' }): void => {
  if (how !== 'faulty' || effect._tag !== 'Mount') return
  const place = placeAt(history, effect.mountpoint)
  place.doubled = true
  const [top] = stackAt(after, place.path)
  const seen = place.seen === undefined ? 0 : layersOf(place.seen.found).length
  const isOther = top !== undefined && (isRespelled(after, top) || !agrees(after, effect.filesystem, top))
  history.entangled ||= isOther && stackAt(before, place.path).length > seen
}

/** Takes a happening into the history; of a decision all but its answers. */
export const chronicle = (history: History, happening: Happening, simulation: Simulation): void => {
  history.happenings += 1
  switch (happening._tag) {
    case 'Asked':
      history.asked.set(happening.request, { body: happening.body, since: history.happenings })
      history.open.set(happening.request, happening.body)
      return
    case 'Decided':
      if (happening.input._tag === 'Stopped') history.stopping = true
      for (const fact of happening.decision.append) remember(history.folded, fact)
      if (!happening.isEcho) noteOutcome(history, happening.input, simulation)
      noteDecision(history, happening.decision)
      for (const fact of happening.decision.append) {
        // What was ours and is forgotten has no record: it may be there beside what is ours from now on.
        if (fact._tag === 'Forgotten') placeAt(history, fact.mountpoint).doubled = true
      }
      return
    case 'Durable':
      for (const fact of happening.facts) {
        if (fact._tag === 'HostCameUp') continue
        const place = placeAt(history, fact.mountpoint)
        place.durable = recordFact(place.durable, fact)
        if (fact._tag === 'Held') place.everHeld.add(keyOf(fact.volume, fact.consumer))
        if (fact._tag === 'Left') place.everLeft.add(keyOf(fact.volume, fact.consumer))
      }
      return
    case 'Applied':
    case 'Started':
      return
    case 'Told':
      noteTold(history, happening.answer)
      return
    case 'Acted':
      noteActed(history, happening)
      return
    case 'Interfered':
      noteInterference(history, happening.before, happening.after, simulation.settings)
      return
    case 'Crashed':
      noteUnrecorded(history, simulation)
      noteCrash(history, happening.reboot, simulation.settings.policies.afterReboot)
      history.folded = emptyMemory()
      for (const fact of simulation.durable) remember(history.folded, fact)
  }
}
