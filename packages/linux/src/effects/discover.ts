// Discover: what a generation begins with. Reads only; a root that is not as it has to be is named, with what to do, and
// leaves the host down (L28).

import { readFileSync, readlinkSync } from 'node:fs'
import type { Discover, Discovered, Found, NotDiscovered, RootSeen, SourceSeen } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { errnoOf } from '../descriptor.js'
import { parseTableLine } from '../mountinfo.js'
import { beginSlices, readLines } from '../slices.js'
import { keepRoots } from '../root-descriptors.js'
import type { LookedAt, Tools } from '../tools.js'
import { lookAt } from '../tools.js'

/** A mountpoint that hangs is reported as unknown in time for the rest to be discovered (L32); many take their time. */
const LOOK_DEADLINE_MS = 10_000
const LOOK_DEADLINE_EACH_MS = 2
const lookDeadlineOf = (effect: Discover, looks: number): number =>
  Math.min(LOOK_DEADLINE_MS + LOOK_DEADLINE_EACH_MS * looks, effect.deadlineMs / 2)

const notDiscovered = (reason: string): Report => ({ found: { _tag: 'NotDiscovered', reason } satisfies NotDiscovered })

const rootAbove = (roots: readonly RootSeen[], path: string): RootSeen | undefined =>
  roots.find((root) => path.startsWith(`${root.path}/`))

/**
 * Paths below the roots with something mounted on them, known or not. Mounts inside of other mounts are not mountpoints of
 * the roots: only those that are on a root's own mount count.
 */
const mountedBelow = async (roots: readonly RootSeen[]): Promise<readonly string[]> => {
  const targets: string[] = []
  let number = 0
  await readLines(beginSlices(), (line) => {
    number += 1
    const parsed = parseTableLine(line)
    if (isLeft(parsed)) throw new Error(`line ${number} of the mount table cannot be read (${parsed.left}): ${line}`)
    const { target, parentId } = parsed.right
    if (rootAbove(roots, target)?.mountId === parentId) targets.push(target)
  })
  return targets
}

const placesOf = (effect: Discover, roots: readonly RootSeen[], mounted: readonly string[]): readonly LookedAt[] => {
  const known = new Map(effect.known.map((each) => [each.mountpoint, each]))
  const paths = new Set([...known.keys(), ...mounted])
  return [...paths].map((mountpoint) => ({
    mountpoint,
    root: rootAbove(roots, mountpoint),
    filesystem: known.get(mountpoint)?.filesystem,
    layer: known.get(mountpoint)?.layer,
    mayBe: 'anything',
  }))
}

interface SeenMountpoint {
  readonly mountpoint: string
  readonly found: Found
  readonly source?: SourceSeen
  readonly elsewhere?: string
}

/** A mount that is under another one cannot be reached, and is ignored unless it is known. */
const isHidden = (effect: Discover, { mountpoint, found }: SeenMountpoint): boolean =>
  found._tag === 'Unknown' &&
  found.why === 'ParentElsewhere' &&
  !effect.known.some((known) => known.mountpoint === mountpoint)

const lookAll = async (
  tools: Tools,
  effect: Discover,
  places: readonly LookedAt[],
): Promise<readonly SeenMountpoint[]> => {
  const deadlineMs = lookDeadlineOf(effect, places.length)
  const all = places.map(async (place): Promise<SeenMountpoint> => {
    const looked = await lookAt(tools, place, deadlineMs)
    const source = 'source' in looked ? { source: looked.source } : {}
    const moved = 'elsewhere' in looked ? { elsewhere: looked.elsewhere } : {}
    return { mountpoint: place.mountpoint, found: looked.found, ...source, ...moved }
  })
  return (await Promise.all(all)).filter((seen) => !isHidden(effect, seen))
}

const seeRoot = async (tools: Tools, path: string, deadlineMs: number): Promise<Either<string, RootSeen>> => {
  const seen = await tools.directory('root', path, tools.trustFor(path), deadlineMs)
  if (seen === undefined)
    return left(`root ${path}: looking at it took longer than ${deadlineMs} ms; see what is mounted`)
  if (isLeft(seen)) return left(`${seen.left.text}; ${seen.left.mend}`)
  const { mountId, directory, propagation } = seen.right
  return right({ path, mountId, directory, propagation })
}

/** Reads boot id, mount namespace, roots, and what is at every known mountpoint and every mount below the roots. */
export const discover = async (tools: Tools, effect: Discover): Promise<Report> => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const mountNamespace = readlinkSync('/proc/self/ns/mnt')
    const roots: RootSeen[] = []
    for (const root of await Promise.all(
      effect.roots.map((path) => seeRoot(tools, path, lookDeadlineOf(effect, effect.roots.length))),
    )) {
      if (isLeft(root)) return notDiscovered(root.left)
      roots.push(root.right)
    }
    const hidden = await tools.orphans.search()
    if (hidden !== undefined) return notDiscovered(hidden)
    keepRoots(roots)
    const mountpoints = await lookAll(tools, effect, placesOf(effect, roots, await mountedBelow(roots)))
    return { found: { _tag: 'Discovered', boot, mountNamespace, roots, mountpoints } satisfies Discovered }
  } catch (error) {
    return notDiscovered(error instanceof Error ? error.message : errnoOf(error))
  }
}
