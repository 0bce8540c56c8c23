// A small model of a host beside the core: directories, stacks of layers, effects that end well, badly, late or never, third
// parties. It shares no code with the core but the types, and judges from outside: by what was asked, told and done.

import type { Answer, Effect, Fact, Found, Host, Identity, Input, Outcome, Settings } from '@mountkeeper/core'
import { apply, breaches, decide, emptyHost, findHolder, grantable, requestId, restore } from '@mountkeeper/core'

const pathOf = (effect: Effect): string | undefined => (effect._tag === 'Discover' ? undefined : effect.mountpoint)

export interface Layer {
  readonly identity: Identity
  readonly by: 'us' | 'other'
}

interface Place {
  directory: boolean
  directoryBy: 'us' | 'other'
  readonly layers: Layer[] // top first
  /** Third parties have acted since the last look: what a command meets is not what was shown. */
  disturbed: boolean
  /** A probe has told that it is dead. */
  broken: boolean
}

export interface Flying {
  readonly effect: Effect
  /** Past its deadline: its outcome was given, its end was not. */
  overdue: boolean
}

export interface World {
  settings: Settings
  host: Host
  readonly places: Map<string, Place>
  readonly flying: Flying[]
  readonly facts: Fact[]
  readonly asked: Map<number, Input & { readonly _tag: 'Requested' }>
  readonly answers: Map<number, Answer>
  /** Told `Attached`, and nobody has asked to end it since. */
  readonly certain: Map<string, Set<string>>
  readonly log: string[]
  readonly broken: string[]
  nextRequest: number
  nextMount: number
  at: number
}

export const newWorld = (settings: Settings): World => ({
  settings,
  host: emptyHost(settings),
  places: new Map(),
  flying: [],
  facts: [],
  asked: new Map(),
  answers: new Map(),
  certain: new Map(),
  log: [],
  broken: [],
  nextRequest: 1,
  nextMount: 100,
  at: 0,
})

export const placeOf = (world: World, path: string): Place => {
  const known = world.places.get(path)
  if (known !== undefined) return known
  const place: Place = { directory: false, directoryBy: 'other', layers: [], disturbed: false, broken: false }
  world.places.set(path, place)
  return place
}

const certainAt = (world: World, path: string): Set<string> => {
  const known = world.certain.get(path) ?? new Set<string>()
  world.certain.set(path, known)
  return known
}

const breakLaw = (world: World, law: string): void => {
  world.broken.push(`${law} after ${world.log.length} steps`)
}

export const foundAt = (world: World, path: string): Found => {
  const place = placeOf(world, path)
  if (place.layers.length > 0) return { _tag: 'Mounted', layers: place.layers.map((layer) => layer.identity) }
  return { _tag: place.directory ? 'Directory' : 'NoDirectory' }
}

const noteRequest = (world: World, input: Input & { readonly _tag: 'Requested' }): void => {
  const { body } = input
  if (body.op === 'detach') certainAt(world, body.mountpoint).delete(`${body.volume} ${body.consumer}`)
  if (body.op === 'forget') certainAt(world, body.mountpoint).clear()
  if (body.op === 'release') {
    for (const held of world.certain.values())
      for (const key of held) if (key.endsWith(` ${body.consumer}`)) held.delete(key)
  }
}

const noteAnswer = (world: World, answer: Answer): void => {
  const before = world.answers.get(answer.request)
  if (before !== undefined) breakLaw(world, `L45: request ${answer.request} answered twice`)
  world.answers.set(answer.request, answer)
  const asked = world.asked.get(answer.request)
  if (asked === undefined || asked.body.op !== 'attach' || !answer.ok) return
  const { mountpoint, volume, consumer, filesystem } = asked.body
  const place = placeOf(world, mountpoint)
  const top = place.layers[0]?.identity
  if (!place.disturbed && top?.source !== filesystem.source)
    breakLaw(world, `L16: Attached without its layer on ${mountpoint}`)
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

const noteEffect = (world: World, effect: Effect): void => {
  if (effect._tag === 'Unmount') {
    const excepted = world.settings.policies.broken === 'remount' && placeOf(world, effect.mountpoint).broken
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
  const inFlight = world.flying.filter(
    ({ effect: other }) => pathOf(other) === pathOf(effect) && other._tag !== 'Wait' && effect._tag !== 'Wait',
  )
  const climbs = effect._tag === 'Look' || effect._tag === 'Unmount'
  const ladder = world.settings.roots[0]?.ladder !== 'off' && climbs && inFlight.every((each) => each.overdue)
  if (effect._tag !== 'Discover' && inFlight.length > 0 && !ladder)
    breakLaw(world, `L22: ${effect._tag} beside ${inFlight[0]?.effect._tag}`)
}

/** Feeds one input, then everything the driver owes: grants, and nothing else. */
export const feed = (world: World, input: Input): void => {
  world.at += 1
  world.log.push(JSON.stringify(input))
  if (input._tag === 'Requested') {
    world.asked.set(input.request, input)
    noteRequest(world, input)
  }
  const decision = decide(world.host, input)
  apply(world.host, decision)
  world.facts.push(...decision.facts)
  for (const answer of decision.answers) noteAnswer(world, answer)
  for (const effect of decision.effects) {
    noteEffect(world, effect)
    if (effect._tag === 'Wait') {
      const old = world.flying.findIndex(
        (each) => each.effect._tag === 'Wait' && each.effect.mountpoint === effect.mountpoint,
      )
      if (old >= 0) world.flying.splice(old, 1)
    }
    world.flying.push({ effect, overdue: false })
  }
  let grants = 0
  for (let next = grantable(world.host); next !== undefined; next = grantable(world.host)) {
    const before = world.host.mountpoints.get(next)?.record.slot
    if (before !== 'wanted') throw new Error(`grantable names ${next}, which wants no slot`)
    grants += 1
    if (grants > 100) throw new Error(`granting never ends at ${next}`)
    feedGrant(world, next)
  }
  for (const { law, at, text } of breaches(world.host)) breakLaw(world, `${law}: ${at} ${text}`)
}

const feedGrant = (world: World, mountpoint: string): void => {
  const decision = decide(world.host, { _tag: 'Granted', at: world.at, mountpoint })
  world.log.push(`granted ${mountpoint}`)
  apply(world.host, decision)
  world.facts.push(...decision.facts)
  for (const answer of decision.answers) noteAnswer(world, answer)
  for (const effect of decision.effects) {
    noteEffect(world, effect)
    world.flying.push({ effect, overdue: false })
  }
}

const layerFor = (world: World, source: string, by: Layer['by']): Layer => {
  world.nextMount += 1
  const identity: Identity = {
    mountId: world.nextMount,
    device: `0:${world.nextMount}`,
    fstype: 'tmpfs',
    source,
    root: '/',
    flags: ['rw', 'nosuid', 'nodev'],
  }
  return { identity, by }
}

/** What an effect does to the host when it does what it should. */
const perform = (world: World, effect: Effect): void => {
  const path = pathOf(effect)
  if (path === undefined) return
  const place = placeOf(world, path)
  switch (effect._tag) {
    case 'MakeDirectory':
      if (place.directory) return
      place.directory = true
      place.directoryBy = 'us'
      return
    case 'Mount':
      if (place.directory) place.layers.unshift(layerFor(world, effect.filesystem.source, 'us'))
      return
    case 'Unmount':
      place.layers.shift()
      return
    case 'RemoveDirectory':
      if (place.layers.length === 0) place.directory = false
      return
    default:
  }
}

export type Ending = 'well' | 'no effect' | 'effect but error' | 'silently nothing' | 'timed out' | 'cannot tell'

const take = (world: World, flying: Flying): void => {
  world.flying.splice(world.flying.indexOf(flying), 1)
}

const outcome = (world: World, flying: Flying, found: Outcome['found'], failed: boolean): void => {
  const { effect } = flying
  feed(world, {
    _tag: 'Outcome',
    at: world.at,
    effect: effect.effect,
    mountpoint: pathOf(effect),
    found,
    ...(failed ? { error: { command: ['x'], exitStatus: 32, stderr: 'failed' } } : {}),
  })
}

const discovered = (world: World): Outcome['found'] => ({
  _tag: 'Discovered',
  boot: 'boot',
  mountNamespace: 'mnt',
  roots: [{ path: '/m', mountId: 1, directory: '0:1', propagation: 'shared' }],
  mountpoints: [
    ...new Set([
      ...world.host.mountpoints.keys(),
      ...[...world.places].flatMap(([path, place]) => (place.layers.length > 0 ? [path] : [])),
    ]),
  ].map((mountpoint) => ({ mountpoint, found: foundAt(world, mountpoint) })),
})

/** Ends an effect in one of the ways an effect can end. */
export const endEffect = (world: World, flying: Flying, ending: Ending): void => {
  const { effect } = flying
  if (flying.overdue) {
    // What had timed out ends now: having worked or not.
    take(world, flying)
    if (ending === 'well' || ending === 'effect but error') perform(world, effect)
    feed(world, { _tag: 'Ended', at: world.at, effect: effect.effect, mountpoint: pathOf(effect) })
    return
  }
  if (effect._tag === 'Wait') {
    take(world, flying)
    outcome(world, flying, { _tag: 'Elapsed' }, false)
    return
  }
  if (effect._tag === 'Discover') {
    take(world, flying)
    const fails = ending === 'cannot tell' || ending === 'no effect'
    outcome(world, flying, fails ? { _tag: 'NotDiscovered', reason: 'broken' } : discovered(world), false)
    return
  }
  if (ending === 'timed out') {
    flying.overdue = true
    outcome(world, flying, { _tag: 'Unknown', why: 'TimedOut' }, true)
    return
  }
  take(world, flying)
  if (effect._tag === 'Probe') {
    const broken = ending === 'no effect'
    placeOf(world, effect.mountpoint).broken = broken
    outcome(world, flying, broken ? { _tag: 'Broken', errno: 'ENOTCONN' } : { _tag: 'Alive' }, false)
    return
  }
  if (effect._tag === 'Look' && ending !== 'cannot tell') placeOf(world, effect.mountpoint).disturbed = false
  if (ending === 'well' || ending === 'effect but error') perform(world, effect)
  const found: Found =
    ending === 'cannot tell' ? { _tag: 'Unknown', why: 'Unreadable' } : foundAt(world, effect.mountpoint)
  outcome(world, flying, found, ending === 'effect but error' || ending === 'no effect')
}

export const ask = (world: World, body: (Input & { readonly _tag: 'Requested' })['body']): void => {
  const request = requestId(world.nextRequest)
  world.nextRequest += 1
  feed(world, { _tag: 'Requested', at: world.at, request, body })
}

/** A third party acts; not while a command of ours is about to act on what a look has shown. */
export const interfere = (world: World, path: string, what: 'mount' | 'umount'): void => {
  const place = placeOf(world, path)
  if (world.flying.some(({ effect }) => pathOf(effect) === path && effect._tag !== 'Wait' && effect._tag !== 'Look'))
    return
  if (what === 'umount') {
    if (place.layers.shift() !== undefined) place.disturbed = true
  } else if (place.directory) {
    place.layers.unshift(layerFor(world, 'foreign', 'other'))
    place.disturbed = true
  }
}

/** The process dies and another begins: commands that were running end first, as the law on crashes demands. */
export const crash = (world: World): void => {
  for (const { effect } of world.flying) if (world.at % 2 === 0) perform(world, effect)
  world.flying.splice(0)
  world.host = restore(world.settings, world.facts)
  world.log.push('crash')
  for (const [path, held] of world.certain) {
    const entry = world.host.mountpoints.get(path)
    for (const key of held) {
      const [volume = '', consumer = ''] = key.split(' ')
      if (entry === undefined || findHolder(entry.holders, volume, consumer) === undefined)
        breakLaw(world, `L30: ${key} on ${path} lost`)
    }
  }
  world.asked.clear()
  world.answers.clear()
  for (const place of world.places.values()) place.disturbed = true
  ask(world, { op: 'host-up' })
}
