// Renderings of what is asked for and of what is found.

import type {
  Attachment,
  CommandError,
  EffectFound,
  Filesystem,
  Found,
  Identity,
  ResolvedSource,
  SourceSeen,
} from '@mountkeeper/core'
import { optionText } from '@mountkeeper/core'
import { line, quoted, word } from './line.js'

/** `size=1m,nosuid`; a secret shows the file that holds it. */
export const showOptions = (options: Filesystem['options']): string =>
  options.map((each) => word(optionText(each))).join(',')

/** `tmpfs:scratch[size=1m]`. */
export const showFilesystem = ({ type, source, options }: Filesystem): string =>
  `${word(type)}:${word(source)}${options.length === 0 ? '' : `[${showOptions(options)}]`}`

/** `vol-1 of vm-1`. */
export const showAttachment = ({ volume, consumer }: Attachment): string => `${word(volume)} of ${word(consumer)}`

/** Mount id, fstype, source, root, device and flags: `21 tmpfs scratch / 0:40 rw,nosuid`, and `superblock ro` where it is. */
export const showIdentity = ({ mountId, fstype, source, root, device, flags, superblock }: Identity): string =>
  line(
    `${mountId}`,
    word(fstype),
    word(source),
    word(root),
    word(device),
    flags.map(word).join(','),
    superblock === 'ro' ? 'superblock ro' : undefined,
  )

/** A stack of layers, top first; `nothing` where it is empty. */
export const showLayers = (layers: readonly Identity[]): string =>
  layers.length === 0 ? 'nothing' : layers.map(showIdentity).join(' over ')

/** What a source leads to: `/exports/a on 8:1`, `files 8:1:7`, `absent /exports/a`. */
export const showResolvedSource = (source: ResolvedSource): string => {
  switch (source._tag) {
    case 'At': {
      const inode = source.inode === undefined ? undefined : `inode ${word(source.inode)}`
      return line(`${word(source.root)} on ${word(source.device)}`, inode)
    }
    case 'Files': {
      const offset = source.offset === undefined ? undefined : `from ${source.offset}`
      return line('files', ...source.files.map(word), offset)
    }
    case 'Absent':
      return `absent ${word(source.path)}`
    case 'NotChecked':
      return `not checked ${quoted(source.why)}`
  }
}

/** What was seen of sources: `source /exports/a on 8:1`, `source files 8:1:7 shown files 8:1:8`. */
export const showSourceSeen = ({ asked, shown }: SourceSeen): string =>
  line(`source ${showResolvedSource(asked)}`, shown === undefined ? undefined : `shown ${showResolvedSource(shown)}`)

/** How a command ended: `"umount -c -- /srv/mounts/a" exit 32 "target is busy."`. */
export const showCommandError = ({ command, exitStatus, signal, stderr, pid }: CommandError): string =>
  line(
    quoted(command.map(word).join(' ')),
    exitStatus === undefined ? undefined : `exit ${exitStatus}`,
    signal === undefined ? undefined : `signal ${word(signal)}`,
    pid === undefined ? undefined : `pid ${pid}`,
    stderr === '' ? undefined : quoted(stderr),
  )

/** What is at a mountpoint: `NoDirectory`, `Mounted 21 tmpfs scratch / 0:40 rw`, `Unknown TimedOut`. */
export const showFound = (found: Found): string => {
  switch (found._tag) {
    case 'NoDirectory':
    case 'Directory':
      return found._tag
    case 'Obstacle':
      return `Obstacle ${found.kind}`
    case 'Mounted':
      return `Mounted ${showLayers(found.layers)}`
    case 'Unknown':
      return found.detail === undefined ? `Unknown ${found.why}` : `Unknown ${found.why}: ${quoted(found.detail)}`
  }
}

/** What was found by any effect, the host's own included. */
export const showEffectFound = (found: EffectFound): string => {
  switch (found._tag) {
    case 'NoDirectory':
    case 'Directory':
    case 'Obstacle':
    case 'Mounted':
    case 'Unknown':
      return showFound(found)
    case 'Alive':
    case 'Elapsed':
      return found._tag
    case 'Broken':
      return `Broken ${word(found.errno)}`
    case 'NotDiscovered':
      return `NotDiscovered ${quoted(found.reason)}`
    case 'Discovered': {
      const roots = found.roots.map(
        ({ path, mountId, directory, propagation }) =>
          `root ${word(path)} ${mountId} ${word(directory)} ${propagation}`,
      )
      const mountpoints = found.mountpoints.map(({ mountpoint, found: there, source, elsewhere }) =>
        line(
          word(mountpoint),
          showFound(there),
          source === undefined ? undefined : showSourceSeen(source),
          elsewhere === undefined ? undefined : `elsewhere ${word(elsewhere)}`,
        ),
      )
      const inventory = found.inventory?.entries.map(
        ({ mountpoint, volume, consumer }) => `in use ${word(mountpoint)} ${word(volume)} of ${word(consumer)}`,
      )
      const identity = `Discovered boot ${word(found.boot)} namespace ${word(found.mountNamespace)}`
      const authority = inventory === undefined ? 'no inventory' : `inventory of ${inventory.length}`
      return [identity, ...roots, ...mountpoints, authority, ...(inventory ?? [])].join('; ')
    }
  }
}
