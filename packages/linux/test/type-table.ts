// The table of filesystem types as the README shows it: what the table of the core says, how a mount of the type shows, and which
// test mounts one.

import type { Appearance } from '@mountkeeper/types'
import { KNOWN_TYPES, typeRule } from '@mountkeeper/types'

/** What is not in the core's table: how a mount of the type shows, and where that is tried. */
export interface TypeNotes {
  readonly fstype: string
  readonly source: string
  readonly test: 'types-local' | 'types-network' | 'types-traced'
}

const LOOP = 'from a device, the device; from an image, `/dev/loopN`'

export const TYPE_NOTES: Readonly<Record<string, TypeNotes>> = {
  tmpfs: { fstype: '`tmpfs`', source: 'as asked for', test: 'types-local' },
  bind: { fstype: 'that of the source', source: 'that of the source’s superblock', test: 'types-local' },
  overlay: { fstype: '`overlay`', source: 'as asked for', test: 'types-local' },
  ext4: { fstype: '`ext4`', source: LOOP, test: 'types-local' },
  xfs: { fstype: '`xfs`', source: LOOP, test: 'types-local' },
  btrfs: {
    fstype: '`btrfs`',
    source: `${LOOP}; of several devices, one of them; the device number is anonymous`,
    test: 'types-local',
  },
  squashfs: { fstype: '`squashfs`', source: LOOP, test: 'types-local' },
  nfs: { fstype: '`nfs4`, with `vers=3` `nfs`', source: 'as asked for', test: 'types-traced' },
  nfs4: { fstype: '`nfs4`', source: 'as asked for', test: 'types-traced' },
  cifs: { fstype: '`cifs`', source: 'as asked for, or with or without a `/` at its end', test: 'types-traced' },
  ceph: { fstype: '`ceph`', source: 'as asked for, or the monitors’ addresses', test: 'types-traced' },
  glusterfs: {
    fstype: '`fuse.glusterfs`',
    source:
      'as asked for; without the `/` behind the volume; of a list of servers the first; of a volume file `(null)`',
    test: 'types-network',
  },
  sshfs: { fstype: '`fuse.sshfs`', source: 'as asked for', test: 'types-network' },
  'fuse.sshfs': { fstype: '`fuse.sshfs`', source: 'as asked for', test: 'types-network' },
  'fuse.bindfs': { fstype: '`fuse`', source: 'where the source leads, with all links followed', test: 'types-local' },
}

const RUN: Readonly<Record<TypeNotes['test'], string>> = {
  'types-local': 'mounted',
  'types-network': 'mounted, from a real server',
  'types-traced': 'not mounted: the helper is traced up to mount(2)',
}

const comparedBy = (appears: Appearance, sourceIsPath: boolean): string => {
  switch (appears._tag) {
    case 'RootAndDevice':
      return 'root and device of the source directory'
    case 'Device':
      return 'the device, or the file behind the loop device with its offset'
    case 'Source':
    case 'Growth':
      return sourceIsPath ? 'fstype and where the source leads' : 'fstype and source'
  }
}

const rowOf = (type: string): string => {
  const { options, appears, sourceIsPath } = typeRule(type, [])
  const notes = TYPE_NOTES[type]
  const names = Object.keys(options)
  const listed = names.length === 0 ? 'none' : names.map((option) => `\`${option}\``).join(' ')
  const cells = [
    `\`${type}\``,
    listed,
    notes?.fstype ?? '?',
    notes?.source ?? '?',
    comparedBy(appears, sourceIsPath),
    notes === undefined ? '?' : RUN[notes.test],
  ]
  return `| ${cells.join(' | ')} |`
}

/** The table in Markdown. */
export const typeTable = (): string =>
  [
    '| type | options allowed by default | fstype shown | source shown | recognised by | here |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.keys(KNOWN_TYPES).map(rowOf),
  ].join('\n')
