// The oracle of the model: judges from outside, by what was asked, answered, recorded and done. Each breach begins with its law.

import type { Answer, Attached, Decision, Detached, Effect, Fact, Input, Request } from '../../src/index.js'
import type { World } from './world.js'
import { breakLaw, certainAt, pathOf, placeOf } from './world.js'

const nameOf = ({ volume, consumer }: { readonly volume: string; readonly consumer: string }): string =>
  `${volume} ${consumer}`

const heldAt = (world: World, path: string): Set<string> => {
  const known = world.recorded.held.get(path) ?? new Set<string>()
  world.recorded.held.set(path, known)
  return known
}

export const noteFact = (world: World, fact: Fact): void => {
  const { layers, claims, claimEnded, everHeld, everLeft } = world.recorded
  if (fact._tag === 'HostCameUp') {
    if (world.wish === 'down') breakLaw(world, 'L36: the host comes up although the last wish is down')
    return
  }
  const { mountpoint } = fact
  switch (fact._tag) {
    case 'Claimed':
      claims.set(mountpoint, {
        name: nameOf(fact),
        asked: heldAt(world, mountpoint).has(nameOf(fact)) ? 0 : world.nextRequest - 1,
      })
      return
    case 'ClaimEnded':
      claims.delete(mountpoint)
      claimEnded.set(mountpoint, world.nextRequest - 1)
      return
    case 'Held':
      if (claims.get(mountpoint)?.name === nameOf(fact)) claims.delete(mountpoint)
      heldAt(world, mountpoint).add(nameOf(fact))
      everHeld.add(`${mountpoint} ${nameOf(fact)}`)
      return
    case 'Left':
      heldAt(world, mountpoint).delete(nameOf(fact))
      everLeft.add(`${mountpoint} ${nameOf(fact)}`)
      return
    case 'Mounted':
    case 'Adopted':
      layers.set(mountpoint, fact.identity)
      placeOf(world, mountpoint).isReliedOn = false
      return
    case 'Unmounted':
      layers.delete(mountpoint)
      return
    case 'Forgotten':
      layers.delete(mountpoint)
      claims.delete(mountpoint)
      heldAt(world, mountpoint).clear()
      return
    default:
  }
}

const DESTRUCTIVE: ReadonlySet<string> = new Set([
  'MakeDirectory',
  'Mount',
  'Unmount',
  'RemoveDirectory',
  'Unmounted',
  'DirectoryRemoved',
])

/** Where an outcome is unknown. */
const blindAt = (input: Input): ReadonlySet<string> => {
  if (input._tag !== 'Outcome') return new Set()
  const { found, mountpoint = '' } = input
  const seen = found._tag === 'Discovered' ? found.mountpoints : [{ mountpoint, found }]
  return new Set(seen.filter((each) => each.found._tag === 'Unknown').map((each) => each.mountpoint))
}

/** Identities and claims end with the boot that they belong to: that nothing of ours is mounted any more needs no look then. */
const endsBoot = (world: World, input: Input): boolean => {
  if (input._tag !== 'Outcome' || input.found._tag !== 'Discovered') return false
  const last = world.facts.findLast((fact) => fact._tag === 'HostCameUp')
  return last?._tag === 'HostCameUp' && last.boot !== input.found.boot
}

/** Nothing follows from an unknown outcome. To be asked before the facts of the decision are noted. */
export const judgeUnknown = (world: World, input: Input, { append, then }: Decision): void => {
  const blind = blindAt(input)
  const led = [...append, ...then.effects].find(
    (each) =>
      DESTRUCTIVE.has(each._tag) &&
      'mountpoint' in each &&
      blind.has(each.mountpoint ?? '') &&
      !(each._tag === 'Unmounted' && endsBoot(world, input)),
  )
  if (led !== undefined) breakLaw(world, `L17: the outcome was unknown, and ${led._tag} follows`)
}

/** When a generation begins, the table has beaten every record. */
export const judgeRecords = (world: World, input: Input): void => {
  if (world.flying.some(({ effect }) => effect._tag !== 'Discover')) return
  const blind = blindAt(input)
  for (const [path, layer] of world.recorded.layers) {
    if (blind.has(path)) continue
    const isThere = placeOf(world, path).layers.some(({ identity }) => identity.device === layer.device)
    if (!isThere) breakLaw(world, `L29: ${path} comes up as mounted, which the table does not show`)
  }
}

export const noteRequest = (world: World, input: Input & { readonly _tag: 'Requested' }): void => {
  const { body } = input
  if (body.op === 'host-up') world.wish = 'up'
  if (body.op === 'host-down') world.wish = 'down'
  if (body.op === 'detach') certainAt(world, body.mountpoint).delete(`${body.volume} ${body.consumer}`)
  if (body.op === 'forget') certainAt(world, body.mountpoint).clear()
  if (body.op === 'release') {
    for (const held of world.certain.values())
      for (const key of held) if (key.endsWith(` ${body.consumer}`)) held.delete(key)
  }
}

type Asked<Op> = Request & { readonly op: Op }

const isOpen = (world: World, request: number): boolean => !world.answers.has(request)

/** A refused attach leaves no claim, and a failure is reported to all who waited for the same. */
const judgeRefused = (world: World, body: Asked<'attach'>, request: number, tag: string): void => {
  const { mountpoint, filesystem } = body
  const others = [...world.asked.values()].flatMap((each) =>
    each.body.op === 'attach' && each.body.mountpoint === mountpoint && isOpen(world, each.request)
      ? [{ ...each.body, request: each.request }]
      : [],
  )
  const again = others.some((other) => nameOf(other) === nameOf(body))
  const claim = world.recorded.claims.get(mountpoint)
  const isIts = claim?.name === nameOf(body) && claim.asked >= request
  if (isIts && !again) breakLaw(world, `L7: request ${request} is refused ${tag} and still claims ${mountpoint}`)
  if (tag !== 'MountFailed') return
  const failedFor = world.recorded.claimEnded.get(mountpoint) ?? 0
  const unshared = others.find((other) => other.request <= failedFor && other.filesystem.source === filesystem.source)
  if (unshared !== undefined)
    breakLaw(world, `L25: request ${unshared.request} tries again for itself what has failed for ${request}`)
}

const judgeDetached = (world: World, body: Asked<'detach'>, detached: Detached): void => {
  const place = placeOf(world, body.mountpoint)
  if (place.lazily && detached.mount === 'unmounted')
    breakLaw(world, `L13: ${body.mountpoint} was detached lazily, and no answer says so`)
  if (detached.holder === 'removed' && !world.recorded.everLeft.has(`${body.mountpoint} ${nameOf(body)}`))
    breakLaw(world, `L30: ${nameOf(body)} is answered Detached, and no fact says so`)
}

/** A release takes whatever its consumer had asked for until then. */
const judgeReleased = (world: World, { consumer }: Asked<'release'>, release: number): void => {
  for (const [path, held] of world.recorded.held) {
    for (const key of held) {
      const since = [...world.asked.values()].some(
        ({ request, body }) =>
          request > release && body.op === 'attach' && body.mountpoint === path && nameOf(body) === key,
      )
      if (key.endsWith(` ${consumer}`) && !since) breakLaw(world, `L7: ${key} still holds ${path} after its release`)
    }
  }
}

const judgeAttached = (world: World, body: Asked<'attach'>, attached: Attached): void => {
  const { mountpoint, filesystem } = body
  const place = placeOf(world, mountpoint)
  const [top] = place.layers
  const { foreign } = world.settings.policies
  if (attached.mount === 'adopted' && top !== undefined) {
    if (foreign !== 'adopt') breakLaw(world, `L34: a layer of others on ${mountpoint} is adopted without policy`)
    top.by = 'us'
  }
  for (const [path, held] of world.certain) {
    const isNested = path.startsWith(`${mountpoint}/`) || mountpoint.startsWith(`${path}/`)
    if (isNested && held.size > 0) breakLaw(world, `section 5: Attached to ${mountpoint} while ${path} is held`)
  }
  if (!world.recorded.everHeld.has(`${mountpoint} ${nameOf(body)}`))
    breakLaw(world, `L30: ${nameOf(body)} is answered Attached, and no fact says so`)
  if (place.disturbed) return
  if (top?.identity.source !== filesystem.source) breakLaw(world, `L16: Attached without its layer on ${mountpoint}`)
  if (top?.by === 'other') breakLaw(world, `L34: Attached to a layer of others on ${mountpoint}`)
  const isNew = attached.mount === 'mounted' || attached.mount === 'remounted'
  if (isNew && top?.identity.flags.includes('nosuid') !== true)
    breakLaw(world, `L16: Attached to a new layer on ${mountpoint} without the demanded flags`)
}

export const judgeAnswer = (world: World, answer: Answer): void => {
  const body = world.asked.get(answer.request)?.body
  if (body?.op === 'attach' && !answer.ok) judgeRefused(world, body, answer.request, answer.error._tag)
  if (!answer.ok) return
  const { result } = answer
  if (body?.op === 'detach' && result._tag === 'Detached') judgeDetached(world, body, result)
  if (body?.op === 'release') judgeReleased(world, body, answer.request)
  if (body?.op === 'attach' && result._tag === 'Attached') judgeAttached(world, body, result)
}

export const noteAnswer = (world: World, answer: Answer): void => {
  const before = world.answers.get(answer.request)
  if (before !== undefined) breakLaw(world, `L45: request ${answer.request} answered twice`)
  world.answers.set(answer.request, answer)
  const asked = world.asked.get(answer.request)
  // Whatever unmounts next there does so for another request.
  if (asked !== undefined && 'mountpoint' in asked.body) placeOf(world, asked.body.mountpoint).retries = 0
  if (asked === undefined || asked.body.op !== 'attach' || !answer.ok) return
  const { mountpoint, volume, consumer } = asked.body
  placeOf(world, mountpoint).isReliedOn = true
  const left = [...world.asked.values()].some(
    ({ request, body }) =>
      request > answer.request &&
      ((body.op === 'detach' &&
        body.mountpoint === mountpoint &&
        body.volume === volume &&
        body.consumer === consumer) ||
        (body.op === 'release' && body.consumer === consumer) ||
        (body.op === 'forget' && body.mountpoint === mountpoint)),
  )
  if (!left) certainAt(world, mountpoint).add(`${volume} ${consumer}`)
}

/** The retries of one request, and of the parts of releases, whose end no answer shows before that of the whole. */
const retriesMax = ({ asked, answers, settings }: World): number => {
  const releases = [...asked.values()].filter(({ request, body }) => body.op === 'release' && !answers.has(request))
  return (settings.roots[0]?.ladder === 'lazy' ? 3 : 2) * (1 + releases.length)
}

const noteDelay = (world: World, effect: Effect): void => {
  const path = pathOf(effect)
  if (path === undefined || effect._tag === 'Look' || effect._tag === 'Unmount') return
  const place = placeOf(world, path)
  // A second look at what an unmount did belongs to its attempt.
  if (effect._tag === 'Wait' && effect.why === 'settle') return
  place.retries = effect._tag === 'Wait' && effect.why === 'unmount-retry' ? place.retries + 1 : 0
  if (place.retries > 0 && place.retries > retriesMax(world))
    breakLaw(world, `L25: ${path} is unmounted again and again`)
  if (effect._tag === 'Wait' && effect.why === 'back-off' && effect.delayMs > world.settings.delaysMs.backOffCeiling)
    breakLaw(world, `L25: a back-off of ${effect.delayMs} ms`)
  if (effect._tag !== 'RemoveDirectory') place.lazily = false
}

const serverOf = (effect: Effect): string | undefined =>
  effect._tag === 'Mount' || effect._tag === 'Unmount' ? effect.filesystem?.source : undefined

/** Commands that hang are those of their server until they have ended; the ladder's need no slot. */
const judgeServer = (world: World, effect: Effect): void => {
  const server = serverOf(effect)
  const { roots, types, slots } = world.settings
  if (server === undefined || roots[0]?.ladder !== 'off' || types['tmpfs']?.mayHang !== true) return
  const others = world.flying.filter((each) => serverOf(each.effect) === server).length
  if (others >= slots.perServer) breakLaw(world, `L25: ${effect._tag} beside ${others} commands for ${server}`)
}

export const noteEffect = (world: World, effect: Effect): void => {
  if (effect._tag === 'Unmount') {
    const { isReliedOn, broken } = placeOf(world, effect.mountpoint)
    const excepted = !isReliedOn || (world.settings.policies.broken === 'remount' && broken)
    if (certainAt(world, effect.mountpoint).size > 0 && !excepted)
      breakLaw(world, `L2: Unmount under holders of ${effect.mountpoint}`)
    const place = placeOf(world, effect.mountpoint)
    const top = place.layers[0]
    if (!place.disturbed && top?.by !== 'us')
      breakLaw(world, `L20: Unmount emitted with ${top?.by ?? 'nothing'} on top`)
  }
  if (effect._tag === 'Mount') {
    const place = placeOf(world, effect.mountpoint)
    if (!place.disturbed && place.layers.length > 0) breakLaw(world, `L6: Mount onto ${place.layers.length} layers`)
  }
  if (effect._tag === 'RemoveDirectory') {
    const place = placeOf(world, effect.mountpoint)
    if (!place.disturbed && (place.layers.length > 0 || place.directoryBy === 'other'))
      breakLaw(world, `L11: RemoveDirectory of ${effect.mountpoint}, which is mounted or not ours`)
  }
  if (effect._tag === 'Discover' && world.wish === 'down')
    breakLaw(world, 'L36: Discover although the last wish is down')
  if (effect._tag === 'Look') placeOf(world, effect.mountpoint).lazily = false
  noteDelay(world, effect)
  judgeServer(world, effect)
  const inFlight = world.flying.filter(
    ({ effect: other }) => pathOf(other) === pathOf(effect) && other._tag !== 'Wait' && effect._tag !== 'Wait',
  )
  const climbs = effect._tag === 'Look' || effect._tag === 'Unmount'
  const ladder = world.settings.roots[0]?.ladder !== 'off' && climbs && inFlight.every((each) => each.overdue)
  if (effect._tag !== 'Discover' && inFlight.length > 0 && !ladder)
    breakLaw(world, `L22: ${effect._tag} beside ${inFlight[0]?.effect._tag}`)
}
export const judgeQueues = (world: World): void => {
  const waiting = new Map<string, number>()
  for (const { request, body } of world.asked.values()) {
    if (isOpen(world, request) && (body.op === 'attach' || body.op === 'detach'))
      waiting.set(body.mountpoint, (waiting.get(body.mountpoint) ?? 0) + 1)
  }
  const most = world.settings.limits.waitingPerMountpoint
  for (const [path, count] of waiting) if (count > most) breakLaw(world, `L25: ${count} wait at ${path}`)
}
