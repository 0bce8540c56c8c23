// What the mount table shows that the records do not, compared in slices: the table is read once, each mountpoint is compared by
// the lines at its path, and nothing is searched. It is compared with the records, not with the table as it was: a mount that
// came and went between two readings is in neither of them, and the record still has it.

import type { Identity, RecordedLayers } from '@mountkeeper/core'
import { compareIdentity } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { asWritten, targetOf } from './mount-table.js'
import { identityOf, parseTableLine } from './mountinfo.js'
import type { Slices } from './slices.js'

/** Gives the lines of the mount table, bytes as latin1. */
export type TakeLines = (slices: Slices, take: (line: string) => void) => Promise<void>

/** What a comparison came to. */
export interface Compared {
  /** Mountpoints whose layers are not those on record, each said once as long as neither changes. */
  readonly news: readonly string[]
  /** Mountpoints where something was under way meanwhile: to be compared again when they are at rest. */
  readonly moving: readonly string[]
}

/** Compares from time to time; one comparison at a time. */
export interface TableNews {
  readonly compare: (slices: Slices) => Promise<Compared>
}

/** The lines of the table by target as it is written, each target's lines in one text. */
type Lines = ReadonlyMap<string, string>

const isSame = (known: Identity, there: Identity): boolean =>
  compareIdentity(known, there) === 'same' && known.root === there.root && known.flags.join() === there.flags.join()

/** Whether these lines show exactly the layers on record; the order of lines proves nothing. */
const shows = (text: string | undefined, { ours, others }: RecordedLayers): boolean => {
  const known = ours === undefined ? others : [ours, ...others]
  const lines = text === undefined ? [] : text.split('\n')
  if (lines.length !== known.length) return false
  const there = lines.flatMap((line) => {
    const parsed = parseTableLine(line)
    return parsed._tag === 'Left' ? [] : [identityOf(parsed.right)]
  })
  return there.length === lines.length && known.every((layer) => there.some((other) => isSame(layer, other)))
}

const isUnchanged = (was: RecordedLayers, is: RecordedLayers | undefined): is is RecordedLayers =>
  is?.ours === was.ours && is?.others === was.others

/** Every directory from `/` down to this one, as the table writes it. */
const withAncestors = (root: string): readonly string[] => {
  const names = root.split('/').slice(1)
  return ['/', ...names.map((_, index) => asWritten(`/${names.slice(0, index + 1).join('/')}`))]
}

interface Root {
  readonly path: string
  readonly above: readonly string[]
  /** The lines at the root and above it at the last comparison. */
  lines: string | undefined
}

/** Makes a comparer of the records below these roots. */
export const createTableNews = (
  manager: Pick<MountManager, 'mountpoints' | 'recorded'>,
  rootPaths: readonly string[],
  takeLines: TakeLines,
): TableNews => {
  const roots: readonly Root[] = rootPaths.map((path) => ({ path, above: withAncestors(path), lines: undefined }))
  const below = rootPaths.map((path) => `${asWritten(path)}/`)
  const above = new Set(roots.flatMap((root) => root.above))
  /** What was said of a mountpoint: the lines and the record that disagreed. */
  let said = new Map<string, string>()

  const read = async (slices: Slices): Promise<Lines> => {
    const lines = new Map<string, string>()
    await takeLines(slices, (line) => {
      const target = targetOf(line)
      if (!above.has(target) && !below.some((start) => target.startsWith(start))) return
      const before = lines.get(target)
      lines.set(target, before === undefined ? line : `${before}\n${line}`)
    })
    return lines
  }

  /** The roots that were covered or uncovered, which hides or shows all that is below them. */
  const changedRoots = (lines: Lines): readonly string[] =>
    roots
      .filter((root) => {
        const was = root.lines
        root.lines = root.above.map((target) => lines.get(target) ?? '').join('\n\n')
        return was !== undefined && was !== root.lines
      })
      .map(({ path }) => `${path}/`)

  const record = async (slices: Slices): Promise<ReadonlyMap<string, RecordedLayers>> => {
    const all = new Map<string, RecordedLayers>()
    for (const mountpoint of manager.mountpoints()) {
      const recorded = manager.recorded(mountpoint)
      if (recorded !== undefined) all.set(mountpoint, recorded)
      await slices.pause()
    }
    return all
  }

  return {
    compare: async (slices) => {
      // Before the table: what the manager itself does meanwhile is no news, and is seen by the change of the record.
      const before = await record(slices)
      const lines = await read(slices)
      const changed = changedRoots(lines)
      const news: string[] = []
      const moving: string[] = []
      const saidNow = new Map<string, string>()
      for (const [mountpoint, was] of before) {
        await slices.pause()
        const is = manager.recorded(mountpoint)
        if (is === undefined) continue
        if (!was.atRest || !is.atRest || !isUnchanged(was, is)) {
          moving.push(mountpoint)
          continue
        }
        const text = lines.get(asWritten(mountpoint))
        if (changed.some((start) => mountpoint.startsWith(start))) news.push(mountpoint)
        else if (!shows(text, is)) {
          const disagreement = JSON.stringify([text, is.ours, is.others])
          saidNow.set(mountpoint, disagreement)
          if (said.get(mountpoint) !== disagreement) news.push(mountpoint)
        }
      }
      said = saidNow
      return { news, moving }
    },
  }
}
