// A manager on this machine with short deadlines, and what can be seen of it from outside: who was answered what, which commands
// were run, what is mounted, which processes live.

import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { defaultSettings } from '@mountkeeper/border'
import type {
  Answer,
  Attached,
  AttachRequest,
  Detached,
  Filesystem,
  MountpointStatus,
  Policies,
  RootSettings,
  Settings,
} from '@mountkeeper/core'
import { linuxHost } from '@mountkeeper/linux'
import type { Journal, MountManager, Observer } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { Grammar, Grammars } from '@mountkeeper/types'
import { namedOptions, typeRule } from '@mountkeeper/types'
import { EXPORTS } from './place.js'
import { UNTIL_MS, processesWith, until } from './server.js'

/** Long enough for what works, short enough for what does not. */
const DEADLINES_MS = { look: 2_000, directory: 2_000, mount: 3_000, unmount: 3_000, probe: 5_000, discover: 5_000 }
const DELAYS_MS = { settle: 100, unmountRetry: [100, 200], backOffFirst: 150, backOffCeiling: 600, discoveryRetry: 500 }

/** Commands that are remembered. */
const RAN_MAX = 100

/** What a test wants to be different. */
export interface ManagedOptions {
  readonly ladder?: RootSettings['ladder']
  readonly policies?: Partial<Policies>
  readonly deadlinesMs?: Partial<Settings['deadlinesMs']>
  readonly slots?: Partial<Settings['slots']>
  readonly observer?: Observer
  readonly journal?: Journal
}

/** What the servers of these tests need: ports, keys and lists of hosts of their own. */
const ANY_FILE: Grammar = { _tag: 'Path', below: ['/'], list: false }
const OF_SSH: Grammars = {
  ...namedOptions('fuse.sshfs', ['directport', 'StrictHostKeyChecking']),
  IdentityFile: ANY_FILE,
  UserKnownHostsFile: ANY_FILE,
}

export const settingsFor = (root: string, options: ManagedOptions = {}): Settings => {
  const defaults = defaultSettings(root)
  const types = {
    tmpfs: typeRule('tmpfs', ['*']),
    'fuse.sshfs': typeRule('fuse.sshfs', ['*'], OF_SSH),
    glusterfs: typeRule('glusterfs', ['*']),
  }
  const bind = typeRule('bind', [`${EXPORTS}/`])
  return {
    ...defaults,
    roots: [{ path: root, ladder: options.ladder ?? 'off' }],
    types: { ...types, bind },
    policies: { ...defaults.policies, ...options.policies },
    slots: { ...defaults.slots, ...options.slots },
    deadlinesMs: { ...defaults.deadlinesMs, request: 10_000, ...DEADLINES_MS, ...options.deadlinesMs },
    delaysMs: DELAYS_MS,
  }
}

/** A manager of one root, and its callers. */
export interface Managed {
  readonly manager: MountManager
  readonly root: string
  /** Consumer `vm-N` asks for its volume `vol-N`. */
  readonly attach: (who: number, name: string, filesystem: Filesystem, deadlineMs?: number) => Promise<Answer>
  readonly detach: (who: number, name: string, deadlineMs?: number) => Promise<Answer>
  readonly status: (name: string) => Promise<MountpointStatus | undefined>
  /** Vectors of the last mounts and umounts that were run. */
  readonly ran: readonly (readonly string[])[]
  /** How often an effect of this kind was started at a mountpoint. */
  readonly started: (tag: 'Mount' | 'Unmount' | 'Probe', name: string) => number
  readonly asked: () => number
  readonly answered: () => number
  /** What is left of all that was ever below the root: mounts, directories, processes. */
  readonly left: () => readonly string[]
  /** Waits until nothing is left there, and no record. */
  readonly nothingLeft: (limitMs?: number) => Promise<void>
  readonly end: () => Promise<void>
}

/** Targets of all mounts below a directory, in the order of the table. */
export const mountsBelow = (path: string): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${path}/`))

/** Starts a manager that is up. Names of mountpoints have to be unique in this namespace: processes are found by them. */
export const manage = async (root: string, options: ManagedOptions = {}): Promise<Managed> => {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const ran: (readonly string[])[] = []
  const started: Record<string, number> = {}
  const names = new Set<string>()
  const figures = { asked: 0, answered: 0 }
  const { observer } = options
  const settings = settingsFor(root, options)
  const made = await createMountManager({
    settings,
    host: linuxHost({ types: settings.types }),
    journal: options.journal ?? createMemoryJournal(),
    observer: {
      ...observer,
      onEffectStarted: (effect) => {
        observer?.onEffectStarted?.(effect)
        if (effect._tag === 'Wait' || effect._tag === 'Discover') return
        const key = `${effect._tag} ${effect.mountpoint}`
        started[key] = (started[key] ?? 0) + 1
      },
      onReport: (...report) => {
        observer?.onReport?.(...report)
        for (const { command } of report[1].ran ?? []) if (command[0]?.endsWith('mount') === true) ran.push(command)
        ran.splice(0, ran.length - RAN_MAX)
      },
      onAnswer: (answer) => {
        observer?.onAnswer?.(answer)
        figures.answered += 1
      },
    },
  })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  const manager = made.right
  const up = await manager.hostUp()()
  if (up._tag === 'Left') throw new Error(`the host did not come up: ${JSON.stringify(up.left)}`)
  figures.answered = 0

  const ask = (request: Parameters<MountManager['submit']>[0]): Promise<Answer> => {
    figures.asked += 1
    return manager.submit(request)
  }
  const at = (name: string): string => `${root}/${name}`
  const patience = (deadlineMs: number | undefined) => (deadlineMs === undefined ? {} : { deadlineMs })
  const left = (): readonly string[] => [
    ...mountsBelow(root).map((target) => `mount ${target}`),
    ...readdirSync(root).map((name) => `directory ${name}`),
    ...[...names].flatMap((name) => processesWith(`/${name}`).map(({ pid, line }) => `process ${pid} ${line}`)),
  ]
  const records = (): readonly string[] =>
    [...manager.state.mountpoints.values()]
      .filter(({ record }) => record.phase !== 'absent')
      .map(({ record }) => `record ${record.path} ${record.phase}`)
  return {
    manager,
    root,
    attach: (who, name, filesystem, deadlineMs) => {
      names.add(name)
      const request: AttachRequest = {
        op: 'attach',
        mountpoint: at(name),
        filesystem,
        volume: `vol-${who}`,
        consumer: `vm-${who}`,
        ...patience(deadlineMs),
      }
      return ask(request)
    },
    detach: (who, name, deadlineMs) =>
      ask({
        op: 'detach',
        mountpoint: at(name),
        volume: `vol-${who}`,
        consumer: `vm-${who}`,
        ...patience(deadlineMs),
      }),
    status: async (name) => {
      const answer = await ask({ op: 'status' })
      if (!answer.ok || answer.result._tag !== 'Status') throw new Error(JSON.stringify(answer))
      return answer.result.mountpoints.find(({ mountpoint }) => mountpoint === at(name))
    },
    ran,
    started: (tag, name) => started[`${tag} ${at(name)}`] ?? 0,
    asked: () => figures.asked,
    answered: () => figures.answered,
    left,
    nothingLeft: async (limitMs = UNTIL_MS) => {
      await until(() => left().length + records().length === 0, 'nothing is left', limitMs).catch(() => {
        throw new Error(`left after ${limitMs} ms: ${[...left(), ...records()].join('; ')}`)
      })
    },
    end: async () => {
      await manager.stop({ hard: true })
    },
  }
}

/** What was answered, if it is an attach that was served. */
export const attachedOf = (answer: Answer): Attached => {
  if (!answer.ok || answer.result._tag !== 'Attached') throw new Error(JSON.stringify(answer))
  return answer.result
}

/** What became of the mount, if it is a detach that was served. */
export const detachedOf = (answer: Answer): Detached => {
  if (!answer.ok || answer.result._tag !== 'Detached') throw new Error(JSON.stringify(answer))
  return answer.result
}
