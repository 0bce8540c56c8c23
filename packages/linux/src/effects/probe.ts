// Probe: does a mounted filesystem answer? One stat in a child that can be killed. It never decides mounted or not.

import type { Probe, Probed, Unknown } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { CommandEnd } from '../command-runner.js'
import type { Shown } from '../evidence.js'
import { errorOf, ranOf, timedOut } from '../evidence.js'
import { leftOf } from '../clock.js'
import { readPathOf } from '../root-descriptors.js'
import type { Tools } from '../tools.js'

/** What a dead filesystem answers: a FUSE mount without its daemon, an NFS mount whose export is gone. */
const BROKEN: ReadonlyMap<number, string> = new Map([
  [107, 'ENOTCONN'],
  [116, 'ESTALE'],
])

/** It answered, though it will not show us its root directory. */
const REFUSALS: ReadonlySet<number> = new Set([1, 13])

/** Ends with the errno of lstat(2), 0 if there is none. */
const LSTAT = `try { require('fs').lstatSync(process.argv[1]) } catch (e) { process.exitCode = Math.min(255, -e.errno) }`

const told = (errno: number): Probed | Unknown => {
  const broken = BROKEN.get(errno)
  if (broken !== undefined) return { _tag: 'Broken', errno: broken }
  if (errno === 0 || REFUSALS.has(errno)) return { _tag: 'Alive' }
  return { _tag: 'Unknown', why: 'Unreadable', detail: `stat fails with errno ${errno}` }
}

/**
 * Probes. stat(1) ends with 1 whatever is wrong, and no decision may rest on its words (L40); so, only when it fails, a
 * second child says the errno by its exit status, 60 ms later. `--cached=never` asks the filesystem rather than the kernel's
 * cache; a stat that does not know it fails, and the second child answers for it.
 */
export const probe = async (tools: Tools, effect: Probe): Promise<Report> => {
  const left = leftOf(tools.clock, effect.deadlineMs)
  const rights = 'own'
  const path = readPathOf(effect.mountpoint)
  const shown: Shown = [[path, effect.mountpoint]]
  const quick = await tools.runner.run({
    program: 'stat',
    options: ['--cached=never', '-c', '%i'],
    operands: [path],
    rights,
    deadlineMs: left(),
  })
  if (quick._tag === 'TimedOut') return timedOut(quick, shown)
  if (quick._tag === 'Exited' && quick.exitStatus === 0) return { found: { _tag: 'Alive' }, ran: [ranOf(quick, shown)] }
  const exact = await tools.runner.run({
    program: process.execPath,
    options: ['-e', LSTAT],
    operands: [path],
    rights,
    deadlineMs: left(),
  })
  const ran = [quick, exact].map((end) => ranOf(end, shown))
  if (exact._tag === 'TimedOut') return { ...timedOut(exact, shown), ran }
  const error = errorOf(quick, shown)
  return { found: foundBy(exact), ...(error === undefined ? {} : { error }), ran }
}

const foundBy = (end: CommandEnd): Probed | Unknown =>
  end._tag === 'Exited' ? told(end.exitStatus) : { _tag: 'Unknown', why: 'Unreadable', detail: 'no stat could be run' }
