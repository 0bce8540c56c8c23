// What a discovery finds: what is there, as far as the story knows, and what a directive says besides.

import type { Discovered, InventoryEntry, RootSeen, SourceSeen } from '../../src/index.js'
import { layersOf } from '../../src/index.js'
import { readFound, resolve } from './layers.js'
import { SOURCE_WORDS, expectedAt, open, outcomeOf, path, readSource, whereElse } from './outcome.js'
import type { Emitted, Story } from './story.js'
import { feed, hostOf, tick } from './story.js'
import { expectWords, fail, numeric, oneOf, words } from './words.js'

const PROPAGATION = ['private', 'shared', 'slave', 'unbindable'] as const

interface Said {
  readonly roots: Map<string, Partial<RootSeen>>
  inventory: InventoryEntry[] | undefined
  /** When the authority began to be asked; after everything, unless it is said. */
  inventoryBegan: number
  readonly sources: Map<string, SourceSeen>
}

const readRoot = (said: Said, segment: string): void => {
  const given = words(segment)
  expectWords(given, 2, 2, ['id', 'directory', 'propagation'])
  const { named } = given
  said.roots.set(given.plain[1]!, {
    ...(named.has('id') ? { mountId: numeric(named.get('id')!) } : {}),
    ...(named.has('directory') ? { directory: named.get('directory')! } : {}),
    ...(named.has('propagation') ? { propagation: oneOf(named.get('propagation'), PROPAGATION) } : {}),
  })
}

const readMountpoint = (story: Story, said: Said, segment: string): void => {
  const given = words(segment)
  expectWords(given, 2, 32, SOURCE_WORDS)
  const mountpoint = path(given.plain[0]!)
  const source = given.plain.indexOf('source')
  const found = given.plain.slice(1, source < 0 ? undefined : source)
  story.there.set(mountpoint, readFound(story.layers, found, expectedAt(story, mountpoint)))
  if (source < 0) return
  said.sources.set(mountpoint, readSource(given, given.plain.slice(source + 1)))
}

const readSegment = (story: Story, said: Said, segment: string): void => {
  const { plain } = words(segment)
  switch (plain[0]) {
    case 'boot':
      story.boot = plain[1] ?? fail('boot wants an id')
      return
    case 'namespace':
      story.namespace = plain[1] ?? fail('namespace wants an id')
      return
    case 'root':
      readRoot(said, segment)
      return
    case 'inventory': {
      said.inventory ??= []
      if (plain.length === 1) return
      if (plain.length !== 4) fail('inventory wants a mountpoint, a volume and a consumer, or nothing')
      said.inventory.push({ mountpoint: path(plain[1]!), volume: plain[2]!, consumer: plain[3]! })
      return
    }
    case 'inventory-began':
      said.inventoryBegan = numeric(plain[1] ?? fail('inventory-began wants a time'))
      return
    default:
      readMountpoint(story, said, segment)
  }
}

const mountpointsSeen = (story: Story, { effect }: Emitted, said: Said): Discovered['mountpoints'] => {
  const known = effect._tag === 'Discover' ? effect.known : []
  const seen = [...story.there].filter(([, found]) => layersOf(found).length > 0 || found._tag === 'Unknown')
  const paths = new Set([...known, ...seen.map(([mountpoint]) => ({ mountpoint }))].map(({ mountpoint }) => mountpoint))
  return [...paths].sort().map((mountpoint) => {
    const record = known.find((each) => each.mountpoint === mountpoint)
    const filesystem = record?.filesystem
    const resolved = filesystem && resolve(filesystem, story.settings.types[filesystem.type])
    const source = said.sources.get(mountpoint) ?? resolved
    const found = story.there.get(mountpoint) ?? { _tag: 'NoDirectory' as const }
    const elsewhere = record?.layer && whereElse(story, record.layer, found)
    return {
      mountpoint,
      found,
      ...(source === undefined ? {} : { source }),
      ...(elsewhere === undefined ? {} : { elsewhere }),
    }
  })
}

/** What a discovery finds now. `segments` are divided by `;`: `a Mounted t1; inventory a vol vm; boot boot-2; root /srv/mounts id=7`. */
export const discoveredNow = (story: Story, emitted: Emitted, segments: string): Discovered => {
  const said: Said = {
    roots: new Map(),
    inventory: undefined,
    inventoryBegan: Number.MAX_SAFE_INTEGER,
    sources: new Map(),
  }
  for (const segment of segments.split(';')) if (segment.trim() !== '') readSegment(story, said, segment.trim())
  const roots = hostOf(story).settings.roots.map((root, index): RootSeen => {
    const usual = { mountId: 1, directory: `8:1:${100 + index}`, propagation: 'shared' as const }
    return { path: root.path, ...usual, ...said.roots.get(root.path) }
  })
  return {
    _tag: 'Discovered',
    boot: story.boot,
    mountNamespace: story.namespace,
    roots,
    mountpoints: mountpointsSeen(story, emitted, said),
    ...(said.inventory === undefined ? {} : { inventory: { startedAt: said.inventoryBegan, entries: said.inventory } }),
  }
}

const parted = (text: string): { readonly reference: string | undefined; readonly rest: string } => {
  const reference = /^#\d+/.exec(text)?.[0]
  return { reference, rest: text.slice(reference?.length ?? 0).trim() }
}

const discovery = (story: Story, reference: string | undefined): Emitted => {
  const emitted = open(story, reference ?? 'Discover')
  return emitted.effect._tag === 'Discover' ? emitted : fail(`#${emitted.effect.effect} is no Discover`)
}

/** `> discovered [#1] [segment; segment …]` */
export const discovered = (story: Story, text: string): void => {
  const { reference, rest } = parted(text)
  const emitted = discovery(story, reference)
  const found = discoveredNow(story, emitted, rest)
  tick(story)
  feed(story, outcomeOf(story, { emitted, found }))
}

/** `> discovery-fails [#1] reason` */
export const discoveryFails = (story: Story, text: string): void => {
  const { reference, rest } = parted(text)
  const reason = words(rest).plain.join(' ')
  if (reason === '') fail('discovery-fails wants a reason')
  const emitted = discovery(story, reference)
  tick(story)
  feed(story, outcomeOf(story, { emitted, found: { _tag: 'NotDiscovered', reason } }))
}
