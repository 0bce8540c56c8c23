// Laws about answers: judged when the core decides it and when it leaves.

import type { Answer, Attached, AttachRequest, Detached, Input, Request, Status } from '@mountkeeper/core'
import { compareIdentity, layersOf } from '@mountkeeper/core'
import type { ModelHost } from '../model/host.js'
import { mountOf } from '../model/host.js'
import { identityOf, stackAt, submountsOf } from '../model/look.js'
import { agrees, lacks, significant } from './agreement.js'
import { noteAnswer } from './chronicle.js'
import type { History, Law, PlaceHistory } from './history.js'
import { certainAt, isCertain, isCertainlyGone, judge, keyOf, placeAt, unless } from './history.js'

const judgeAttached = (history: History, body: AttachRequest, attached: Attached, since: number): void => {
  const place = placeAt(history, body.mountpoint)
  const { seen } = place
  const who = `${keyOf(body.volume, body.consumer)} is answered ${attached.mount} at ${place.path}`
  judge(history, 'L21', unless(seen !== undefined && seen.since > since, `${who} without a look since it asked`))
  if (seen === undefined) return
  const [top] = layersOf(seen.found)
  const { layer } = place.decided
  const isOurs = top !== undefined && layer !== undefined && compareIdentity(layer, top) === 'same'
  judge(history, 'L16', unless(isOurs, `${who} although ours is not on top`))
  const [id] = stackAt(seen.host, place.path)
  const isMistaken = id !== undefined && place.mistaken.has(mountOf(seen.host, id).serial)
  const isRight = isMistaken || (id !== undefined && agrees(seen.host, body.filesystem, id))
  judge(history, 'L16', unless(isRight, `${who} although something else is mounted`))
  const entry = id === undefined ? undefined : mountOf(seen.host, id)
  const lacking = id === undefined || layer === undefined ? [] : lacks(seen.host, body.filesystem, id, layer)
  judge(history, 'L16', unless(lacking.length === 0, `${who} although the layer lacks ${lacking.join(', ')}`))
  const isKnown = entry !== undefined && (entry.by === 'us' || place.mistakable.has(entry.serial))
  if (attached.mount === 'adopted') place.mistakable.add(entry?.serial ?? -1)
  else judge(history, 'L34', unless(isKnown, `${who} on a layer of a third party`))
  const isHiding = submountsOf(seen.host, body.filesystem, place.path).length > 0
  const isWarned = attached.warnings.some(({ _tag }) => _tag === 'SubmountsHidden')
  judge(history, 'L41', unless(isHiding === isWarned, `${who}, and ${isWarned ? 'warned' : 'not warned'} of submounts`))
  for (const [key, standing] of place.standings) {
    if (standing.filesystem === undefined || !isCertain(history, place, key)) continue
    const same = significant(standing.filesystem) === significant(body.filesystem)
    judge(history, 'L5', unless(same, `${who} beside ${key}, who holds another filesystem`))
  }
}

const countsAt = (place: PlaceHistory): { readonly held: number; readonly unknown: number } => {
  const all = [...place.standings.values()]
  return {
    held: all.filter(({ is }) => is === 'held').length,
    unknown: all.filter(({ is }) => is === 'unknown').length,
  }
}

/** Whether what we mounted here is shown at another path. */
const isMountedElsewhere = (host: ModelHost, { path, formerly }: PlaceHistory): boolean =>
  [...host.mounts].some(
    ([id, { namespace, by, mountedOn }]) =>
      namespace === host.own &&
      by === 'us' &&
      mountedOn === path &&
      formerly.some((each) => compareIdentity(each, identityOf(host, id)) === 'same'),
  )

const judgeDetached = (history: History, place: PlaceHistory, detached: Detached): void => {
  const { mount, directory, holdersLeft } = detached
  const { found } = place.seen ?? {}
  const where = `a detach at ${place.path} is answered ${mount}, ${directory}`
  const certain = certainAt(history, place).length
  const { held, unknown } = countsAt(place)
  const isCounted = holdersLeft >= certain && holdersLeft <= held + unknown
  judge(history, 'L1', unless(isCounted, `${where}, ${holdersLeft} left where ${certain} to ${held + unknown} hold`))
  if (directory === 'removed') {
    judge(history, 'L41', unless(found?._tag === 'NoDirectory', `${where} although the directory was seen`))
  }
  const { layer } = place.decided
  if (mount === 'unmounted' || mount === 'detached') {
    judge(history, 'L10', unless(layer === undefined, `${where} although our layer was seen last`))
    const ours = place.seen === undefined ? [] : stackAt(place.seen.host, place.path)
    // Below a root that was covered while the manager began, what was hidden is treated as gone.
    const isOff =
      place.doubled ||
      history.rootChanged ||
      !ours.some((id) => place.seen !== undefined && mountOf(place.seen.host, id).by === 'us')
    judge(history, 'L10', unless(isOff, `${where} although a layer of ours is there`))
    const moved = place.seen !== undefined && !place.doubled && isMountedElsewhere(place.seen.host, place)
    judge(history, 'L10', unless(!moved || history.entangled, `${where} although its layer is mounted elsewhere`))
  }
  if (mount === 'vacant')
    judge(history, 'L41', unless(layer !== undefined, `${where} although no layer of ours is known`))
  if (mount === 'absent')
    judge(history, 'L41', unless(layer === undefined, `${where} although a layer of ours is known`))
}

const REFUSALS_OF_LEAVING = new Set(['HostDown', 'Invalid', 'NotManaged', 'Overloaded', 'Cancelled', 'Stopped'])

const judgeAnswer = (history: History, answer: Answer): void => {
  const asked = history.asked.get(answer.request)
  if (asked === undefined) return
  const { body, since } = asked
  if ('mountpoint' in body) placeAt(history, body.mountpoint).retriesInRow = 0
  if (!answer.ok) {
    if (body.op !== 'detach' && body.op !== 'release') return
    const { _tag } = answer.error
    judge(history, 'L12', unless(REFUSALS_OF_LEAVING.has(_tag), `a ${body.op} is refused ${_tag}`))
    return
  }
  const { result } = answer
  if (body.op === 'attach' && result._tag === 'Attached') judgeAttached(history, body, result, since)
  if (body.op === 'detach' && result._tag === 'Detached')
    judgeDetached(history, placeAt(history, body.mountpoint), result)
}

/** What a status shows of who holds what, against the answers that callers got (L1, L4, L7, L9, L30). */
const judgeStatus = (history: History, status: Status, lifeHasJustBegun: boolean): void => {
  const paths = status.mountpoints.map(({ mountpoint }) => mountpoint)
  judge(history, 'L4', unless(new Set(paths).size === paths.length, 'a mountpoint has two records'))
  const law = lifeHasJustBegun ? 'L30' : 'L1'
  for (const place of history.places.values()) {
    const shown = status.mountpoints.find(({ mountpoint }) => mountpoint === place.path)
    const keys = (shown?.holders ?? []).map(({ volume, consumer }) => keyOf(volume, consumer))
    judge(history, 'L1', unless(new Set(keys).size === keys.length, `a holder of ${place.path} is there twice`))
    for (const key of certainAt(history, place)) {
      judge(history, law, unless(keys.includes(key), `${key} was answered Attached at ${place.path}, and is no holder`))
    }
    for (const key of keys) {
      const isGone = isCertainlyGone(history, place, key)
      judge(history, 'L7', unless(!isGone, `${key} holds ${place.path}, and was never answered or has left`))
    }
    const { layer } = place.decided
    if (layer !== undefined) {
      judge(history, 'L9', unless(shown !== undefined, `our layer on ${place.path} has no record`))
    }
  }
}

const judgeDeadline = (history: History, input: Input, body: Request | undefined): void => {
  if (input._tag !== 'Deadline' || body === undefined) return
  const isAnswered = !history.open.has(input.request)
  judge(history, 'L45', unless(isAnswered, `request ${input.request} (${body.op}) is not answered at its deadline`))
}

/** What is answered is durable (L30): a holder for `Attached`, its end for `Detached`. */
const judgeTold = (history: History, answer: Answer): void => {
  const body = history.asked.get(answer.request)?.body
  if (!answer.ok || body === undefined || (body.op !== 'attach' && body.op !== 'detach')) return
  const place = placeAt(history, body.mountpoint)
  const key = keyOf(body.volume, body.consumer)
  if (answer.result._tag === 'Attached') {
    const isDurable = place.everHeld.has(key)
    judge(history, 'L30', unless(isDurable, `${key} is answered Attached at ${place.path} before that is durable`))
  } else if (answer.result._tag === 'Detached' && answer.result.holder === 'removed') {
    const isDurable = place.everLeft.has(key)
    judge(history, 'L30', unless(isDurable, `${key} is answered Detached at ${place.path} before that is durable`))
  }
}

/** The laws about answers; takes each into the history before it is judged. */
export const answerLaws: Law = (history, happening) => {
  if (happening._tag === 'Told') {
    judgeTold(history, happening.answer)
    return
  }
  if (happening._tag !== 'Decided') return
  const { input, decision } = happening
  for (const answer of decision.then.answers) {
    noteAnswer(history, answer)
    judgeAnswer(history, answer)
    if (answer.ok && answer.result._tag === 'Status') judgeStatus(history, answer.result, answer.request === 1)
  }
  if (input._tag === 'Deadline') judgeDeadline(history, input, history.asked.get(input.request)?.body)
}
