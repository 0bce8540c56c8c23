// Joining: an attach meets what is mounted already. Ours is shared only where it still is what is asked for (`agreement`), and a
// layer of others becomes ours only where its type's entry identifies the data (`isAdoptable`).

import { ruleOf } from '../agree.js'
import type { AttachError } from '../answer.js'
import type { Broken, Conflict, MountFailed, Overloaded } from '../refusal.js'
import type { Filesystem } from '../filesystem.js'
import type { Found, Identity, SourceSeen } from '../found.js'
import type { Mounting } from '../goal.js'
import { mountingOf } from '../goal.js'
import type { Agreement } from '../layer.js'
import { agreement, isAdoptable, isAdoptableType } from '../layer.js'
import { memoryOf, takenBy } from '../memory.js'
import type { Draft } from './draft.js'
import { holdersLeft, recordFact, set, setMounting } from './draft.js'
import { refuseWaiting } from './leave.js'
import { adopt, knownSource, share } from './hold.js'
import { noteRemountFailure } from './rollback.js'
import { otherWith } from './see.js'
import { NO_REQUEST, emitProbe, emitUnmount, finish, servedHead, settingsOf, shares } from './steps.js'

/** Refuses the attach that is served, where nothing has to be rolled back. */
export const refuseServed = (draft: Draft, error: AttachError): void => {
  const head = servedHead(draft)
  if (draft.record.work?.goal._tag === 'Remount') noteRemountFailure(draft, error)
  finish(draft)
  if (head !== undefined) refuseWaiting(draft, head, error)
}

/** Layers are mounted there, and none of them is ours. */
export const meetForeign = (
  draft: Draft,
  filesystem: Filesystem,
  layers: readonly Identity[],
  source: SourceSeen | undefined,
): void => {
  const settings = settingsOf(draft)
  const [top] = layers
  const adoptable =
    settings.policies.foreign === 'adopt' &&
    top !== undefined &&
    otherWith(draft, top) === undefined &&
    holdersLeft(draft) === 0 &&
    isAdoptable(settings, filesystem, top, source)
  if (adoptable && servedHead(draft) !== undefined) adopt(draft, filesystem, layers, top, source)
  else refuseServed(draft, { _tag: 'Foreign', layers })
}

/** A layer that was adopted because it is in use: the first attach that it fits says what it is. */
const nameAdopted = (draft: Draft, filesystem: Filesystem, layer: Identity, source: SourceSeen | undefined): void => {
  const { out, record } = draft
  if (record.filesystem !== undefined || !isAdoptable(settingsOf(draft), filesystem, layer, source)) return
  const known = knownSource(source)
  recordFact(draft, { _tag: 'Adopted', at: out.at, mountpoint: record.path, identity: layer, filesystem, ...known })
  set(draft, { seen: layer })
}

/** Refuses the attach that is served, and all that asked for the same before the look that shows why. */
export const refuseSharing = (
  draft: Draft,
  filesystem: Filesystem,
  error: Conflict | Broken | MountFailed | Overloaded,
): void => {
  const { waiting, work } = draft.record
  const head = servedHead(draft)
  const lookedFor = work?.lookedFor ?? NO_REQUEST
  const sharing = waiting.filter(
    (each) => each !== head && each.request <= lookedFor && shares(draft, each.filesystem, filesystem),
  )
  refuseServed(draft, error)
  for (const each of sharing) refuseWaiting(draft, each, error)
}

/** What a mount needs, and the look has not found. */
const missing = ({
  missingHelper,
  missingSource,
}: Draft): Pick<MountFailed, 'step' | 'component' | 'why'> | undefined => {
  if (missingHelper !== undefined) {
    return { step: 'helper', component: missingHelper, why: `${missingHelper} is not installed; install it` }
  }
  return missingSource === undefined
    ? undefined
    : { step: 'source', component: missingSource, why: `${missingSource} does not exist; create it, then attach again` }
}

/**
 * Refuses what nothing on this host can mount, before a claim is made and before a layer makes room for it; true if so. A
 * source that comes to exist while its mount runs would be mounted without anything to compare it with.
 */
export const refuseForMissing = (draft: Draft, filesystem: Filesystem, found: Found): boolean => {
  const lacking = missing(draft)
  if (lacking === undefined) return false
  const why = `${filesystem.type} cannot be mounted on ${draft.record.path}: ${lacking.why}`
  refuseSharing(draft, filesystem, { _tag: 'MountFailed', ...lacking, why, found, rollback: [] })
  return true
}

/**
 * Refuses what would take more memory of this host than all of it together may; true if so. It is `Overloaded`, and no fault of
 * the request: the same one is served when others have left. A layer that is mounted again for its holders is not refused.
 */
export const refuseForMemory = (draft: Draft, filesystem: Filesystem): boolean => {
  const { out, record } = draft
  const { settings, memory } = out.host
  const { memoryBytes } = settings.limits
  if (memoryBytes === undefined || servedHead(draft) === undefined) return false
  const others = memory - takenBy(settings, out.host.mountpoints.get(record.path)?.record)
  const wanted = memoryOf(ruleOf(settings, filesystem.type), filesystem)
  if (wanted === 0 || others + wanted <= memoryBytes) return false
  refuseSharing(draft, filesystem, { _tag: 'Overloaded', limit: 'memoryBytes', value: memoryBytes })
  return true
}

/** A layer of ours that may serve no request makes room for another one. */
const makeRoom = (
  draft: Draft,
  filesystem: Filesystem,
  layer: Identity,
  found: Found,
  replacing: Mounting['replacing'],
): void => {
  if (refuseForMissing(draft, filesystem, found)) return
  setMounting(draft, { replacing })
  emitUnmount(draft, layer, 'plain')
}

/** Our layer no longer is what is asked for: it stays for its holders, and makes room where there are none. */
const meetChanged = (
  draft: Draft,
  filesystem: Filesystem,
  layer: Identity,
  found: Found,
  change: Exclude<Agreement, { readonly _tag: 'Agrees' }>,
): void => {
  if (change._tag === 'ReadOnly') {
    refuseSharing(draft, filesystem, { _tag: 'Broken', errno: 'EROFS' })
  } else if (holdersLeft(draft) > 0) {
    refuseSharing(draft, filesystem, { _tag: 'Conflict', requested: filesystem, mounted: filesystem, reason: change })
  } else {
    makeRoom(draft, filesystem, layer, found, 'vacant')
  }
}

/** Our layer carries another name than what is asked for, or none. */
const meetAnother = (draft: Draft, filesystem: Filesystem, layer: Identity, found: Found): void => {
  const { record } = draft
  if (holdersLeft(draft) === 0) {
    makeRoom(draft, filesystem, layer, found, 'vacant')
  } else if (record.filesystem === undefined && !isAdoptableType(ruleOf(settingsOf(draft), filesystem.type))) {
    // The table does not show whether it is what is asked for.
    refuseServed(draft, { _tag: 'Foreign', layers: [layer] })
  } else {
    // What is known to be another filesystem was refused before the look; this one has no recorded filesystem yet.
    refuseServed(draft, { _tag: 'Conflict', requested: filesystem })
  }
}

/** Our layer is at another path: its holders use it there, and a second one at this path would be other data. */
const refuseMoved = (draft: Draft, requested: Filesystem, to: string): void => {
  const { filesystem } = draft.record
  refuseServed(draft, {
    _tag: 'Conflict',
    requested,
    ...(filesystem && { mounted: filesystem }),
    ...(holdersLeft(draft) === 0 && { vacant: true as const }),
    reason: { _tag: 'Moved', to },
  })
}

/** Our layer is there: shared if it is what is asked for, replaced if it is vacant and something else is. */
export const meetOurs = (
  draft: Draft,
  filesystem: Filesystem,
  layer: Identity,
  found: Found,
  source: SourceSeen | undefined,
): void => {
  const { elsewhere, covered, foreign } = draft.record
  if (elsewhere !== undefined) {
    refuseMoved(draft, filesystem, elsewhere)
    return
  }
  if (covered) {
    refuseServed(draft, { _tag: 'Foreign', layers: foreign })
    return
  }
  nameAdopted(draft, filesystem, draft.record.seen ?? layer, source)
  const { record } = draft
  if (mountingOf(record.work)?.replacing === 'broken') {
    makeRoom(draft, filesystem, layer, found, 'broken')
    return
  }
  if (!shares(draft, filesystem, record.filesystem)) {
    meetAnother(draft, filesystem, layer, found)
    return
  }
  const agreed = agreement(
    settingsOf(draft),
    filesystem,
    { layer, layerNow: record.seen, source: record.source, adopted: record.adopted },
    source,
  )
  if (agreed._tag !== 'Agrees') {
    meetChanged(draft, filesystem, layer, found, agreed)
  } else if (ruleOf(settingsOf(draft), filesystem.type).mayHang) {
    setMounting(draft, { warnings: agreed.warnings })
    emitProbe(draft, filesystem)
  } else {
    share(draft, filesystem, agreed.warnings)
  }
}
