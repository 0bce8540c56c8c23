// How an inventory reaches the core: a discovery that also asks the authority on what is in use, and laid upon what was
// found, each file counts for the mountpoint it is on. What cannot be asked is not discovered (L28).

import { readReport } from '@mountkeeper/border'
import type { Discover, Discovered, Inventory, InventoryEntry } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { left } from 'fp-ts/lib/Either.js'
import type { Complain } from './guard.js'
import { errorWords } from './guard.js'
import type { FilesInUse, HostPort, InventoryFailed, InventoryPort, Report, Timers, UsedFile } from './ports.js'

/** `a//b/./c` is the path `a/b/c`; `..` is what it is only where there are no links, and managed roots have none. */
const canonical = (path: string): string => {
  const components: string[] = []
  for (const component of path.split('/')) {
    if (component === '..') components.pop()
    else if (component !== '' && component !== '.') components.push(component)
  }
  return `/${components.join('/')}`
}

/** The mountpoint that a file is on: the nearest one above it. Absent for what is on none, and for what is no path. */
const mountpointOf = (mountpoints: ReadonlySet<string>, path: string): string | undefined => {
  if (!path.startsWith('/')) return undefined
  let above = canonical(path)
  do above = above.slice(0, above.lastIndexOf('/'))
  while (above !== '' && !mountpoints.has(above))
  return above === '' ? undefined : above
}

/** What is in use at these mountpoints. Files that are on none of them are not ours; one that is used twice counts once. */
export const inventoryAt = (mountpoints: Iterable<string>, { startedAt, files }: FilesInUse): Inventory => {
  const known = new Set(mountpoints)
  const entries = new Map<string, InventoryEntry>()
  for (const { path, volume, consumer } of files) {
    const mountpoint = mountpointOf(known, path)
    if (mountpoint === undefined) continue
    entries.set(JSON.stringify([mountpoint, volume, consumer]), { mountpoint, volume, consumer })
  }
  return { startedAt, entries: [...entries.values()] }
}

type Asked = Either<InventoryFailed, FilesInUse>

const failed = (why: string): Asked => left({ _tag: 'InventoryFailed', why })

const isText = (value: unknown): value is string => typeof value === 'string'

const isUsedFile = (value: unknown): value is UsedFile => {
  if (typeof value !== 'object' || value === null) return false
  const { path, volume, consumer } = value as Readonly<Record<keyof UsedFile, unknown>>
  return isText(path) && isText(volume) && isText(consumer)
}

/** The answer of an authority, of any shape; absent if it is none. */
const answerOf = (value: unknown): Asked | undefined => {
  const { _tag, left: refused, right: used } = value as Readonly<Record<'_tag' | 'left' | 'right', unknown>>
  if (_tag === 'Left') {
    const { why } = refused as Readonly<Record<'why', unknown>>
    return isText(why) ? failed(why) : undefined
  }
  if (_tag !== 'Right') return undefined
  const { startedAt, files } = used as Readonly<Record<keyof FilesInUse, unknown>>
  if (!Number.isFinite(startedAt) || !Array.isArray(files) || !files.every(isUsedFile)) return undefined
  const copies = files.map(({ path, volume, consumer }): UsedFile => ({ path, volume, consumer }))
  return { _tag: 'Right', right: { startedAt: Number(startedAt), files: copies } }
}

/** Asks, and gives up at the deadline whatever the authority's adapter does. */
const ask = (inventory: InventoryPort, timers: Timers, deadlineMs: number, complain: Complain): Promise<Asked> =>
  new Promise((settle) => {
    const callOff = timers.after(deadlineMs, () => {
      settle(failed(`no answer within ${deadlineMs} ms`))
    })
    const broken = (error: unknown): void => {
      callOff()
      const why = errorWords(error)
      complain('inventory', `the inventory did not answer but threw: ${why}`, error)
      settle(failed(why))
    }
    const done = (value: unknown): void => {
      callOff()
      const asked = answerOf(value)
      if (asked !== undefined) {
        settle(asked)
        return
      }
      const why = 'its answer has the wrong form, expected: Left { why }, or Right { startedAt, files }'
      complain('inventory', `the inventory cannot be used: ${why}`, value)
      settle(failed(why))
    }
    try {
      Promise.resolve(inventory.ask(deadlineMs)()).then(done).catch(broken)
    } catch (error) {
      broken(error)
    }
  })

const together = (discovered: Discovered, report: Report, asked: Asked): Report => {
  if (asked._tag === 'Left') {
    return { ...report, found: { _tag: 'NotDiscovered', reason: `the inventory failed: ${asked.left.why}` } }
  }
  const mountpoints = discovered.mountpoints.map(({ mountpoint }) => mountpoint)
  return { ...report, found: { ...discovered, inventory: inventoryAt(mountpoints, asked.right) } }
}

/**
 * A host port whose `Discover` also asks the inventory. It is asked before the host is read, and both answer beside one
 * another: what began to be used since is newer than `startedAt`, and so is not treated as unused.
 */
export const withInventory = (
  port: HostPort,
  inventory: InventoryPort,
  timers: Timers,
  complain: Complain = () => undefined,
): HostPort => {
  const discover = async (effect: Discover, started?: (pid: number) => void): Promise<Report> => {
    const asking = ask(inventory, timers, effect.deadlineMs, complain)
    const report = await port.run(effect, started)
    const read = readReport(effect._tag, report)
    // A host that could not be read is that, whatever the inventory says; and what is no report is for the runner to name.
    if ('wrong' in read || read.found._tag !== 'Discovered') return report
    return together(read.found, report, await asking)
  }
  return {
    run: (effect, started) => (effect._tag === 'Discover' ? discover(effect, started) : port.run(effect, started)),
  }
}
