// Generations: where one begins, by what discovery has found at each mountpoint, and with nothing destroyed (L28, L36).

import type { Difference, Warning } from '../answer.js'
import { checkFilesystem } from '../check.js'
import type { Found, SourceSeen } from '../found.js'
import type { Goal } from '../goal.js'
import { mountingFor } from '../goal.js'
import type { Host } from '../host.js'
import type { Discovered, RootSeen } from '../input.js'
import { advance, endHolder } from './advance.js'
import type { Draft, Out } from './draft.js'
import { everyHolder, holdersLeft, openDraft, set, setWork } from './draft.js'
import { patchHost, recordOfHost } from './host-part.js'
import { answer, pathsOf } from './reply.js'
import { compareWithInventory, entriesByMountpoint } from './inventory.js'
import { onLook } from './outcome.js'
import { lookNow } from './request.js'
import { endClaim, noteDirectory, noteUnmounted, settingsOf, startWork, wantSlot, whyThere } from './steps.js'
import { differencesAt } from './survey.js'
import { endAttempts } from './unmount.js'

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
export const unmanaged = (draft: Draft): readonly Difference[] => {
  const { path, root, filesystem } = draft.record
  const wrong = filesystem === undefined ? undefined : checkFilesystem(settingsOf(draft), filesystem)
  const why = root === undefined ? 'is not below a managed root' : wrong && `${wrong.field} ${wrong.why}`
  if (why === undefined) return []
  return [{ _tag: 'unmanaged', mountpoint: path, text: `${why}; it can be detached and released, not attached` }]
}

/** A difference that a repair can correct; the others need a person. */
export const isRepairable = ({ _tag }: Difference): boolean =>
  _tag === 'lost' || _tag === 'vacant' || _tag === 'leftover-directory' || _tag === 'uncertain'

/**
 * A look of its own for what rests here, so that the record says what is there (L35); with `apply`, what the record shows to
 * be wrong is put right after it.
 */
export const lookAgain = (draft: Draft, apply: boolean): void => {
  const { record, entry } = draft
  const resting = record.work === undefined && record.overdue.length === 0
  if (entry === undefined || !resting || record.waiting.length > 0 || record.reason?._tag === 'KeptByPolicy') return
  const repair: Goal = holdersLeft(draft) > 0 ? mountingFor('Remount') : { _tag: 'CleanUp' }
  set(draft, { backOffMs: 0, wait: undefined, reason: undefined })
  startWork(draft, apply ? repair : { _tag: 'Look' })
  wantSlot(draft, true)
}

export const beginGeneration = (out: Out, discovered: Discovered): void => {
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
