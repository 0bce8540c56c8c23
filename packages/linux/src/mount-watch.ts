// What others mount and unmount below the roots, noticed without being asked. A child waits for the kernel's word that the
// mount table has changed and writes a byte (4 ms, at any size of the table); Node itself cannot wait for that. The table is
// read once for all changes of a moment, and a mountpoint whose layers are not those on record is reported to the manager. The
// watch decides nothing: an observation leads to a look at most.

import { spawn } from 'node:child_process'
import type { MountManager } from '@mountkeeper/runtime'
import { WATCH_CAPABILITIES, keeping } from './capabilities.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { errnoOf } from './descriptor.js'
import { beginSlices, readLines } from './slices.js'
import type { TakeLines } from './table-news.js'
import { createTableNews } from './table-news.js'

/** What a watch is made of. */
export interface MountWatchOptions {
  readonly manager: Pick<MountManager, 'state' | 'observed' | 'mountpoints' | 'recorded' | 'onAttached'>
  /** How often the table is read where no change is reported, ms; 30,000 by default. */
  readonly intervalMs?: number
  /** Looked up in the PATH of commands; `perl` by default. */
  readonly program?: string
  /** Called once, with the reason, if the kernel does not report changes (any more). */
  readonly onInterval?: (why: string) => void
  /** By default those of `/proc/self/mountinfo`. */
  readonly takeLines?: TakeLines
}

/** A watch on the mount table. Keeps no process alive. */
export interface MountWatch {
  readonly close: () => void
}

/** What setpriv(1) ends with when the program that it is to become is not there. */
const NOT_FOUND = 127

const INTERVAL_MS = 30_000
/** Changes within this time are one: what the manager itself mounts is on record by then, and is no news. */
const SETTLE_MS = 100
/** Of the time at most this share is spent with reading and comparing, however often the table changes. */
const READING_SHARE_MAX = 0.02
/** A mountpoint is looked at so long after an attach there was answered: among many mounts the table may be read later. */
const AFTER_ATTACHED_MS = 500

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

/** Calls once for each mountpoint, some time after it was last named, and at most that time after the first. */
const createLater = (delayMs: number, call: (mountpoint: string) => 'done' | 'again'): Later => {
  const due = new Map<string, { timer: NodeJS.Timeout; namedAgain: boolean }>()
  const arm = (mountpoint: string, afterMs: number): void => {
    const timer = setTimeout(() => {
      const again = due.get(mountpoint)?.namedAgain === true
      due.delete(mountpoint)
      if (call(mountpoint) === 'again') arm(mountpoint, SETTLE_MS)
      else if (again) arm(mountpoint, delayMs)
    }, afterMs).unref()
    due.set(mountpoint, { timer, namedAgain: false })
  }
  return {
    name: (mountpoint) => {
      const waiting = due.get(mountpoint)
      if (waiting === undefined) arm(mountpoint, delayMs)
      else waiting.namedAgain = true
    },
    close: () => {
      for (const { timer } of due.values()) clearTimeout(timer)
      due.clear()
    },
  }
}

interface Later {
  readonly name: (mountpoint: string) => void
  readonly close: () => void
}

/**
 * Watches the mounts below the roots of a manager, and reports to it every mountpoint where others mounted or unmounted, within
 * 0.2 s, or at the interval where the child cannot be run. Changes elsewhere cost one reading of the table for each burst.
 * Half a second after each `Attached` it asks for one look at that mountpoint alone.
 */
export const watchMounts = (options: MountWatchOptions): MountWatch => {
  const { manager, onInterval } = options
  const roots = manager.state.settings.roots.map(({ path }) => path)
  const news = createTableNews(manager, roots, options.takeLines ?? readLines)
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let interval: NodeJS.Timeout | undefined
  /** Before then the share of the time would be exceeded. */
  let notBefore = 0
  let comparing = false
  let changedMeanwhile = false
  const hasChanged = (): boolean => changedMeanwhile

  const soon = (): void => {
    if (closed) return
    if (comparing) {
      changedMeanwhile = true
      return
    }
    timer ??= setTimeout(() => void compare(), Math.max(SETTLE_MS, notBefore - performance.now())).unref()
  }

  /** Where something was under way during the last comparison. */
  const rests = createLater(SETTLE_MS, (mountpoint) => {
    if (manager.recorded(mountpoint)?.atRest === false) return 'again'
    soon()
    return 'done'
  })

  const compare = async (): Promise<void> => {
    timer = undefined
    comparing = true
    changedMeanwhile = false
    const slices = beginSlices()
    try {
      const compared = await news.compare(slices)
      if (closed) return
      for (const mountpoint of compared.news) manager.observed(mountpoint)
      compared.moving.forEach(rests.name)
    } catch {
      // Without /proc nothing is known, and looks say so.
    } finally {
      comparing = false
      notBefore = performance.now() + slices.busyMs() / READING_SHARE_MAX
      // More changes came in a pause.
      if (hasChanged()) soon()
    }
  }

  const lookAgain = createLater(AFTER_ATTACHED_MS, (mountpoint) => {
    const recorded = manager.recorded(mountpoint)
    // While something is under way an observation would change nothing.
    if (recorded?.atRest === false) return 'again'
    if (recorded?.ours !== undefined) manager.observed(mountpoint)
    return 'done'
  })
  const hearNoMore = manager.onAttached(lookAgain.name)

  const program = options.program ?? 'perl'
  const missing = `${program} is not installed`
  const [file, ...args] = [...keeping(WATCH_CAPABILITIES), program, '-e', TICK]
  const child = spawn(file, args, {
    cwd: '/',
    env: COMMAND_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const byInterval = (why: string): void => {
    if (closed || interval !== undefined) return
    interval = setInterval(soon, options.intervalMs ?? INTERVAL_MS).unref()
    onInterval?.(why)
    soon()
  }
  child.unref()
  for (const stream of [child.stdin, child.stdout]) if ('unref' in stream) (stream.unref as () => void)()
  child.stdin.on('error', () => undefined)
  child.stdout.on('data', soon)
  child.once('error', (error) => {
    byInterval(errnoOf(error) === 'ENOENT' ? missing : error.message)
  })
  child.once('exit', (status, signal) => {
    byInterval(
      status === NOT_FOUND ? missing : `the process that waits for changes ended (${signal ?? status ?? 'unknown'})`,
    )
  })
  // Once now, and once more at the child's first byte, which says that it waits.
  void compare()
  return {
    close: () => {
      closed = true
      clearTimeout(timer)
      clearInterval(interval)
      rests.close()
      lookAgain.close()
      hearNoMore()
      child.stdin.end()
    },
  }
}
