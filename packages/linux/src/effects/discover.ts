// Discover: what a generation begins with. Reads only; a root that is not as it has to be is named, with what to do, and
// leaves the host down (L28).

import { readFileSync, readlinkSync } from 'node:fs'
import type { Discover, Discovered, Found, NotDiscovered, ResolvedSource, RootSeen } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import { isLeft } from 'fp-ts/lib/Either.js'
import { errnoOf } from '../descriptor.js'
import type { LookRequest } from '../look.js'
import { lookTogether } from '../look.js'
import { parseMountInfo } from '../mountinfo.js'
import { readTable } from '../mount-table.js'
import { seeDirectory } from '../roots.js'
import type { Tools } from '../tools.js'
import { ruleOf } from '../tools.js'

/** More than of ordinary looks, for each slice reads the whole table once; nobody is being served meanwhile. */
const TOGETHER_MAX = 256

const notDiscovered = (reason: string): Report => ({ found: { _tag: 'NotDiscovered', reason } satisfies NotDiscovered })

const rootAbove = (roots: readonly RootSeen[], path: string): RootSeen | undefined =>
  roots.find((root) => path.startsWith(`${root.path}/`))

/**
 * Paths below the roots with something mounted on them, known or not. Mounts inside of other mounts are not mountpoints of
 * the roots: only those that lie on a root's own mount count.
 */
const mountedBelow = (roots: readonly RootSeen[]): readonly string[] => {
  const { lines, malformed } = parseMountInfo(Buffer.from(readTable().text.slice(1), 'latin1'))
  const [bad] = malformed
  if (bad !== undefined) throw new Error(`line ${bad.line} of the mount table cannot be read (${bad.why}): ${bad.text}`)
  return lines
    .filter(({ target, parentId }) => rootAbove(roots, target)?.mountId === parentId)
    .map(({ target }) => target)
}

const requestsOf = (tools: Tools, effect: Discover, roots: readonly RootSeen[]): readonly LookRequest[] => {
  const known = new Map(effect.known.map(({ mountpoint, filesystem }) => [mountpoint, filesystem]))
  const paths = new Set([...known.keys(), ...mountedBelow(roots)])
  return [...paths].map((mountpoint) => {
    const filesystem = known.get(mountpoint)
    const appears = filesystem === undefined ? ({ _tag: 'Growth' } as const) : ruleOf(tools, filesystem.type).appears
    const root = rootAbove(roots, mountpoint)
    return { mountpoint, root, filesystem, appears, mayBe: 'anything', deadlineMs: effect.deadlineMs }
  })
}

interface SeenMountpoint {
  readonly mountpoint: string
  readonly found: Found
  readonly source?: ResolvedSource
}

/** A mount that lies under another one cannot be reached, and is nobody's unless it is known. */
const isHidden = (effect: Discover, { mountpoint, found }: SeenMountpoint): boolean =>
  found._tag === 'Unknown' &&
  found.why === 'ParentElsewhere' &&
  !effect.known.some((known) => known.mountpoint === mountpoint)

const lookAll = async (
  tools: Tools,
  effect: Discover,
  requests: readonly LookRequest[],
): Promise<readonly SeenMountpoint[] | undefined> => {
  const end = performance.now() + effect.deadlineMs
  const all: SeenMountpoint[] = []
  for (let from = 0; from < requests.length; from += TOGETHER_MAX) {
    if (performance.now() > end) return undefined
    const slice = requests.slice(from, from + TOGETHER_MAX)
    lookTogether(slice).forEach((seen, index) => {
      const mountpoint = slice[index]?.mountpoint ?? ''
      const alive = tools.orphans.at(mountpoint)
      if (alive === undefined) all.push({ mountpoint, ...seen })
      else all.push({ mountpoint, found: { _tag: 'Unknown', why: 'CommandAlive', detail: alive } })
    })
    await new Promise((next) => setImmediate(next))
  }
  return all.filter((seen) => !isHidden(effect, seen))
}

/** Reads boot id, mount namespace, roots, and what is at every known mountpoint and every mount below the roots. */
export const discover = async (tools: Tools, effect: Discover): Promise<Report> => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const mountNamespace = readlinkSync('/proc/self/ns/mnt')
    const roots: RootSeen[] = []
    for (const path of effect.roots) {
      const seen = seeDirectory('root', path, tools.uid)
      if (isLeft(seen)) return notDiscovered(`${seen.left.text}; ${seen.left.mend}`)
      const { mountId, directory, propagation } = seen.right
      roots.push({ path, mountId, directory, propagation })
    }
    tools.orphans.search()
    const mountpoints = await lookAll(tools, effect, requestsOf(tools, effect, roots))
    if (mountpoints === undefined)
      return notDiscovered(`not finished within ${effect.deadlineMs} ms; raise the deadline`)
    return { found: { _tag: 'Discovered', boot, mountNamespace, roots, mountpoints } satisfies Discovered }
  } catch (error) {
    return notDiscovered(error instanceof Error ? error.message : errnoOf(error))
  }
}
