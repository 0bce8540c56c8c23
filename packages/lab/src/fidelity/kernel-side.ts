// The kernel's side: the same operations as system calls, and what the adapter's look and `/proc` show.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { effectId } from '@mountkeeper/core'
import { createLooker, identityOf, linuxHost, parseMountInfo } from '@mountkeeper/linux'
import { PLACE, at } from './model-side.js'
import type { Operation } from './operation.js'
import { BEGINNING, LOOKED_AT } from './operation.js'
import type { CameTo, Line, Place, Side } from './snapshot.js'
import type { SystemCalls } from './system-calls.js'

/** The bits of mount(2). */
export const FLAG_BITS = { ro: 1, nosuid: 2, nodev: 4, noexec: 8 }
const MS_MOVE = 8192
const MS_BIND = 4096
const MNT_DETACH = 2

const NOT_DONE = 'the place of the test could not be made'

/** Takes the place off, with all that is mounted on it, after the processes that are left have ended. */
export const clearPlace = async ({ call }: SystemCalls, processes: number): Promise<void> => {
  const leaving = Array.from({ length: processes }, () => call('leave'))
  const errno = await call('umount', PLACE, MNT_DETACH)
  await Promise.all(leaving)
  if (errno !== undefined) throw new Error(`the place of the test could not be taken off: ${errno}`)
}

const table = () => parseMountInfo(readFileSync('/proc/self/mountinfo')).lines

/** What the root of the place is, as a generation would begin with it. */
export const placeOf = async (): Promise<Place> => {
  const discover = { _tag: 'Discover', effect: effectId(1), roots: [PLACE], known: [], deadlineMs: 10_000 } as const
  const { found } = await linuxHost().run(discover)
  const root = found._tag === 'Discovered' ? found.roots[0] : undefined
  const line = table().find(({ mountId }) => mountId === root?.mountId)
  if (root === undefined || line === undefined) throw new Error(`${NOT_DONE}: ${JSON.stringify(found)}`)
  return { root, device: line.device }
}

/** Does an operation. */
export const operateReally = ({ call }: SystemCalls, operation: Operation): Promise<string | undefined> => {
  switch (operation._tag) {
    case 'MakeDirectory':
      return call('mkdir', at(operation.path))
    case 'RemoveDirectory':
      return call('rmdir', at(operation.path))
    case 'MakeFile':
      return call('make', at(operation.path))
    case 'RemoveFile':
      return call('unlink', at(operation.path))
    case 'Link':
      return call('link', at(operation.path), at(operation.target))
    case 'Rename':
      return call('rename', at(operation.path), at(operation.to))
    case 'Mount': {
      const bits = operation.flags.reduce((sum, flag) => sum + FLAG_BITS[flag], 0)
      return call('mount', at(operation.path), 'tmpfs', operation.source, bits, 'size=64k')
    }
    case 'Bind':
      return call('mount', at(operation.path), 'none', at(operation.source), MS_BIND, '')
    case 'Move':
      return call('mount', at(operation.to), 'none', at(operation.path), MS_MOVE, '')
    case 'Unmount':
      return call('umount', at(operation.path), operation.how === 'lazy' ? MNT_DETACH : 0)
    case 'Enter':
      return call(operation.uses === 'open file' ? 'open' : 'stand', at(operation.path))
    case 'Leave':
      return call('leave')
  }
}

/** Mounts a fresh tmpfs over the place, with what is there at the beginning. */
export const makePlace = async (calls: SystemCalls): Promise<void> => {
  // Perl does one after the other, so there is no need to wait for each.
  const errnos = await Promise.all([
    calls.call('mount', PLACE, 'tmpfs', 'place', 0, 'mode=0755,size=1m'),
    ...BEGINNING.map((operation) => operateReally(calls, operation)),
  ])
  const errno = errnos.find((each) => each !== undefined)
  if (errno !== undefined) throw new Error(`${NOT_DONE}: ${errno}`)
}

const treeOf = (directory: string): readonly string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`
    if (entry.isSymbolicLink()) return [`${path} -> ${readlinkSync(path)}`]
    return entry.isDirectory() ? [`${path}/`, ...treeOf(path)] : [path]
  })

const tableOf = (placeId: number): readonly Line[] => {
  const lines = table()
  const below = new Set([placeId])
  // A mount may stand before the one it is on: ids are used again.
  for (let size = 0; size < below.size;) {
    size = below.size
    for (const { mountId, parentId } of lines) if (below.has(parentId)) below.add(mountId)
  }
  return lines
    .filter(({ mountId }) => mountId !== placeId && below.has(mountId))
    .map((line) => ({ identity: identityOf(line), parentId: line.parentId, target: line.target }))
}

const looker = createLooker()

/** What the kernel shows after a step. `mayBe` is how the looks look: by descriptors, or by the table. */
export const kernelShows = async (
  { errno, report }: CameTo,
  { root }: Place,
  mayBe: 'quiet' | 'anything',
): Promise<Side> => {
  const rule = { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] } as const
  const looks = LOOKED_AT.map(async (path) => {
    const request = {
      mountpoint: at(path),
      root,
      filesystem: undefined,
      rule,
      trust: { uid: process.getuid!(), owners: [] },
      server: '',
      mayBe,
      deadlineMs: 10_000,
    }
    return [path, (await looker(request)).found] as const
  })
  return {
    ...(errno === undefined ? {} : { errno }),
    ...(report === undefined ? {} : { report }),
    tree: [...treeOf(PLACE)].sort(),
    table: tableOf(root.mountId),
    looks: await Promise.all(looks),
  }
}
