// The host: down, draining, discovering, retrying, up (the table in R6). The last wish wins; a
// generation begins with a complete discovery and with nothing destroyed (L28, L36).

import type { Difference, Warning } from '../answer.js'
import type { Discover } from '../effect.js'
import type { Found, SourceSeen } from '../found.js'
import type { Goal } from '../goal.js'
import { mountingFor } from '../goal.js'
import type { Host, Mountpoint, Reconcile } from '../host.js'
import type { EffectId, RequestId } from '../id.js'
import type {
  Discovered,
  HostDownRequest,
  NotDiscovered,
  Outcome,
  ReconcileRequest,
  Request,
  RootSeen,
} from '../input.js'
import { checkFilesystem, checkReason } from '../check.js'
import { advance, endHolder } from './advance.js'
import { entriesByMountpoint, staleHolders, compareWithInventory } from './inventory.js'
import type { Draft, Out } from './draft.js'
import {
  answer,
  answerRefused,
  everyHolder,
  holdersLeft,
  openDraft,
  patchHost,
  pathsOf,
  refuse,
  reply,
  set,
  setWork,
  takeEffectId,
  emit,
  recordOfHost,
  accept,
} from './draft.js'
import { onLook } from './outcome.js'
import { leaveQueueOf } from './operator.js'
import { checkAsked, hostDown, lookNow, stopped } from './request.js'
import { endClaim, noteDirectory, noteUnmounted, settingsOf, startWork, wantSlot, whyThere } from './steps.js'
import { differencesAt, doubtLook, wantProbe } from './survey.js'
import { endAttempts } from './unmount.js'

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

const propagationWarnings = (roots: readonly RootSeen[]): readonly Warning[] =>
  roots
    .filter((root) => root.propagation !== 'shared')
    .map((root) => ({
      _tag: 'PropagationNotShared',
      text: `${root.path} is ${root.propagation}: mounts that are unmounted here may stay mounted in other mount namespaces until their directory is removed, which detaches them there while in use; make the root shared (mount --make-shared)`,
    }))

/**
 * Whether recorded identities mean anything here: the same boot and mount namespace; another namespace, or none that is known;
 * another boot.
 */
type Bound = 'here' | 'elsewhere' | 'reboot'

const boundTo = (host: Host, { boot, mountNamespace }: Discovered): Bound => {
  // A damaged journal may have lost when the host came up. An identity of no known boot proves nothing, and neither does it
  // prove a reboot, by which policy might drop holders.
  if (host.boot === undefined) return 'elsewhere'
  if (host.boot !== boot) return 'reboot'
  return host.mountNamespace === mountNamespace ? 'here' : 'elsewhere'
}

/**
 * Identities and claims are bound to a boot and a mount namespace: in another one none of our layers exists, and a mount that an open
 * intent explains cannot be distinguished from mounts of others. A directory is not bound: one that was to be made for the claim, and
 * is there, is ours. Where the look was inconclusive it is recorded as ours, and the next conclusive look corrects that: the intent,
 * which knew of it, ends here.
 */
const unbind = (draft: Draft, found: Found): void => {
  const { layer, intent, directory } = draft.record
  const intended = intent?.found._tag === 'NoDirectory' && directory !== 'ours'
  const mayBeThere = found._tag !== 'NoDirectory' && found._tag !== 'Obstacle'
  if (intended && mayBeThere) noteDirectory(draft, 'DirectoryMade')
  if (layer !== undefined || intent !== undefined) noteUnmounted(draft, 'other')
  set(draft, { unresolved: undefined })
}

/** Begins the new generation at one mountpoint, by what was found there. */
const beginAt = (draft: Draft, found: Found, source: SourceSeen | undefined, bound: Bound): void => {
  const { overdue, work } = draft.record
  const { keepMountedMs, afterReboot } = draft.out.host.settings.policies
  // What is still under way is handed over: it keeps its own mountpoint and holds up nothing else.
  if (overdue.length > 0 || work !== undefined) return
  if (bound !== 'here') unbind(draft, found)
  if (bound === 'reboot' && afterReboot === 'drop') {
    for (const { volume, consumer } of everyHolder(draft)) endHolder(draft, volume, consumer)
  }
  endClaim(draft, 'open')
  const kept = keepMountedMs > 0
  set(draft, { wait: undefined, backOffMs: 0, reason: undefined, lastError: undefined })
  startWork(draft, { _tag: 'Look' })
  onLook(draft, found, source)
  const vacant = draft.record.layer !== undefined && holdersLeft(draft) === 0
  if (vacant && kept && whyThere(draft) === undefined) set(draft, { reason: { _tag: 'KeptByPolicy' } })
  if (bound !== 'reboot' || afterReboot !== 'remount' || holdersLeft(draft) === 0) return
  // After a reboot nothing of ours is there. Where the look was inconclusive, the next conclusive one leads on to the mount.
  if (draft.record.work !== undefined) {
    setWork(draft, { goal: mountingFor('Remount') })
    return
  }
  startWork(draft, mountingFor('Remount'))
  wantSlot(draft, true)
}

/** A record outside today's roots or lists is kept and can be detached; it only takes no new attachments. */
const unmanaged = (draft: Draft): readonly Difference[] => {
  const { path, root, filesystem } = draft.record
  const wrong = filesystem === undefined ? undefined : checkFilesystem(settingsOf(draft), filesystem)
  const why = root === undefined ? 'is not below a managed root' : wrong && `${wrong.field} ${wrong.why}`
  if (why === undefined) return []
  return [{ _tag: 'unmanaged', mountpoint: path, text: `${why}; it can be detached and released, not attached` }]
}

/** A difference that a repair can correct; the others need a person. */
const isRepairable = ({ _tag }: Difference): boolean =>
  _tag === 'lost' || _tag === 'vacant' || _tag === 'leftover-directory' || _tag === 'uncertain'

/**
 * A look of its own for what rests here, so that the record says what is there (L35); with `apply`, what the record shows to
 * be wrong is put right after it.
 */
const lookAgain = (draft: Draft, apply: boolean): void => {
  const { record, entry } = draft
  const resting = record.work === undefined && record.overdue.length === 0
  if (entry === undefined || !resting || record.waiting.length > 0 || record.reason?._tag === 'KeptByPolicy') return
  const repair: Goal = holdersLeft(draft) > 0 ? mountingFor('Remount') : { _tag: 'CleanUp' }
  set(draft, { backOffMs: 0, wait: undefined, reason: undefined })
  startWork(draft, apply ? repair : { _tag: 'Look' })
  wantSlot(draft, true)
}

const beginGeneration = (out: Out, discovered: Discovered): void => {
  const { host } = out
  const generation = out.generation + 1
  const { boot, mountNamespace, roots } = discovered
  const bound = boundTo(host, discovered)
  const waiting = [...host.requests.values()].filter((each) => each.generation === generation)
  patchHost(out, {
    phase: 'up',
    generation,
    boot,
    mountNamespace,
    roots: roots.map(({ path, mountId, directory }) => ({ path, mountId, directory })),
    notShared: roots.filter(({ propagation }) => propagation !== 'shared').map(({ path }) => path),
    unansweredNow: waiting.length,
    hostUps: [],
    discovery: undefined,
    downReason: '',
  })
  const inUse = entriesByMountpoint(discovered.inventory)
  const repairs = host.reconciles.some((each) => each.apply)
  const drift = discovered.mountpoints.flatMap(({ mountpoint, found, source, elsewhere }) => {
    const draft = openDraft(out, mountpoint)
    // In another boot or namespace an identity of this one means another mount.
    draft.elsewhere = bound === 'here' ? elsewhere : undefined
    if (draft.entry !== undefined) beginAt(draft, found, source, bound)
    const used =
      discovered.inventory === undefined
        ? []
        : compareWithInventory(draft, found, discovered.inventory, inUse.get(mountpoint) ?? [])
    const differences = [...differencesAt(draft, found, source), ...used, ...unmanaged(draft)]
    endAttempts(draft)
    advance(draft)
    if (repairs && differences.some(isRepairable)) lookAgain(draft, true)
    return differences
  })
  // Last: until it is durable, what follows from another boot is found out again.
  recordOfHost(out, { _tag: 'HostCameUp', at: out.at, generation, boot, mountNamespace })
  for (const path of waiting.flatMap(pathsOf)) {
    const draft = openDraft(out, path)
    // Where discovery was inconclusive, a request that has waited for it is served, or answered, by a look of its own.
    lookNow(draft)
    advance(draft)
  }
  const warnings = propagationWarnings(roots)
  for (const hostUp of host.hostUps) answer(out, hostUp, { _tag: 'Up', generation, drift, warnings })
  // A discovery begins after all that were asked before it.
  for (const { request } of [...host.surveyed, ...host.reconciles]) {
    answer(out, request, { _tag: 'Reconciled', differences: drift })
  }
  patchHost(out, { reconciles: [], surveyed: [] })
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
