// Renderings of facts.

import type { Fact, ResolvedSource } from '@mountkeeper/core'
import { layersOf } from '@mountkeeper/core'
import { showAttachment, showFilesystem, showFound, showIdentity, showLayers, showResolvedSource } from './found.js'
import { line, word } from './line.js'

const from = (source: ResolvedSource | undefined): string | undefined =>
  source === undefined ? undefined : `from ${showResolvedSource(source)}`

const content = (fact: Fact): string => {
  switch (fact._tag) {
    case 'HostCameUp':
      return `generation ${fact.generation} boot ${word(fact.boot)} namespace ${word(fact.mountNamespace)}`
    case 'Claimed': {
      const before = showLayers(fact.layersBefore)
      return line(
        `${word(fact.mountpoint)} ${showFilesystem(fact.filesystem)} ${showAttachment(fact)}`,
        `found ${showFound(fact.found)}`,
        // They differ from what was found only by a mistake.
        before === showLayers(layersOf(fact.found)) ? undefined : `before ${before}`,
      )
    }
    case 'Mounted':
      return line(`${word(fact.mountpoint)} ${showIdentity(fact.identity)}`, from(fact.source))
    case 'Held':
      return line(
        `${word(fact.mountpoint)} ${showAttachment(fact)} by ${fact.knowledge}`,
        fact.since === fact.at ? undefined : `since ${fact.since}`,
        fact.id === undefined ? undefined : `id ${word(fact.id)}`,
        fact.stream === undefined ? undefined : `stream ${word(fact.stream)}`,
      )
    case 'ClaimEnded':
      return `${word(fact.mountpoint)} ${showAttachment(fact)} intent ${fact.intent}`
    case 'Left':
      return `${word(fact.mountpoint)} ${showAttachment(fact)}`
    case 'Unmounting':
      return `${word(fact.mountpoint)} ${showIdentity(fact.identity)}`
    case 'Unmounted':
      return `${word(fact.mountpoint)} by ${fact.by}`
    case 'Adopted':
      return line(
        `${word(fact.mountpoint)} ${showIdentity(fact.identity)}`,
        fact.filesystem === undefined ? undefined : `as ${showFilesystem(fact.filesystem)}`,
        from(fact.source),
      )
    case 'Recorded': {
      const { filesystem, layer, source, claim, intent, unresolved } = fact
      return line(
        word(fact.mountpoint),
        filesystem && showFilesystem(filesystem),
        layer && `layer ${showIdentity(layer)}`,
        from(source),
        `directory ${fact.directory} instance ${fact.instance}`,
        claim && `claim ${showAttachment(claim)}`,
        intent && `intent on ${showFound(intent.found)}`,
        intent?.explains && `which explains ${intent.explains}`,
        unresolved && `unresolved ${unresolved}`,
      )
    }
    case 'DirectoryMade':
    case 'DirectoryRemoved':
    case 'DirectoryKept':
    case 'Forgotten':
      return word(fact.mountpoint)
  }
}

/** A fact without its time: `Held /srv/mounts/a vol-1 of vm-1 by request`. */
export const showFact = (fact: Fact): string => `${fact._tag} ${content(fact)}`
