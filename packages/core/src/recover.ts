// Recovery: facts back into a host. What this builds is only what was recorded; discovery then holds all of it against the
// mount table before anything is served, and settles what was open when the manager ended (specification, section 6).

import { apply } from './apply.js'
import type { Change } from './decision.js'
import type { Fact } from './fact.js'
import { rootOf } from './decide/draft.js'
import type { Holder } from './holders.js'
import type { Host, Mountpoint } from './host.js'
import type { Phase } from './phase.js'
import { absentMountpoint, emptyHost } from './host.js'
import type { Settings } from './settings.js'

interface Remembered {
  record: Mountpoint
  readonly holders: Map<string, Holder>
}

type MountpointFact = Exclude<Fact, { readonly _tag: 'HostCameUp' }>

const keyOf = (volume: string, consumer: string): string => JSON.stringify([volume, consumer])

/** What one fact makes of a record. */
const remember = ({ record, holders }: Remembered, fact: MountpointFact): Mountpoint => {
  switch (fact._tag) {
    case 'Claimed':
      return {
        ...record,
        filesystem: fact.filesystem,
        claim: { volume: fact.volume, consumer: fact.consumer },
        intent: { found: fact.found, layersBefore: fact.layersBefore },
        unresolved: { kind: 'Mount', error: undefined },
      }
    case 'DirectoryMade':
      return { ...record, directory: 'ours' }
    case 'Mounted':
      return {
        ...record,
        layer: fact.identity,
        instance: record.instance + 1,
        intent: undefined,
        unresolved: undefined,
      }
    case 'Held': {
      const { volume, consumer, since, knowledge } = fact
      holders.set(keyOf(volume, consumer), { volume, consumer, since, knowledge })
      return { ...record, claim: undefined }
    }
    case 'ClaimEnded': {
      const settled = fact.intent === 'settled' ? { intent: undefined, unresolved: undefined } : {}
      return { ...record, claim: undefined, ...settled }
    }
    case 'Left':
      holders.delete(keyOf(fact.volume, fact.consumer))
      return record
    case 'Unmounting':
      return { ...record, unresolved: { kind: 'Unmount', error: undefined } }
    case 'Unmounted':
      return { ...record, layer: undefined, intent: undefined, unresolved: undefined }
    case 'DirectoryRemoved':
    case 'DirectoryKept':
      return { ...record, directory: 'theirs' }
    case 'Adopted': {
      const { identity, filesystem } = fact
      const instance = record.layer === undefined ? record.instance + 1 : record.instance
      return { ...record, layer: identity, filesystem, instance }
    }
    case 'Forgotten':
      holders.clear()
      return absentMountpoint(record.path, record.root, fact.at)
  }
}

const phaseOf = ({ record, holders }: Remembered): Phase => {
  if (record.unresolved !== undefined) return 'uncertain'
  if (record.layer !== undefined) return holders.size > 0 ? 'mounted' : 'vacant'
  if (holders.size > 0) return 'lost'
  return record.directory === 'ours' ? 'leftover' : 'absent'
}

const changesOf = (remembered: Remembered): readonly Change[] => {
  const { record, holders } = remembered
  const { path } = record
  const put: Change = { _tag: 'Record', path, record: { ...record, phase: phaseOf(remembered) } }
  return [put, ...[...holders.values()].map((holder): Change => ({ _tag: 'HolderAdded', path, holder }))]
}

/** The host that these facts, oldest first, describe: down, nothing looked at yet. Total: a fact about nothing is ignored. */
export const restore = (settings: Settings, facts: readonly Fact[]): Host => {
  const host = emptyHost(settings)
  const remembered = new Map<string, Remembered>()
  for (const fact of facts) {
    if (fact._tag === 'HostCameUp') {
      host.generation = fact.generation
      host.boot = fact.boot
      host.mountNamespace = fact.mountNamespace
      continue
    }
    const { mountpoint, at } = fact
    const known: Remembered = remembered.get(mountpoint) ?? {
      record: absentMountpoint(mountpoint, rootOf(host, mountpoint), at),
      holders: new Map(),
    }
    known.record = { ...remember(known, fact), since: at }
    if (phaseOf(known) === 'absent') remembered.delete(mountpoint)
    else remembered.set(mountpoint, known)
  }
  const changes = [...remembered.values()].flatMap(changesOf)
  apply(host, { changes, facts: [], effects: [], answers: [] })
  return host
}
