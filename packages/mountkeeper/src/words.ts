// What the core deals in, in words for people: one line each, everything from outside made harmless. Logs and fixtures have
// the core's own renderings; here a reader is to see at a glance what was asked, what was found and with what result.

import type {
  Attachment,
  CommandError,
  Effect,
  EffectFound,
  Filesystem,
  Identity,
  Reason,
  Request,
  StatusRequest,
} from '@mountkeeper/core'
import { optionText } from '@mountkeeper/core'
import { harmless } from './harmless.js'

const PLAIN = /^[^\s"\\]+$/

/** A name or path as it is, quoted where one could not see where it ends. */
export const word = (text: string): string => {
  const shown = harmless(text)
  return PLAIN.test(shown) ? shown : `"${shown}"`
}

/** What runs, by its effect. */
export const RUNNING: Readonly<Record<Exclude<Effect['_tag'], 'Wait'>, string>> = {
  Look: 'a look',
  MakeDirectory: 'mkdir',
  Mount: 'mount',
  Unmount: 'umount',
  RemoveDirectory: 'rmdir',
  Probe: 'a probe',
  Discover: 'discovery',
}

/** `1 holder`, `2 holders`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

/** `tmpfs scratch (size=1m, ro)`. */
export const filesystemWords = ({ type, source, options }: Filesystem): string => {
  const asked = options.length === 0 ? '' : ` (${options.map((option) => word(optionText(option))).join(', ')})`
  return `${word(type)} ${word(source)}${asked}`
}

/** `vol-1 for vm-1`. */
export const attachmentWords = ({ volume, consumer }: Attachment): string => `${word(volume)} for ${word(consumer)}`

const maintained = (request: { readonly mountpoint: string } | { readonly server: string }): string =>
  'server' in request ? `server ${word(request.server)}` : word(request.mountpoint)

const page = ({ mountpoint, limit, after }: StatusRequest): readonly string[] => [
  ...(mountpoint === undefined ? [] : [word(mountpoint)]),
  ...(limit === undefined ? [] : [`at most ${limit}`]),
  ...(after === undefined ? [] : [`after ${word(after)}`]),
]

const subject = (request: Request): readonly string[] => {
  switch (request.op) {
    case 'attach':
      return [word(request.mountpoint), filesystemWords(request.filesystem), attachmentWords(request)]
    case 'detach':
      return [word(request.mountpoint), attachmentWords(request)]
    case 'release':
      return [word(request.consumer)]
    case 'cancel':
      return [word(request.target)]
    case 'host-down':
      return request.reason === undefined ? [] : [harmless(request.reason)]
    case 'host-up':
      return []
    case 'status':
      return page(request)
    case 'reconcile':
      return request.apply ? ['and repair'] : []
    case 'retry':
      return [word(request.mountpoint)]
    case 'forget':
      return [word(request.mountpoint), ...(request.force ? ['even if it is in use'] : [])]
    case 'refuse-new':
    case 'allow-new':
      return [maintained(request)]
  }
}

/** What is asked: `/srv/mounts/a  tmpfs scratch (size=1m)  vol-1 for vm-1`. The operation's name stands before it. */
export const requestWords = (request: Request): string => subject(request).join('  ')

const layer = ({ fstype, source, root, flags }: Identity): string => {
  const from = root === '/' ? '' : ` at ${word(root)}`
  return `${word(fstype)} ${word(source)}${from} (${flags.map(word).join(',')})`
}

/** Layers on top of one another, top first. */
export const layersWords = (layers: readonly Identity[]): string =>
  layers.length === 1 ? layers.map(layer).join('') : `${layers.length} layers: ${layers.map(layer).join(' over ')}`

const UNKNOWN: Readonly<Record<string, string>> = {
  TimedOut: 'unknown: the command timed out',
  ParentElsewhere: 'unknown: the parent directory is on another mount',
  RootChanged: 'unknown: the managed root is another directory now',
  RootRenamed: 'unknown: the same mount shows another root',
  CommandAlive: 'unknown: an earlier command is still running there',
  TooManyLayers: 'unknown: too many layers',
  NotADirectory: 'unknown: a path component is not a directory',
  PermissionDenied: 'unknown: no permission to enter a parent directory',
  UnsafeParent: 'unknown: another user can change a parent directory',
  NameTooLong: 'unknown: the name is too long',
  Unreadable: 'unknown: it cannot be read',
}

const detailed = (text: string, detail: string | undefined): string =>
  detail === undefined ? text : `${text} (${harmless(detail)})`

/** What is there after an effect. */
export const foundWords = (found: EffectFound): string => {
  switch (found._tag) {
    case 'NoDirectory':
      return 'nothing is there'
    case 'Directory':
      return 'a directory, nothing mounted'
    case 'Obstacle':
      return `a ${found.kind} is in the way`
    case 'Mounted':
      return layersWords(found.layers)
    case 'Unknown':
      return detailed(UNKNOWN[found.why] ?? 'unknown', found.detail)
    case 'Alive':
      return 'it answers'
    case 'Broken':
      return `mounted but not responding (${word(found.errno)})`
    case 'Elapsed':
      return 'the delay is over'
    case 'NotDiscovered':
      return `could not be read: ${harmless(found.reason)}`
    case 'Discovered':
      return `${counted(found.roots.length, 'root')}, ${counted(found.mountpoints.length, 'mountpoint')}`
  }
}

/** What effects are called, in one word. */
export const EFFECT_NAMES: Readonly<Record<Effect['_tag'], string>> = {
  Look: 'look',
  MakeDirectory: 'make',
  Mount: 'mount',
  Unmount: 'unmount',
  RemoveDirectory: 'remove',
  Probe: 'probe',
  Wait: 'wait',
  Discover: 'discover',
}

/** A command as it could be typed, but for what a shell would do with it. */
export const commandWords = (command: readonly string[]): string => command.map(word).join(' ')

/** The first line of what a command said. */
export const firstLine = (text: string): string => harmless(text.trim().split('\n')[0] ?? '')

/** How a command ended: `exit 32: target is busy.`. */
export const endWords = (error: Pick<CommandError, 'exitStatus' | 'signal' | 'stderr' | 'pid'>): string => {
  const said = firstLine(error.stderr)
  const how =
    error.exitStatus !== undefined
      ? `exit ${error.exitStatus}`
      : error.signal !== undefined
        ? `ended by ${word(error.signal)}`
        : error.pid !== undefined
          ? `process ${error.pid} did not end in time`
          : 'did not run'
  return said === '' ? how : `${how}: ${said}`
}

/** Why something of ours stays. */
export const reasonWords = (reason: Reason): string => {
  switch (reason._tag) {
    case 'KeptByPolicy':
      return 'kept by policy'
    case 'Stacked':
      return 'another layer is on top'
    case 'Foreign':
      return 'something else is mounted there'
    case 'NotOurs':
      return 'it existed before'
    case 'Obstacle':
      return `a ${reason.kind} is in the way`
    case 'Unknown':
      return detailed(UNKNOWN[reason.why] ?? 'unknown', reason.detail)
    case 'DeadlinePassed':
      return 'the deadline has passed'
    case 'HostDown':
      return 'the host is down; clean-up follows at the next host-up'
    case 'UnsafeParent': {
      const run = reason.command === undefined ? '' : `; run ${harmless(reason.command)}`
      return `${word(reason.component)} is not safe: ${harmless(reason.why)}${run}`
    }
    case 'HelperMissing':
      return `${word(reason.helper)} is not installed`
    case 'Moved':
      return `it is mounted on ${word(reason.to)} now`
    case 'Refused':
      return reason.error === undefined
        ? 'the command reported success, but it is still mounted'
        : endWords(reason.error)
    case 'FlagsChanged':
      return `it is mounted without ${reason.missing.join(', ')}`
    case 'SourceChanged':
      return `its source is ${harmless(reason.is)} now, and was ${harmless(reason.was)}`
  }
}

/** `2026-11-22 17:00:01Z`: the same on every machine, as logs have it. */
export const timeWords = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')

/** A duration that is read, not calculated with. */
export const durationWords = (ms: number): string => {
  if (ms < 1) return '<1 ms'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 60_000
    ? `${(ms / 1_000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}
