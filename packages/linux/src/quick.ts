// Which commands cannot hang and leave nothing behind: they concern only the kernel's memory and local directories, and start no
// helper. What may wait for a server, a daemon or a disk, or write for long, has a process of its own.

import type { Unmount } from '@mountkeeper/core'

/** Types whose mount asks no server and no daemon: a bind is made only of what is on a local filesystem. Reading a superblock may take long. */
const QUICK_TYPES: ReadonlySet<string> = new Set(['tmpfs', 'bind'])

/** Whether the mount of this type is done by mount(8) and the kernel alone, at once. */
export const mountsQuickly = (type: string, hasHelper: boolean): boolean => QUICK_TYPES.has(type) && !hasHelper

/** Whether the plain umount(8) of this layer is done at once: the last mount of a disk is written out first. */
export const unmountsQuickly = ({ identity, filesystem }: Unmount): boolean =>
  identity.fstype === 'tmpfs' || filesystem?.type === 'bind'
