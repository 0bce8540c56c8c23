// How an inventory reaches the core: a discovery that also asks the authority on what is in use, and laid upon what was
// found, each file counts for the mountpoint it lies on. What cannot be asked is not discovered (L28).

import type { Discover, Discovered, Inventory, InventoryEntry } from '@mountkeeper/core'
import { left } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { FilesInUse, HostPort, InventoryFailed, InventoryPort, Report, Timers } from './ports.js'

/** `a//b/./c` is the path `a/b/c`; `..` is what it is only where there are no links, and managed roots have none. */
const canonical = (path: string): string => {
  const components: string[] = []
  for (const component of path.split('/')) {
    if (component === '..') components.pop()
    else if (component !== '' && component !== '.') components.push(component)
  }
  return `/${components.join('/')}`
}

/** The mountpoint that a file lies on: the nearest one above it. Absent for what lies on none, and for what is no path. */
const mountpointOf = (mountpoints: ReadonlySet<string>, path: string): string | undefined => {
  if (!path.startsWith('/')) return undefined
  let above = canonical(path)
  do above = above.slice(0, above.lastIndexOf('/'))
  while (above !== '' && !mountpoints.has(above))
  return above === '' ? undefined : above
}

/** What is in use at these mountpoints. Files that lie on none of them are not ours; one that is used twice counts once. */
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

/** Asks, and gives up at the deadline whatever the authority's adapter does. */
const ask = (inventory: InventoryPort, timers: Timers, deadlineMs: number): Promise<Asked> =>
  new Promise((settle) => {
    const callOff = timers.after(deadlineMs, () => {
      settle(failed(`no answer within ${deadlineMs} ms`))
    })
    const done = (asked: Asked): void => {
      callOff()
      settle(asked)
    }
    const broken = (error: unknown): void => done(failed(error instanceof Error ? error.message : String(error)))
    try {
      inventory.ask(deadlineMs)().then(done, broken)
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
 * another: what began to be used since is newer than `startedAt`, and so is not taken for unused.
 */
export const withInventory = (port: HostPort, inventory: InventoryPort, timers: Timers): HostPort => {
  const discover = async (effect: Discover, started?: (pid: number) => void): Promise<Report> => {
    const asking = ask(inventory, timers, effect.deadlineMs)
    const report = await port.run(effect, started)
    // A host that could not be read is that, whatever the inventory says.
    return report.found._tag === 'Discovered' ? together(report.found, report, await asking) : report
  }
  return {
    run: (effect, started) => (effect._tag === 'Discover' ? discover(effect, started) : port.run(effect, started)),
  }
}
