// Laws about what is done to the host: judged when the core decides it and when a command has done it.

import type { Decision, Effect, Fact, Found, Input, MountpointEffect, Settings } from '@mountkeeper/core'
import { compareIdentity, layersOf } from '@mountkeeper/core'
import type { ModelHost } from '../model/host.js'
import { mountOf } from '../model/host.js'
import { directoryAt, stackAt, whereElse } from '../model/look.js'
import type { Happening, Simulation } from '../run/simulation.js'
import { foundOf, mayBeOurs } from './chronicle.js'
import type { History, Law, PlaceHistory } from './history.js'
import { ends, judge, keyOf, placeAt, relyingAt, unless } from './history.js'

type Changing = MountpointEffect & { readonly _tag: 'MakeDirectory' | 'Mount' | 'Unmount' | 'RemoveDirectory' }

const isChanging = (effect: Effect): effect is Changing =>
  effect._tag === 'MakeDirectory' ||
  effect._tag === 'Mount' ||
  effect._tag === 'Unmount' ||
  effect._tag === 'RemoveDirectory'

/** What the input of a decision has just shown of the mountpoint that an effect is for. */
const shownTo = (input: Input, effect: Changing): Found | undefined =>
  input._tag === 'Outcome' && input.mountpoint === effect.mountpoint ? foundOf(input) : undefined

const judgeCheck = (history: History, place: PlaceHistory, input: Input, effect: Changing): void => {
  const found = shownTo(input, effect)
  const where = `${effect._tag} on ${place.path}`
  judge(history, 'L28', unless(history.cameUp, `${where} before the host has come up`))
  judge(history, 'L17', unless(found?._tag !== 'Unknown', `${where} although the look was inconclusive`))
  judge(history, 'L3', unless(found !== undefined, `${where} without a look just before it`))
}

const judgeClaimed = (history: History, place: PlaceHistory, input: Input, effect: Changing): void => {
  if (effect._tag !== 'MakeDirectory' && effect._tag !== 'Mount') return
  const { claim } = place.decided
  const where = `${effect._tag} on ${place.path}`
  judge(history, 'L3', unless(claim !== undefined, `${where} without a claim`))
  const found = shownTo(input, effect)?._tag
  const wanted = effect._tag === 'Mount' ? 'Directory' : 'NoDirectory'
  judge(history, 'L6', unless(found === wanted, `${where} where the last look showed ${found ?? 'nothing'}`))
}

/** Whether the layer that was on top at the last look may be mistaken for ours, by who has mounted it. */
const isOursOnTop = (place: PlaceHistory, host: ModelHost): boolean => {
  const [top] = stackAt(host, place.path)
  if (top === undefined) return false
  const { by, serial } = mountOf(host, top)
  return by === 'us' || place.mistakable.has(serial)
}

const judgeUnmount = (
  history: History,
  place: PlaceHistory,
  input: Input,
  effect: Effect,
  simulation: Simulation,
): void => {
  if (effect._tag !== 'Unmount') return
  const where = `Unmount of ${place.path}`
  const [top] = layersOf(shownTo(input, effect) ?? { _tag: 'NoDirectory' })
  const isTop = top !== undefined && compareIdentity(effect.identity, top) === 'same'
  judge(history, 'L20', unless(isTop && place.seen?.of === 'Look', `${where}, which no look has just shown on top`))
  const { layer } = place.decided
  const isRecorded = layer !== undefined && compareIdentity(layer, effect.identity) === 'same'
  judge(history, 'L34', unless(isRecorded, `${where}, which no fact calls ours`))
  judge(history, 'L29', unless(isRecorded, `${where} by an identity that is not of this boot`))
  if (place.seen !== undefined) {
    judge(history, 'L34', unless(isOursOnTop(place, place.seen.host), `${where}, which a third party has mounted`))
  }
  const isReplaced = simulation.settings.policies.broken === 'remount' && place.dead
  const certain = isReplaced ? [] : relyingAt(history, place)
  judge(history, 'L2', unless(certain.length === 0, `${where} under ${certain.join(' and ')}`))
  judge(history, 'L2', unless(place.decided.claim === undefined, `${where} under a claim`))
}

const judgeRemove = (history: History, place: PlaceHistory, input: Input, effect: Effect): void => {
  if (effect._tag !== 'RemoveDirectory') return
  const where = `RemoveDirectory of ${place.path}`
  const found = shownTo(input, effect)?._tag
  judge(history, 'L11', unless(found === 'Directory', `${where}, which is not proven unmounted`))
  judge(history, 'L11', unless(place.decided.directory === 'ours', `${where}, which no fact calls ours`))
  const host = place.seen?.host
  const directory = host === undefined ? undefined : directoryAt(host, place.path)
  if (host === undefined || directory === undefined) return
  judge(history, 'L11', unless(mayBeOurs(history, place, host, directory), `${where}, which a third party has made`))
}

const ladderAt = (settings: Settings, path: string): string =>
  settings.roots.find((root) => path.startsWith(`${root.path}/`))?.ladder ?? 'off'

const judgeLadder = (history: History, place: PlaceHistory, effect: Effect, settings: Settings): void => {
  if (effect._tag !== 'Unmount' || effect.how === 'plain') return
  const ladder = ladderAt(settings, place.path)
  const allowed = ladder === 'lazy' || (ladder === 'force' && effect.how === 'force')
  judge(history, 'L13', unless(allowed, `Unmount of ${place.path} ${effect.how}, which no policy allows`))
}

const judgeAlone = (history: History, place: PlaceHistory, effect: MountpointEffect, settings: Settings): void => {
  const others = [...place.flying].filter(([id]) => id !== effect.effect && !place.overdue.has(id))
  const where = `${effect._tag} on ${place.path}`
  judge(history, 'L22', unless(others.length === 0, `${where} beside ${others[0]?.[1].effect._tag ?? ''}`))
  if (place.overdue.size === 0) return
  const climbs = ladderAt(settings, place.path) !== 'off' && (effect._tag === 'Look' || effect._tag === 'Unmount')
  judge(history, 'L23', unless(climbs, `${where}, which an overdue effect owns`))
}

/** Delays are bounded and grow as they are to (L25). */
const judgeWait = (history: History, effect: Effect, settings: Settings): void => {
  if (effect._tag !== 'Wait' || effect.mountpoint === undefined) return
  const place = placeAt(history, effect.mountpoint)
  const { backOffFirst, backOffCeiling, unmountRetry } = settings.delaysMs
  if (effect.why === 'unmount-retry') {
    place.retriesInRow += 1
    const most = Math.max(unmountRetry.length, ladderAt(settings, place.path) === 'lazy' ? 3 : 2)
    judge(history, 'L25', unless(place.retriesInRow <= most, `${place.retriesInRow} retries in a row at ${place.path}`))
    return
  }
  // A second look at what an unmount did belongs to its attempt.
  if (effect.why === 'settle') return
  place.retriesInRow = 0
  if (effect.why !== 'back-off') return
  const last = place.lastBackOffMs
  const isNext = effect.delayMs === backOffFirst || effect.delayMs === Math.min(last * 2, backOffCeiling)
  judge(history, 'L25', unless(isNext, `a back-off of ${effect.delayMs} ms after one of ${last} ms`))
  place.lastBackOffMs = effect.delayMs
}

const judgeDecision = (history: History, input: Input, decision: Decision, simulation: Simulation): void => {
  const { settings } = simulation
  for (const effect of decision.then.effects) {
    judgeWait(history, effect, settings)
    if (effect._tag === 'Wait' || effect._tag === 'Discover') continue
    const place = placeAt(history, effect.mountpoint)
    judgeAlone(history, place, effect, settings)
    if (!isChanging(effect)) continue
    judgeCheck(history, place, input, effect)
    judgeClaimed(history, place, input, effect)
    judgeUnmount(history, place, input, effect, simulation)
    judgeRemove(history, place, input, effect)
    judgeLadder(history, place, effect, settings)
  }
  if (input._tag === 'Stopped') {
    const changing = decision.then.effects.find(isChanging)
    judge(history, 'L31', unless(changing === undefined, `a stop leads to ${changing?._tag ?? ''}`))
  }
  judgeTable(history, input, decision)
}

/** The end of a holder that no request asked for. */
const isUnasked = (history: History, fact: Fact): boolean =>
  fact._tag === 'Left' &&
  ![...history.asked.values()].some(({ body }) => ends(body, fact.mountpoint, keyOf(fact.volume, fact.consumer)))

/** What a look has shown beats what was remembered, and a failed unmount ends nothing (L35, L14). */
const judgeTable = (history: History, input: Input, { append: facts }: Decision): void => {
  const found = foundOf(input)
  if (found === undefined || found._tag === 'Unknown' || input._tag !== 'Outcome' || input.mountpoint === undefined)
    return
  const place = placeAt(history, input.mountpoint)
  if (place.seen?.found !== found || place.seen.isStale) return
  const { layer } = place.decided
  if (layer === undefined) return
  const isAtPath = layersOf(found).some((each) => compareIdentity(layer, each) !== 'other')
  const isElsewhere = input.elsewhere !== undefined && input.elsewhere === whereElse(place.seen.host, layer, found)
  const isThere = isAtPath || isElsewhere
  judge(history, 'L35', unless(isThere, `${place.path} is remembered as mounted although the look shows it is not`))
  const isAnother = facts.some(({ _tag }) => _tag === 'Mounted' || _tag === 'Adopted')
  if (place.seen.of !== 'Unmount' || !isThere || isAnother) return
  const ended = facts.find(
    (fact) => fact._tag === 'Unmounted' || fact._tag === 'DirectoryRemoved' || isUnasked(history, fact),
  )
  judge(history, 'L14', unless(ended === undefined, `a failed unmount of ${place.path} led to ${ended?._tag ?? ''}`))
}

const serialsAt = (host: ModelHost, path: string): readonly number[] =>
  stackAt(host, path).map((id) => mountOf(host, id).serial)

const judgeActed = (history: History, acted: Happening & { readonly _tag: 'Acted' }, simulation: Simulation): void => {
  const { effect, before, after, how } = acted
  const place = placeAt(history, effect.mountpoint)
  if (effect._tag === 'Mount' && after !== before) {
    const ours = stackAt(after, place.path).filter((id) => mountOf(after, id).by === 'us').length
    if (!place.doubled) judge(history, 'L6', unless(ours <= 1, `${ours} layers of ours on ${place.path}`))
  }
  if (effect._tag !== 'Unmount') return
  const left = new Set(serialsAt(after, place.path))
  const gone = stackAt(before, place.path).filter((id) => !left.has(mountOf(before, id).serial))
  if (gone.length === 0) return
  const isReplaced = simulation.settings.policies.broken === 'remount' && place.dead
  const certain = isReplaced ? [] : relyingAt(history, place)
  judge(history, 'L2', unless(certain.length === 0, `${place.path} is unmounted under ${certain.join(' and ')}`))
  if (how !== 'checked') return
  const foreign = gone.filter((id) => {
    const { by, serial } = mountOf(before, id)
    return by !== 'us' && !place.mistakable.has(serial)
  })
  judge(history, 'L34', unless(foreign.length === 0, `a layer of a third party is taken off ${place.path}`))
}

/** R4.6, R4.8: what does not belong to the effect in flight changes nothing, and what is only observed changes no host. */
const judgeEcho = (history: History, input: Input, decision: Decision, isEcho: boolean): void => {
  const { changes, append, then } = decision
  if (isEcho) {
    const led = changes.length + append.length + then.effects.length + then.answers.length
    judge(history, 'section 4', unless(led === 0, `an outcome that no request waits for leads to ${led} things`))
  } else if (input._tag === 'Observed') {
    const changing = then.effects.find(isChanging)
    judge(history, 'section 4', unless(changing === undefined, `an observation leads to ${changing?._tag ?? ''}`))
  }
}

/** Nothing is started whose reason is not durable (L30). */
const judgeStarted = (history: History, effect: Effect): void => {
  if (effect._tag === 'Wait' || effect._tag === 'Discover' || !isChanging(effect)) return
  const { claim, unmounting } = placeAt(history, effect.mountpoint).durable
  if (effect._tag === 'Unmount') {
    const isIntended = unmounting !== undefined && compareIdentity(unmounting, effect.identity) === 'same'
    judge(history, 'L30', unless(isIntended, `Unmount of ${effect.mountpoint} without a durable Unmounting`))
  } else if (effect._tag !== 'RemoveDirectory') {
    judge(history, 'L30', unless(claim !== undefined, `${effect._tag} on ${effect.mountpoint} without a durable claim`))
  }
}

/** The laws about effects. */
export const effectLaws: Law = (history, happening, simulation) => {
  switch (happening._tag) {
    case 'Decided':
      judgeEcho(history, happening.input, happening.decision, happening.isEcho)
      judgeDecision(history, happening.input, happening.decision, simulation)
      return
    case 'Started':
      judgeStarted(history, happening.effect)
      return
    case 'Acted':
      judgeActed(history, happening, simulation)
      return
    default:
  }
}
