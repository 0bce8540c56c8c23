// What must hold, judged from outside: from the answers that consumers got, the mount table, directories and processes. It knows nothing
// of phases, records or effects. Numbers are those of the laws.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import type { Answer, Filesystem } from '@mountkeeper/core'
import { LOCK_FILE, parseMountInfo } from '@mountkeeper/linux'
import { processesWith } from '../servers/server.js'

/** A mountpoint of the soak, and what may be asked for there. */
export interface Share {
  readonly name: string
  readonly path: string
  readonly filesystem: Filesystem
  /** The source that the table shows for it. */
  readonly shows: string
  /** Whose slots it takes; nothing for what cannot hang. */
  readonly server: string | undefined
}

/** What a consumer knows of its attachment. `perhaps`: its answer never came. */
type Known = 'held' | 'free' | 'perhaps'

/** A request that a consumer has made. */
export interface Asked {
  readonly consumer: number
  readonly share: Share
  readonly at: number
  readonly before: Known
}

export const THEIRS = 'theirs-'

const REFUSALS = new Set(['MountFailed', 'Broken', 'Uncertain', 'Foreign', 'Overloaded', 'HostDown'])

interface Layer {
  readonly target: string
  readonly source: string
}

/** Layers below a directory, as the table shows them. */
export const layersBelow = (root: string): readonly Layer[] =>
  parseMountInfo(readFileSync('/proc/self/mountinfo')).lines.filter(({ target }) => target.startsWith(`${root}/`))

/** The judge. Its `violation` is called with the law and what breaks it. */
export const createJudge = (
  root: string,
  shares: readonly Share[],
  budget: number,
  violation: (what: string) => void,
) => {
  const known = new Map<string, Known>()
  const busy = new Map<string, number>()
  /** Until when something that a third party did may yet take the mount away, by share. */
  const disturbed = new Map<string, number>()
  const theirs = new Map<string, string>()
  const leaving = new Set<string>()
  const keyOf = (consumer: number, share: Share): string => `${consumer} ${share.name}`
  const knownOf = (consumer: number, share: Share): Known => known.get(keyOf(consumer, share)) ?? 'free'
  const put = (consumer: number, share: Share, is: Known): void => {
    known.set(keyOf(consumer, share), is)
  }
  const hold = (share: Share, by: 1 | -1, consumer: number): void => {
    const key = keyOf(consumer, share)
    busy.set(key, (busy.get(key) ?? 0) + by)
  }
  const shown = (asked: Asked, answer: Answer): string =>
    `vm-${asked.consumer} at ${asked.share.name}, ${asked.before} before: ${JSON.stringify(answer)}`

  const toldOfAttach = (asked: Asked, answer: Answer): void => {
    const { consumer, share, before } = asked
    if (!answer.ok) {
      if (!REFUSALS.has(answer.error._tag)) violation(`L48: ${shown(asked, answer)}`)
      return
    }
    if (answer.result._tag !== 'Attached') {
      violation(`L41: ${shown(asked, answer)}`)
      return
    }
    const expected = { held: 'already-held', free: 'added', perhaps: answer.result.holder }[before]
    if (answer.result.holder !== expected) violation(`L1, L6: ${shown(asked, answer)}`)
    put(consumer, share, 'held')
    // Looked at after it was asked: what was done to it before that has been seen.
    if (asked.at > (disturbed.get(share.name) ?? 0)) disturbed.delete(share.name)
  }
  const toldOfDetach = (asked: Asked, answer: Answer): void => {
    const { consumer, share, before } = asked
    if (!answer.ok) {
      if (!['HostDown', 'Overloaded'].includes(answer.error._tag)) violation(`L48: ${shown(asked, answer)}`)
      return
    }
    if (answer.result._tag !== 'Detached') violation(`L41: ${shown(asked, answer)}`)
    else {
      const expected = { held: 'removed', free: 'not-held', perhaps: answer.result.holder }[before]
      if (answer.result.holder !== expected) violation(`L1: ${shown(asked, answer)}`)
    }
    put(consumer, share, 'free')
  }
  const toldOfRelease = (consumer: number, answer: Answer): void => {
    if (!answer.ok || answer.result._tag !== 'Released') return
    const ended = new Set(answer.result.attachments.map(({ mountpoint }) => mountpoint))
    for (const share of shares) {
      if (knownOf(consumer, share) === 'held' && !ended.has(share.path)) {
        violation(`L1: a release of vm-${consumer} does not know ${share.name}: ${JSON.stringify(answer)}`)
      }
      put(consumer, share, 'free')
    }
  }

  const holdersOf = (share: Share): number =>
    [...known].filter(([key, is]) => is === 'held' && key.endsWith(` ${share.name}`) && !(busy.get(key) ?? 0)).length

  const look = (manager: number): void => {
    const layers = layersBelow(root)
    for (const share of shares) {
      const ours = layers.filter(({ target, source }) => target === share.path && source === share.shows)
      if (ours.length > 1) violation(`L6, L23: ${ours.length} layers of ours at ${share.name}`)
      if (ours.length === 0 && holdersOf(share) > 0 && !disturbed.has(share.name)) {
        violation(`L2: ${share.name} is not mounted, and ${holdersOf(share)} hold it`)
      }
    }
    for (const { target, source } of layers) {
      if (source.startsWith(THEIRS) && !leaving.has(source)) theirs.set(source, target)
    }
    for (const [source, target] of theirs) {
      if (!layers.some((layer) => layer.source === source)) violation(`L34: ${source} at ${target} is gone`)
    }
    const names = new Set(shares.map(({ name }) => name))
    const strange = readdirSync(root).filter((name) => !names.has(name) && name !== LOCK_FILE)
    if (strange.length > 0) violation(`L11: directories that no request asked for: ${strange.join(', ')}`)
    const servers = new Set(shares.flatMap(({ server }) => (server === undefined ? [] : [server])))
    for (const server of servers) {
      const of = shares.filter((share) => share.server === server)
      const running = of.flatMap(({ name }) => processesWith(`/${name}`).filter((each) => each.parent === manager))
      const commands = running.filter(({ pid, session, line }) => pid === session && /^(mount|umount|stat) /.test(line))
      if (commands.length > budget) {
        violation(`L25: ${commands.length} commands at ${server}: ${commands.map(({ line }) => line).join('; ')}`)
      }
    }
    for (const share of shares) {
      const canary = `${share.filesystem.source.replace(/^[^/]*:/, '')}/canary`
      if (share.server?.startsWith('sftp') === true && !existsSync(canary)) violation(`L11: ${canary} was deleted`)
    }
  }

  return {
    knownOf,
    toldOfAttach,
    toldOfDetach,
    toldOfRelease,
    /** No answer came: the result is unknown. */
    toldNothing: (consumer: number, of: readonly Share[]): void => {
      for (const share of of) put(consumer, share, 'perhaps')
    },
    /** While a request is unanswered, what it asks for may already be so. */
    begins: (consumer: number, of: readonly Share[]): void => {
      for (const share of of) hold(share, 1, consumer)
    },
    ends: (consumer: number, of: readonly Share[]): void => {
      for (const share of of) hold(share, -1, consumer)
    },
    /** A third party may take its mount away for so long. */
    disturb: (share: Share, forMs: number): void => {
      disturbed.set(share.name, Math.max(disturbed.get(share.name) ?? 0, performance.now() + forMs))
    },
    /** They take their layer off themselves. */
    leaves: (source: string): void => {
      leaving.add(source)
      theirs.delete(source)
    },
    look,
  }
}

/** Judges a run. */
export type Judge = ReturnType<typeof createJudge>
