// What the table holds of a type and of each of its options.

import type { Grammar } from './grammar.js'
import type { SourceForm } from './source.js'

/** How layers of a type are recognised in the mount table (R2.4). */
export type Appearance =
  /** By one of these fstypes, with the source as asked for. */
  | { readonly _tag: 'Source'; readonly fstypes: readonly string[] }
  /** By the resolved directory and device of the source: bind. */
  | { readonly _tag: 'RootAndDevice' }
  /** By one of these fstypes on the resolved device: block and loop. */
  | { readonly _tag: 'Device'; readonly fstypes: readonly string[] }
  /** No entry: agrees only if the stack grew by exactly one since the look before our mount. Never adopted. */
  | { readonly _tag: 'Growth' }

/** How the server of a source is found; its slots are counted together. */
export type ServerOf =
  /** `host:/path`, `user@host:path`, `[v6]:/path`, `host,other:/path`: the host before the colon, the first of a list. */
  | 'host-colon'
  /** `mon:6789,other:/path`, `user@fsid.name=/path`: the monitors without ports, or the cluster. */
  | 'ceph'
  /** `//host/share`. */
  | 'unc'
  /** The whole source is the server. */
  | 'source'
  /** Takes no server slot. */
  | 'none'

/** One option of a type. */
export interface OptionEntry {
  readonly grammar: Grammar
  /** Allowed where the configuration lists nothing. Otherwise an administrator has to name it. */
  readonly isDefault: boolean
  /** Why it is allowed with this grammar, or why only an administrator may allow it. */
  readonly reason: string
}

/** What is known about a type before any source of it is allowed. */
export interface TypeEntry {
  readonly form: SourceForm
  readonly appears: Appearance
  readonly mayHang: boolean
  readonly server: ServerOf
  /** By name; an alias has no entry of its own. */
  readonly options: Readonly<Record<string, OptionEntry>>
  /** Options that are dangerous with every value: no configuration can allow them. Name and reason. */
  readonly never: Readonly<Record<string, string>>
  /** Another name of an option, and the name that it stands for. */
  readonly aliases: Readonly<Record<string, string>>
  /** Options of which only one may be given; `x` and `nox` exclude each other for every `x` and need no entry. */
  readonly exclusive: readonly (readonly string[])[]
  /** Options that say what is so without them, as their canonical text. */
  readonly defaults: readonly string[]
  /** Only of a type that takes memory of this host. */
  readonly memory?: MemoryUse
}

/** What a filesystem in memory gets where a request names neither `size` nor `nr_inodes`; both are written out. */
export interface MemoryUse {
  readonly bytes: number
  /** One inode for so many bytes. */
  readonly bytesPerInode: number
}

/** An option that is allowed by default. */
export const allowed = (grammar: Grammar, reason: string): OptionEntry => ({ grammar, isDefault: true, reason })

/** An option that an administrator may allow by its name. */
export const byName = (grammar: Grammar, reason: string): OptionEntry => ({ grammar, isDefault: false, reason })

/** The options of an entry, each name with the same grammar and reason. */
export const each = (names: readonly string[], entry: OptionEntry): Readonly<Record<string, OptionEntry>> =>
  Object.fromEntries(names.map((name) => [name, entry]))

/** An entry with nothing where nothing is said. */
export const entry = (given: Pick<TypeEntry, 'form' | 'appears'> & Partial<TypeEntry>): TypeEntry => ({
  ...{ mayHang: false, server: 'none', options: {}, never: {}, aliases: {}, exclusive: [], defaults: [] },
  ...given,
})
