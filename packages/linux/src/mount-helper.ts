// The programs that mount(8) hands a type to. Which types have one is asked of this host; which cannot do without one is known.

import { accessSync, constants, readFileSync } from 'node:fs'
import { release } from 'node:os'

/** Where mount(8) looks for the helper of a type (libmount's FS_SEARCH_PATH). */
const HELPER_DIRECTORIES = ['/sbin', '/sbin/fs.d', '/sbin/fs', '/usr/sbin']

/** Types of the kernel that need no helper to translate source and options. `bind` is no type of mount(8). */
const MOUNTED_BY_KERNEL: ReadonlySet<string> = new Set(['bind', 'tmpfs', 'overlay', 'ext4', 'xfs', 'btrfs', 'squashfs'])

/** What the kernel of a network type does not do itself: it takes addresses, and no names and no files with secrets. */
const MOUNTED_BY_HELPER: ReadonlySet<string> = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'ceph', 'glusterfs', 'sshfs'])

/** What is asked of this host; tests answer for it. */
export interface Installed {
  /** Whether this program is there and may be run. */
  readonly isProgram: (path: string) => boolean
  /** The text of a file; empty where it cannot be read. */
  readonly text: (path: string) => string
}

const HOST: Installed = {
  isProgram: (path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  },
  text: (path) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  },
}

/** `fuse.sshfs` is mounted by `mount.fuse.sshfs`, or by `mount.fuse`. */
const namesOf = (type: string): readonly string[] => {
  const dot = type.indexOf('.')
  return dot < 0 ? [type] : [type, type.slice(0, dot)]
}

/** Whether mount(8) hands this type to a program of its own, which may leave processes behind; it does not for a bind. */
export const hasHelper = (type: string, installed: Installed = HOST): boolean =>
  type !== 'bind' &&
  namesOf(type).some((name) => HELPER_DIRECTORIES.some((at) => installed.isProgram(`${at}/mount.${name}`)))

/** Whether the kernel has this type now, or a module for it that it would load by itself. */
const isOfKernel = (type: string, { text }: Installed): boolean =>
  text('/proc/filesystems')
    .split('\n')
    .some((line) => line.split('\t').at(-1) === type) ||
  text(`/lib/modules/${release()}/modules.alias`).includes(`\nalias fs-${type} `)

/** Where the program that this type cannot be mounted without is expected, if it is not installed. */
export const missingHelper = (type: string, installed: Installed = HOST): string | undefined => {
  if (MOUNTED_BY_KERNEL.has(type) || hasHelper(type, installed)) return undefined
  const isNeeded = MOUNTED_BY_HELPER.has(type) || type.includes('.') || !isOfKernel(type, installed)
  return isNeeded ? `/sbin/mount.${namesOf(type).at(-1) ?? type}` : undefined
}
