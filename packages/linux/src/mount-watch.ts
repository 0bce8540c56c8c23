// What others mount and unmount below the roots, noticed without being asked. A child waits for the kernel's word that the
// mount table has changed and writes a byte (4 ms, at any size of the table); Node itself cannot wait for that. The table is
// read once for all changes of a moment, and only a mountpoint whose layers are not those on record is told to the manager.

import { spawn } from 'node:child_process'
import type { Host, Identity } from '@mountkeeper/core'
import { compareIdentity } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { COMMAND_ENVIRONMENT } from './command-runner.js'
import type { MountTable } from './mount-table.js'
import { linesBelow, readTable } from './mount-table.js'
import { identityOf } from './mountinfo.js'

/** What a watch is made of. */
export interface MountWatchOptions {
  readonly manager: Pick<MountManager, 'state' | 'observed'>
  /** How often the table is read where no change is told, ms; 30,000 by default. */
  readonly intervalMs?: number
  /** Looked up in the PATH of commands; `perl` by default. */
  readonly program?: string
  /** Told once, if changes are not told by the kernel (any more), with the reason. */
  readonly onInterval?: (why: string) => void
}

/** A watch on the mount table. Keeps no process alive. */
export interface MountWatch {
  readonly close: () => void
}

const INTERVAL_MS = 30_000
/** Changes within this time are one: what the manager itself mounts is on record by then, and is no news. */
const SETTLE_MS = 100
/** Of the time at most this share is spent with reading the table, however often it changes. */
const READING_SHARE_MAX = 0.02

/** Ends with its manager, at the end of its input. Of perl only what perl-base has. */
const TICK = `
open(F, '<', '/proc/self/mountinfo') or exit 1;
$| = 1;
print 'w';
while (1) {
  my ($r, $e) = ('', '');
  vec($r, 0, 1) = 1;
  vec($e, fileno(F), 1) = 1;
  select($r, undef, $e, undef);
  exit 0 if vec($r, 0, 1);
  print 'c' if vec($e, fileno(F), 1);
}`

/** The lines of the table at each target at or below a root, as they stand. */
type Snapshot = ReadonlyMap<string, string>

const snapshotOf = (table: MountTable, roots: readonly string[]): Snapshot => {
  const all = new Map<string, string>()
  for (const { target, text } of roots.flatMap((root) => linesBelow(table, root))) {
    const before = all.get(target)
    all.set(target, before === undefined ? text : `${before}\n${text}`)
  }
  return all
}

const changedIn = (was: Snapshot, is: Snapshot): readonly string[] => [
  ...[...is].filter(([target, text]) => was.get(target) !== text).map(([target]) => target),
  ...[...was.keys()].filter((target) => !is.has(target)),
]

const isSame = (known: Identity, there: Identity): boolean =>
  compareIdentity(known, there) === 'same' && known.root === there.root && known.flags.join() === there.flags.join()

const sameLayers = (known: readonly Identity[], there: readonly Identity[]): boolean =>
  known.length === there.length && known.every((layer) => there.some((other) => isSame(layer, other)))

/** Whether the layers at a mountpoint are other ones than those on record. */
const isNews = (host: Host, mountpoint: string, there: readonly Identity[]): boolean => {
  const record = host.mountpoints.get(mountpoint)?.record
  if (record === undefined) return false
  const known = [...(record.layer === undefined ? [] : [record.layer]), ...record.foreign]
  return !sameLayers(known, there)
}

/**
 * Watches the mounts below the roots of a manager, and tells it of every mountpoint where others mounted or unmounted, within
 * 0.2 s, or at the interval where the child cannot be run. Changes elsewhere cost one reading of the table for each burst.
 */
export const watchMounts = (options: MountWatchOptions): MountWatch => {
  const { manager, onInterval } = options
  const roots = manager.state.settings.roots.map(({ path }) => path)
  let closed = false
  let snapshot: Snapshot = new Map()
  let timer: NodeJS.Timeout | undefined
  let interval: NodeJS.Timeout | undefined
  let readingMs = 0

  const read = (): MountTable | undefined => {
    try {
      return readTable()
    } catch {
      // Without /proc nothing is known, and looks say so.
      return undefined
    }
  }

  const compare = (): void => {
    timer = undefined
    const since = performance.now()
    const table = read()
    if (table === undefined) return
    const is = snapshotOf(table, roots)
    const changed = changedIn(snapshot, is)
    snapshot = is
    readingMs = performance.now() - since
    // A root that was covered hides all that lies below it.
    const covered = roots.filter((root) => changed.includes(root))
    const below = [...manager.state.mountpoints.keys()].filter((path) =>
      covered.some((root) => path.startsWith(`${root}/`)),
    )
    for (const mountpoint of below) manager.observed(mountpoint)
    for (const mountpoint of changed) {
      const there = linesBelow(table, mountpoint).filter(({ target }) => target === mountpoint)
      const layers = there.flatMap(({ line }) => (line === undefined ? [] : [identityOf(line)]))
      if (layers.length < there.length || isNews(manager.state, mountpoint, layers)) manager.observed(mountpoint)
    }
  }

  const soon = (): void => {
    if (closed) return
    timer ??= setTimeout(compare, Math.max(SETTLE_MS, readingMs / READING_SHARE_MAX)).unref()
  }

  const child = spawn(options.program ?? 'perl', ['-e', TICK], {
    cwd: '/',
    env: COMMAND_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const byInterval = (why: string): void => {
    if (closed || interval !== undefined) return
    interval = setInterval(compare, options.intervalMs ?? INTERVAL_MS).unref()
    onInterval?.(why)
    soon()
  }
  child.unref()
  for (const stream of [child.stdin, child.stdout]) if ('unref' in stream) (stream.unref as () => void)()
  child.stdin.on('error', () => undefined)
  child.stdout.on('data', soon)
  child.once('error', ({ message }) => {
    byInterval(message)
  })
  child.once('exit', (status, signal) => {
    byInterval(`the process that waits for changes ended (${signal ?? status ?? 'unknown'})`)
  })
  const first = read()
  if (first !== undefined) snapshot = snapshotOf(first, roots)
  return {
    close: () => {
      closed = true
      clearTimeout(timer)
      clearInterval(interval)
      child.stdin.end()
    },
  }
}
