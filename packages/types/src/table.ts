// The table of filesystem types. Figures for the appearance were read from real mounts, the parsing of sources from the helpers;
// see the tests of the linux package.

import type { OptionEntry, TypeEntry } from './entry.js'
import { entry } from './entry.js'
import { GENERAL_NEVER, isNeverByPrefix } from './table/general.js'
import { BIND, BINDFS, BTRFS, EXT4, OVERLAY, SQUASHFS, TMPFS, XFS } from './table/local.js'
import { CEPH, CIFS, GLUSTERFS, NFS, NFS4, SSHFS } from './table/network.js'

/** What is known of each type. */
export const KNOWN_TYPES: Readonly<Record<string, TypeEntry>> = {
  tmpfs: TMPFS,
  bind: BIND,
  overlay: OVERLAY,
  ext4: EXT4,
  xfs: XFS,
  btrfs: BTRFS,
  squashfs: SQUASHFS,
  nfs: NFS,
  nfs4: NFS4,
  cifs: CIFS,
  ceph: CEPH,
  glusterfs: GLUSTERFS,
  sshfs: SSHFS,
  'fuse.sshfs': SSHFS,
  'fuse.bindfs': BINDFS,
}

/** A type that is not in the table: compared by growth, expected to be able to hang, its source its server. */
export const UNKNOWN_TYPE: TypeEntry = entry({
  form: 'opaque',
  appears: { _tag: 'Growth' },
  mayHang: true,
  server: 'source',
})

// Asked for several times by each request.
const BY_NAME: ReadonlyMap<string, TypeEntry> = new Map(Object.entries(KNOWN_TYPES))

/** `smb3` is read by the helper of cifs. */
const MEANINGS: ReadonlyMap<string, TypeEntry> = new Map([...BY_NAME, ['smb3', CIFS]])

/** What is known of a type. */
export const entryOf = (type: string): TypeEntry => BY_NAME.get(type) ?? UNKNOWN_TYPE

/** What is known of the options of a type: also where only its helper is that of another. */
export const meaningsOf = (type: string): TypeEntry => MEANINGS.get(type) ?? UNKNOWN_TYPE

/** The name that an option's name stands for. */
export const canonicalName = ({ aliases }: TypeEntry, name: string): string =>
  Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name

/** What the table says of an option, by any of its names. */
export const optionEntry = (type: string, name: string): OptionEntry | undefined => {
  const known = meaningsOf(type)
  const canonical = canonicalName(known, name)
  return Object.hasOwn(known.options, canonical) ? known.options[canonical] : undefined
}

/** Why no configuration can allow an option; `undefined` if one can. */
export const neverReason = (type: string, name: string): string | undefined => {
  const known = meaningsOf(type)
  const canonical = canonicalName(known, name)
  if (Object.hasOwn(known.never, canonical)) return known.never[canonical]
  if (isNeverByPrefix(name)) return 'is only for mount(8), which would act elsewhere'
  const isAlias = canonical !== name
  return !isAlias && Object.hasOwn(GENERAL_NEVER, name) ? GENERAL_NEVER[name] : undefined
}

/**
 * Filesystems, as the mount table names them, for which plain umount(8) hands umount2(2) the path that it was given, so that
 * it may name the mountpoint through a descriptor (traced with util-linux 2.38). For any other (overlay) it hands on what the
 * path leads to. A bind is of the filesystem that it shows.
 */
export const UMOUNT_TAKES_PATH: readonly string[] = ['tmpfs', 'ext4', 'xfs', 'btrfs', 'squashfs']

/** Options for which mount(8) makes a loop device, so that `loop` beside them says nothing. */
export const LOOP_OPTIONS: ReadonlySet<string> = new Set(['offset', 'sizelimit'])
