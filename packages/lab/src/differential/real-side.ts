// The manager on this machine: a fresh tmpfs with its root and its sources, commands that can be made to fail, and system
// calls as the others.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Settings } from '@mountkeeper/core'
import { execaRunner, linuxHost } from '@mountkeeper/linux'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { ThirdPartyAct } from '@mountkeeper/simulator'
import { EXPORTS, ROOT } from '@mountkeeper/simulator'
import { PLACE } from '../fidelity/model-side.js'
import { kernelShows, placeOf } from '../fidelity/kernel-side.js'
import type { SystemCalls } from '../fidelity/system-calls.js'
import { BEGUN, FAULTS_PLACE, GO_ON, PROGRAMS } from './planted.js'
import { shownBelow } from './shown.js'
import type { NewSide } from './side.js'

const MNT_DETACH = 2
const MS_BIND = 4096

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

const interfere = ({ call }: SystemCalls, act: ThirdPartyAct): Promise<string | undefined> => {
  switch (act._tag) {
    case 'Mounts':
      return call('mount', act.path, 'tmpfs', act.source, act.flags.includes('nosuid') ? 2 + 4 : 0, 'size=64k')
    case 'Binds':
      return call('mount', act.path, 'none', act.source, MS_BIND, '')
    case 'Unmounts':
      return call('umount', act.path, act.how === 'lazy' ? MNT_DETACH : 0)
    case 'MakesDirectory':
      return call('mkdir', act.path)
    case 'RemovesDirectory':
      return call('rmdir', act.path)
    case 'Writes':
      return call('make', act.path)
    case 'Deletes':
      return call('unlink', act.path)
    case 'Links':
      return call('link', act.path, act.target)
    case 'Renames':
      return call('rename', act.from, act.to)
    case 'Enters':
      return call(act.uses === 'open file' ? 'open' : 'stand', act.path)
    case 'Leaves':
      return call('leave')
    case 'Moves':
    case 'Behaves':
    case 'Remounts':
    case 'TurnsReadOnly':
    case 'Obstructs':
    case 'Helper':
    case 'Unshares':
      throw new Error(`${act._tag} cannot be done here`)
  }
}

/** How long commands that were left running may take to end, ms. */
const ENDING_MS = 30_000
/** How long a planted program may take to begin, ms. */
const BEGINNING_MS = 30_000
/** Time between TERM and KILL, ms: planted programs that wait end by themselves, also on a machine with other work. */
const GRACE_MS = 30_000

/** A process that looks is no command: it is kept for a while for the looks that come. */
const isLookProcess = (pid: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('look-process')
  } catch {
    return true
  }
}

const isCommandLeft = (before: ReadonlySet<string>): boolean =>
  readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && !before.has(entry) && !isLookProcess(entry))

/** Makes the real side; `calls` are the hands of the others. */
export const realSide =
  (calls: SystemCalls): NewSide =>
  async (settings: Settings) => {
    const errno = await calls.call('mount', PLACE, 'tmpfs', 'place', 0, 'mode=0755,size=8m')
    if (errno !== undefined) throw new Error(`the place of the test could not be made: ${errno}`)
    for (const path of [ROOT, EXPORTS, `${EXPORTS}/f`, `${EXPORTS}/g`, FAULTS_PLACE]) mkdirSync(path, { mode: 0o700 })
    const place = await placeOf()
    const before = new Set(readdirSync('/proc'))
    const journal = createMemoryJournal()
    let managers: readonly MountManager[] = []
    let planted = 0
    let entered = 0
    return {
      start: async (observer) => {
        const host = linuxHost({ types: settings.types, runner: execaRunner({ graceMs: GRACE_MS }) })
        const options = { settings, host, journal, observer }
        const made = await createMountManager(options)()
        if (made._tag === 'Left') throw new Error(made.left.why)
        managers = [...managers, made.right]
        await made.right.hostUp()()
        return made.right
      },
      kill: async (manager) => {
        await manager.stop({ hard: true })
      },
      interfere: async (act) => {
        const refused = await interfere(calls, act)
        if (act._tag === 'Enters' && refused === undefined) entered += 1
        if (act._tag === 'Leaves') entered = Math.max(0, entered - 1)
      },
      fault: (effect, name, times) => {
        rmSync(BEGUN, { force: true })
        for (let left = times; left > 0; left -= 1) {
          // In the order of their names, as the shell lists them.
          const order = String((planted += 1)).padStart(4, '0')
          writeFileSync(`${FAULTS_PLACE}/${PROGRAMS[effect]}.${order}`, `${name}\n`)
        }
      },
      pass: sleep,
      begun: async () => {
        for (const since = Date.now(); !existsSync(BEGUN);) {
          await sleep(5)
          if (Date.now() - since > BEGINNING_MS) throw new Error('the planted program does not begin')
        }
      },
      goOn: () => writeFileSync(GO_ON, ''),
      until: async (promise) => {
        await promise
      },
      shown: async () => shownBelow(ROOT, await kernelShows({}, place, 'quiet')),
      facts: () => journal.facts,
      end: async () => {
        for (const manager of managers) await manager.stop({ hard: true })
        for (; entered > 0; entered -= 1) await calls.call('leave')
        for (const since = Date.now(); isCommandLeft(before);) {
          await sleep(20)
          if (Date.now() - since > ENDING_MS) throw new Error('commands of the manager live on')
        }
        const left = await calls.call('umount', PLACE, MNT_DETACH)
        if (left !== undefined) throw new Error(`the place of the test could not be taken off: ${left}`)
      },
    }
  }
