// Recovery: facts back into a host. What this builds is only what was recorded; discovery then holds all of it against the
// mount table before anything is served, and settles what was open when the manager ended (R6.9).

import { applyChanges } from './apply.js'
import type { Change } from './decision.js'
import type { Fact } from './fact.js'
import { rootOf } from './decide/draft.js'
import { allHolders } from './holders.js'
import type { Host } from './host.js'
import { emptyHost } from './host.js'
import type { Remembered } from './remember.js'
import { phaseOf } from './phase-of.js'
import { emptyMemory, remember } from './remember.js'
import type { Settings } from './settings.js'

const changesOf = (host: Host, remembered: Remembered): readonly Change[] => {
  const { since } = remembered
  const { path } = remembered.record
  const phase = phaseOf(remembered.record, remembered.holders.count)
  const record = { ...remembered.record, since, root: rootOf(host, path), phase }
  const holders = allHolders(remembered.holders).map((holder): Change => ({ _tag: 'HolderAdded', path, holder }))
  return [{ _tag: 'Record', path, record }, ...holders]
}

/** The host that these facts, oldest first, describe: down, nothing looked at yet. Total: a fact about nothing is ignored. */
export const restore = (settings: Settings, facts: readonly Fact[]): Host => {
  const host = emptyHost(settings)
  const memory = emptyMemory()
  for (const fact of facts) remember(memory, fact)
  if (memory.cameUp !== undefined) {
    host.generation = memory.cameUp.generation
    host.boot = memory.cameUp.boot
    host.mountNamespace = memory.cameUp.mountNamespace
  }
  const changes = [...memory.mountpoints.values()].flatMap((each) => changesOf(host, each))
  applyChanges(host, changes)
  return host
}
