// Drives the core beside the model: feeds inputs, does what effects ask for, well or badly, late or never, and crashes.

import { breaches } from '@mountkeeper/inspect'
import type { Decision, Effect, Found, Input, Outcome } from '../../src/index.js'
import { apply, decide, grantable, requestId, restore } from '../../src/index.js'
import { findHolder } from '../../src/state.js'
import {
  judgeAnswer,
  judgeQueues,
  judgeRecords,
  judgeUnknown,
  noteAnswer,
  noteEffect,
  noteFact,
  noteRequest,
} from './oracle.js'
import type { Flying, Layer, Place, World } from './world.js'
import { breakLaw, foundAt, pathOf, placeOf } from './world.js'

/** Feeds one input, then everything the driver owes: grants, and nothing else. */
export const feed = (world: World, input: Input): void => {
  world.at += 1
  world.log.push(JSON.stringify(input))
  if (input._tag === 'Requested') {
    world.asked.set(input.request, input)
    noteRequest(world, input)
  }
  const decision = decide(world.host, input)
  judgeUnknown(world, input, decision)
  take(world, decision)
  const isUp = decision.append.some(({ _tag }) => _tag === 'HostCameUp')
  if (isUp) judgeRecords(world, input)
  if (isUp && (input._tag !== 'Outcome' || input.found._tag !== 'Discovered'))
    breakLaw(world, 'L28: the host comes up and was not discovered')
  for (const effect of decision.then.effects) {
    noteEffect(world, effect)
    if (effect._tag === 'Wait') {
      const old = world.flying.findIndex(
        (each) => each.effect._tag === 'Wait' && each.effect.mountpoint === effect.mountpoint,
      )
      if (old >= 0) world.ended.push(...world.flying.splice(old, 1).map((each) => each.effect))
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
  judgeQueues(world)
  for (const { law, at, text } of breaches(world.host)) breakLaw(world, `${law}: ${at} ${text}`)
}

/** Takes what a decision says; all answers first, since the caller that shares a result is answered with it. */
const take = (world: World, decision: Decision): void => {
  apply(world.host, decision)
  world.facts.push(...decision.append)
  for (const fact of decision.append) noteFact(world, fact)
  for (const answer of decision.then.answers) noteAnswer(world, answer)
  for (const answer of decision.then.answers) judgeAnswer(world, answer)
}
const feedGrant = (world: World, mountpoint: string): void => {
  const decision = decide(world.host, { _tag: 'Granted', at: world.at, mountpoint })
  world.log.push(`granted ${mountpoint}`)
  take(world, decision)
  for (const effect of decision.then.effects) {
    noteEffect(world, effect)
    world.flying.push({ effect, overdue: false })
  }
}

const FLAGS = ['rw', 'nosuid', 'nodev']

const layerFor = (world: World, source: string, by: Layer['by'], flags = FLAGS): Layer => {
  world.nextMount += 1
  const { nextMount } = world
  const mountId = world.freed.pop() ?? nextMount
  return { identity: { mountId, device: `0:${nextMount}`, fstype: 'tmpfs', source, root: '/', flags }, by }
}

/** Takes the top layer off; the kernel gives its id to the next one. */
const unstack = (world: World, place: Place): Layer | undefined => {
  const layer = place.layers.shift()
  if (layer !== undefined) world.freed.push(layer.identity.mountId)
  return layer
}

/** What an effect does to the host when it does what it should. */
const perform = (world: World, effect: Effect, flags = FLAGS): void => {
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
      if (place.directory) place.layers.unshift(layerFor(world, effect.filesystem.source, 'us', flags))
      return
    case 'Unmount':
      if (place.busy && effect.how !== 'lazy') return
      place.lazily = unstack(world, place) !== undefined && effect.how === 'lazy'
      return
    case 'RemoveDirectory':
      if (place.layers.length === 0) place.directory = false
      return
    default:
  }
}

export type Ending =
  | 'well'
  | 'no effect'
  | 'effect but error'
  | 'silently nothing'
  | 'timed out'
  | 'inconclusive'
  /** A mount without the flags that are demanded. */
  | 'bare'
  /** Exit 0, and what a mount or an unmount did is seen a little later. */
  | 'late'

const withdraw = (world: World, flying: Flying): void => {
  world.flying.splice(world.flying.indexOf(flying), 1)
  world.ended.push(flying.effect)
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

/** What a survey finds; `blind`: at every other mountpoint it is unknown. */
const discovered = (world: World, blind: boolean): Outcome['found'] => ({
  _tag: 'Discovered',
  boot: `boot ${world.boot}`,
  mountNamespace: 'mnt',
  roots: [{ path: '/m', mountId: 1, directory: '0:1', propagation: 'shared' }],
  mountpoints: [
    ...new Set([
      ...world.host.mountpoints.keys(),
      ...[...world.places].flatMap(([path, place]) => (place.layers.length > 0 ? [path] : [])),
    ]),
  ].map((mountpoint, index) => ({
    mountpoint,
    found: blind && index % 2 === 0 ? { _tag: 'Unknown', why: 'Unreadable' } : foundAt(world, mountpoint),
  })),
})

/** What disappears late is the layer that was unmounted, and no other. */
const isOnTop = (world: World, { mountpoint, identity }: Effect & { readonly _tag: 'Unmount' }): boolean =>
  placeOf(world, mountpoint).layers[0]?.identity.mountId === identity.mountId

/** Time passes at a mountpoint: what was done there can be seen. */
const appear = (world: World, path: string | undefined): void => {
  const due = world.late.filter((effect) => pathOf(effect) === path)
  for (const effect of due) {
    world.late.splice(world.late.indexOf(effect), 1)
    if (effect._tag !== 'Unmount' || isOnTop(world, effect)) perform(world, effect)
  }
}

/** Ends an effect in one of the ways an effect can end. */
export const endEffect = (world: World, flying: Flying, ending: Ending): void => {
  const { effect } = flying
  appear(world, pathOf(effect))
  if (flying.overdue) {
    // What had timed out ends now: having worked or not.
    withdraw(world, flying)
    if (ending === 'well' || ending === 'effect but error') perform(world, effect)
    feed(world, { _tag: 'Ended', at: world.at, effect: effect.effect, mountpoint: pathOf(effect) })
    return
  }
  if (effect._tag === 'Wait') {
    withdraw(world, flying)
    outcome(world, flying, { _tag: 'Elapsed' }, false)
    return
  }
  if (effect._tag === 'Discover') {
    withdraw(world, flying)
    const fails = ending === 'inconclusive' || ending === 'no effect'
    outcome(
      world,
      flying,
      fails ? { _tag: 'NotDiscovered', reason: 'broken' } : discovered(world, ending === 'silently nothing'),
      false,
    )
    return
  }
  if (ending === 'timed out') {
    flying.overdue = true
    outcome(world, flying, { _tag: 'Unknown', why: 'TimedOut' }, true)
    return
  }
  withdraw(world, flying)
  if (effect._tag === 'Probe') {
    const broken = ending === 'no effect'
    placeOf(world, effect.mountpoint).broken = broken
    outcome(world, flying, broken ? { _tag: 'Broken', errno: 'ENOTCONN' } : { _tag: 'Alive' }, false)
    return
  }
  if (effect._tag === 'Look' && ending !== 'inconclusive') placeOf(world, effect.mountpoint).disturbed = false
  if (ending === 'well' || ending === 'effect but error') perform(world, effect)
  if (ending === 'bare') perform(world, effect, ['rw'])
  if (ending === 'late' && (effect._tag === 'Mount' || effect._tag === 'Unmount')) world.late.push(effect)
  const found: Found =
    ending === 'inconclusive' ? { _tag: 'Unknown', why: 'Unreadable' } : foundAt(world, effect.mountpoint)
  outcome(world, flying, found, ending === 'effect but error' || ending === 'no effect')
}

/** An outcome comes once more, or the end of a delay that was replaced: nothing follows. */
export const echo = (world: World, choice: number): void => {
  const effect = world.ended[choice % world.ended.length]
  if (effect === undefined) return
  const path = pathOf(effect)
  const found = effect._tag === 'Wait' ? ({ _tag: 'Elapsed' } as const) : foundAt(world, path ?? '')
  const input: Input = { _tag: 'Outcome', at: world.at, effect: effect.effect, mountpoint: path, found }
  const { changes, append, then } = decide(world.host, input)
  const led = changes.length + append.length + then.effects.length + then.answers.length
  if (led > 0) breakLaw(world, `section 4: a late ${effect._tag} of ${path ?? 'the host'} leads to ${led} things`)
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
  appear(world, path)
  if (what === 'umount') {
    if (unstack(world, place) !== undefined) place.disturbed = true
  } else if (place.directory) {
    place.layers.unshift(layerFor(world, 'foreign', 'other'))
    place.disturbed = true
  }
}

/** The machine begins again: no layer is there, and ids are given out again, to whatever others have mounted at boot. */
const reboot = (world: World): void => {
  world.boot += 1
  world.freed.splice(0)
  for (const place of world.places.values()) {
    const layers = place.layers.splice(0)
    const [top] = layers
    if (top !== undefined && world.at % 2 === 0) place.layers.push({ identity: top.identity, by: 'other' })
    place.busy = false
  }
}

/** The process dies and another begins: commands that were running end first, as the law on crashes demands. */
export const crash = (world: World, what: 'manager' | 'machine'): void => {
  for (const { effect } of world.flying) appear(world, pathOf(effect))
  if (what === 'machine') reboot(world)
  else for (const { effect } of world.flying) if (world.at % 2 === 0) perform(world, effect)
  world.flying.splice(0)
  world.ended.splice(0)
  world.recorded.claims.clear()
  world.recorded.claimEnded.clear()
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
  for (const place of world.places.values()) {
    place.disturbed = true
    place.isReliedOn = true
    place.retries = 0
  }
  ask(world, { op: 'host-up' })
}
