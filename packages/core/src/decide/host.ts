// The host: down, draining, discovering, retrying, up (the table in R6). The last wish wins; a
// generation begins with a complete discovery and with nothing destroyed (L28, L36).

import { checkReason } from '../check-text.js'
import type { Discover } from '../effect.js'
import type { Host, Reconcile } from '../host.js'
import type { EffectId, RequestId } from '../id.js'
import type { Discovered, HostDownRequest, NotDiscovered, Outcome, ReconcileRequest, Request } from '../input.js'
import type { Mountpoint } from '../mountpoint.js'
import { checkAsked, hostDown, stopped } from './admit.js'
import type { Out } from './draft.js'
import { emit, openDraft, takeEffectId } from './draft.js'
import { patchHost } from './host-part.js'
import { accept, answer, answerRefused, refuse, reply } from './reply.js'
import { beginGeneration, isRepairable, lookAgain, unmanaged } from './generation.js'
import { entriesByMountpoint, staleHolders } from './inventory.js'
import { leaveQueueOf } from './operator.js'
import { differencesAt, doubtLook, wantProbe } from './survey.js'

/** Reads the host: what a generation begins with, or what a reconcile compares with. `changed`: records as they are by now. */
export const discoverEffect = (
  host: Host,
  effect: EffectId,
  changed: ReadonlyMap<string, Mountpoint> = new Map(),
): Discover => {
  const known = [...host.mountpoints.values()].map((entry) => {
    const { path: mountpoint, filesystem, layer } = changed.get(entry.record.path) ?? entry.record
    return { mountpoint, filesystem, ...(layer && { layer }) }
  })
  const roots = host.settings.roots.map((root) => root.path)
  return { _tag: 'Discover', effect, roots, known, deadlineMs: host.settings.deadlinesMs.discover }
}

const emitDiscover = (out: Out): EffectId => {
  const effect = takeEffectId(out)
  // What this very decision has recorded is to be looked for as well.
  const drafts = [...(out.first === undefined ? [] : [out.first]), ...(out.more?.values() ?? [])]
  emit(out, discoverEffect(out.host, effect, new Map(drafts.map(({ record }) => [record.path, record]))))
  patchHost(out, { discovery: effect })
  return effect
}

const startDiscovery = (out: Out): void => {
  patchHost(out, { phase: 'discovering', retry: undefined })
  emitDiscover(out)
}

/** The old generation has answered its last request: the next one may be discovered. */
export const endDraining = (out: Out): void => {
  if (out.phase === 'draining' && out.unansweredNow === 0) startDiscovery(out)
}

export const requestHostUp = (out: Out, request: RequestId, body: Request): void => {
  const { host } = out
  const replied = { request, id: body.id, op: body.op }
  const refusal = checkAsked(out, body) ?? stopped(out)
  if (refusal !== undefined) {
    refuse(out, replied, refusal)
    return
  }
  const unanswered = { ...replied, stream: out.stream, mountpoint: undefined, generation: 0, release: undefined }
  accept(out, unanswered)
  patchHost(out, { hostUps: [...host.hostUps, request] })
  if (out.phase === 'discovering') return
  patchHost(out, { phase: 'draining', retry: undefined })
  endDraining(out)
}

/** Refuses what waits for a generation that will not come now. */
const refuseNext = (out: Out, reason: string): void => {
  for (const unanswered of out.host.requests.values()) {
    if (unanswered.generation <= out.generation) continue
    leaveQueueOf(out, unanswered)
    answerRefused(out, unanswered.request, { _tag: 'HostDown', reason })
  }
}

const refuseReconciles = (out: Out, reason: string): void => {
  for (const { request } of out.host.reconciles) answerRefused(out, request, { _tag: 'HostDown', reason })
  patchHost(out, { reconciles: [] })
}

export const requestHostDown = (out: Out, request: RequestId, body: HostDownRequest): void => {
  const { host } = out
  const wrong = checkAsked(out, body) ?? checkReason(body.reason)
  if (wrong !== undefined) {
    refuse(out, { request, id: body.id, op: body.op }, wrong)
    return
  }
  const reason = body.reason ?? 'the host was taken down'
  if (out.phase !== 'down') {
    refuseNext(out, reason)
    for (const hostUp of host.hostUps) answerRefused(out, hostUp, { _tag: 'Superseded' })
    refuseReconciles(out, reason)
    patchHost(out, { phase: 'down', hostUps: [], discovery: undefined, retry: undefined, downReason: reason })
  }
  reply(out, { request, id: body.id, op: body.op }, { _tag: 'Down', generation: out.generation })
}

const failDiscovery = (out: Out, reason: string): void => {
  const { host } = out
  const nextTryMs = host.settings.delaysMs.discoveryRetry
  refuseNext(out, `discovery failed: ${reason}`)
  for (const hostUp of host.hostUps) answerRefused(out, hostUp, { _tag: 'DiscoveryFailed', reason, nextTryMs })
  refuseReconciles(out, `discovery failed: ${reason}`)
  const effect = takeEffectId(out)
  emit(out, { _tag: 'Wait', effect, mountpoint: undefined, why: 'discovery-retry', delayMs: nextTryMs })
  const downReason = `discovery failed: ${reason}`
  patchHost(out, { phase: 'retrying', hostUps: [], discovery: undefined, retry: effect, downReason })
}

/** A reconcile that arrived after a survey had begun gets another one. */
const nextSurvey = (out: Out, left: readonly Reconcile[]): void => {
  if (left.length === 0) {
    patchHost(out, { reconciles: [], discovery: undefined })
    return
  }
  const survey = emitDiscover(out)
  patchHost(out, { reconciles: left.map((each) => ({ ...each, survey })) })
}

/** Compares what was found with what is recorded; repairs by work that begins with a look of its own. */
const answerReconcile = (out: Out, survey: EffectId, discovered: Discovered | NotDiscovered): void => {
  const reconciles = out.host.reconciles.filter((each) => each.survey === survey)
  nextSurvey(
    out,
    out.host.reconciles.filter((each) => each.survey !== survey),
  )
  if (discovered._tag === 'NotDiscovered') {
    for (const { request } of reconciles) answerRefused(out, request, { _tag: 'Uncertain', why: discovered.reason })
    return
  }
  const apply = reconciles.some((each) => each.apply)
  const inUse = entriesByMountpoint(discovered.inventory)
  const differences = discovered.mountpoints.flatMap(({ mountpoint, found, source, elsewhere }) => {
    const draft = openDraft(out, mountpoint)
    draft.elsewhere = elsewhere
    const different = differencesAt(draft, found, source)
    if (different.length > 0) lookAgain(draft, apply && different.some(isRepairable))
    doubtLook(draft, found)
    const { inventory } = discovered
    const stale = inventory === undefined ? [] : staleHolders(draft, inventory, inUse.get(mountpoint) ?? [])
    return [...different, ...stale, ...unmanaged(draft)]
  })
  const awaiting = discovered.mountpoints
    .map(({ mountpoint }) => mountpoint)
    .filter((mountpoint) => wantProbe(openDraft(out, mountpoint)))
  if (awaiting.length > 0) {
    const surveyed = reconciles.map(({ request, apply: repairs }) => ({
      request,
      apply: repairs,
      awaiting,
      differences,
    }))
    patchHost(out, { surveyed: [...out.host.surveyed, ...surveyed] })
    return
  }
  for (const { request } of reconciles) answer(out, request, { _tag: 'Reconciled', differences })
}

export const requestReconcile = (out: Out, request: RequestId, body: ReconcileRequest): void => {
  const { host } = out
  const replied = { request, id: body.id, op: body.op }
  const refusal = checkAsked(out, body) ?? stopped(out)
  if (refusal !== undefined) {
    refuse(out, replied, refusal)
    return
  }
  if (out.phase !== 'up') {
    refuse(out, replied, hostDown(out))
    return
  }
  accept(out, { ...replied, stream: out.stream, mountpoint: undefined, generation: 0, release: undefined })
  // A survey that is under way began before this request: another one follows it.
  const survey = host.discovery === undefined ? emitDiscover(out) : undefined
  patchHost(out, { reconciles: [...host.reconciles, { request, apply: body.apply, survey }] })
}

/** Takes the outcome of the host's own effects, if it is the one that is awaited. */
export const onHostOutcome = (out: Out, outcome: Outcome): void => {
  const { host } = out
  const { found, effect } = outcome
  if (host.retry === effect && found._tag === 'Elapsed') {
    startDiscovery(out)
    return
  }
  if (host.discovery !== effect) return
  const read = found._tag === 'Discovered' || found._tag === 'NotDiscovered' ? found : undefined
  const said = read ?? { _tag: 'NotDiscovered' as const, reason: 'the host could not be read in time' }
  if (out.phase !== 'discovering') {
    answerReconcile(out, effect, said)
  } else if (said._tag === 'Discovered') {
    beginGeneration(out, said)
  } else {
    failDiscovery(out, said.reason)
  }
}
