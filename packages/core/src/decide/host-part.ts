// What a decision says of the host itself, beside its mountpoints.

import type { Difference } from '../answer.js'
import type { HostPatch } from '../decision.js'
import type { MountpointFact } from '../evolve.js'
import type { Fact } from '../fact.js'
import type { Out } from './draft.js'
import { added, change } from './draft.js'

/** Records a fact about the host. */
export const recordOfHost = (out: Out, fact: Exclude<Fact, MountpointFact>): void => {
  out.facts = added(out.facts, fact)
}

/** Notes what a probe has shown for the reconciles that wait for it. */
export const noteProbed = (out: Out, difference: Difference): void => {
  out.probed = [...out.probed, difference]
}

export const patchHost = (out: Out, patch: HostPatch): void => {
  out.phase = patch.phase ?? out.phase
  out.generation = patch.generation ?? out.generation
  out.stopping = patch.stopping ?? out.stopping
  out.unansweredNow = patch.unansweredNow ?? out.unansweredNow
  change(out, { _tag: 'Host', patch })
}
