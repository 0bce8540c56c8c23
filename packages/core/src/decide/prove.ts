// Proving: what is mounted is probed before an attach is answered by it. A mount whose command failed, and what is to be shared and can
// hang, has to answer first.

import type { Warning } from '../answer.js'
import type { Filesystem } from '../filesystem.js'
import { mountingOf } from '../goal.js'
import type { Probed, Unknown } from '../input.js'
import type { Draft } from './draft.js'
import { set, setMounting } from './draft.js'
import { share } from './hold.js'
import { refuseServed } from './join.js'
import { serveMounted, wanted } from './mount.js'
import { rollBack } from './rollback.js'
import { NO_REQUEST, emitLook, endClaim, finish, settingsOf } from './steps.js'
import { onSurveyProbeEnded } from './survey.js'

/** The probe has ended: serves those that the look before it is for, or looks again if a survey has put that look in doubt. */
const shareProbed = (draft: Draft, filesystem: Filesystem, warnings: readonly Warning[]): void => {
  const { work, overdue } = draft.record
  // No look can run beside a probe that is overdue: requests that wait are served after its end.
  if (work?.lookedFor === NO_REQUEST && overdue.length === 0) emitLook(draft)
  else share(draft, filesystem, warnings)
}

/**
 * The probe of our own mount has ended, whose command had failed. Where a survey has seen something else there since, the claim
 * ends, and the requests that wait for it are served again, by a look.
 */
const onProbeOfMount = (draft: Draft, filesystem: Filesystem, probed: Probed | Unknown): void => {
  const { path, work, foreign, layer } = draft.record
  if (work?.lookedFor === NO_REQUEST) {
    endClaim(draft, 'settled')
    finish(draft)
  } else if (probed._tag === 'Broken') {
    const layers = layer === undefined ? foreign : [layer, ...foreign]
    rollBack(draft, { _tag: 'Broken', errno: probed.errno }, { _tag: 'Mounted', layers }, 'layer')
  } else {
    serveMounted(draft, filesystem, probed._tag === 'Unknown' ? [notResponding(path, filesystem)] : [])
  }
}

const notResponding = (path: string, { source }: Filesystem): Warning => ({
  _tag: 'NotResponding',
  text: `${source} on ${path} does not respond now`,
})

/** Keeps what the probe has found, so that `status` does not show as well what was just refused as dead. */
const noteProbe = (draft: Draft, probed: Probed | Unknown): void => {
  const { out, record } = draft
  if (probed._tag === 'Broken' && record.layer !== undefined) set(draft, { dead: { errno: probed.errno, at: out.at } })
  else if (probed._tag === 'Alive' && record.dead !== undefined) set(draft, { dead: undefined })
}

/** Whether the filesystem that is to be shared answers at all. */
export const onProbeEnded = (draft: Draft, probed: Probed | Unknown): void => {
  noteProbe(draft, probed)
  const filesystem = wanted(draft)
  const { path, layer, work } = draft.record
  const mounting = mountingOf(work)
  if (work?.goal._tag === 'ProbeForReconcile') {
    onSurveyProbeEnded(draft, probed)
  } else if (filesystem === undefined || layer === undefined) {
    finish(draft)
  } else if (mounting?.proving !== undefined) {
    onProbeOfMount(draft, filesystem, probed)
  } else if (probed._tag === 'Alive') {
    shareProbed(draft, filesystem, mounting?.warnings ?? [])
  } else if (probed._tag === 'Unknown') {
    shareProbed(draft, filesystem, [...(mounting?.warnings ?? []), notResponding(path, filesystem)])
  } else if (settingsOf(draft).policies.broken === 'remount') {
    setMounting(draft, { replacing: 'broken', broken: { _tag: 'Broken', errno: probed.errno } })
    emitLook(draft)
  } else {
    refuseServed(draft, { _tag: 'Broken', errno: probed.errno })
  }
}
