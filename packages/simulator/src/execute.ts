// Executing an effect on the model host under a fault: what becomes of the host, what is reported, and what is still to come.

import type {
  CommandError,
  Discover,
  EffectFound,
  Found,
  MountpointEffect,
  NotDiscovered,
  SourceSeen,
} from '@mountkeeper/core'
import type { Fault } from './fault.js'
import type { Done, Errno, ModelHost } from './model/host.js'
import { done, refused } from './model/host.js'
import { discover, lookAt, seeSource, submountsOf, whereElse } from './model/look.js'
import type { Slip } from './perform.js'
import { isDead, mayRun, perform, vanish } from './perform.js'

/** What an adapter would report. */
export interface Reported {
  readonly found: EffectFound
  readonly error?: CommandError
  readonly source?: SourceSeen
  readonly elsewhere?: string
  readonly submounts?: readonly string[]
  readonly missingHelper?: string
}

/** What is still to come of an effect that has reported. */
export type ToCome =
  | { readonly _tag: 'Nothing' }
  /** It passed its deadline: its processes live, and will have done their work at their end, or not. */
  | { readonly _tag: 'End'; readonly worked: boolean; readonly afterMs: number | undefined }
  /** Its work becomes visible later. */
  | { readonly _tag: 'Visible'; readonly afterMs: number }

/** What an effect came to. */
export interface Execution {
  readonly host: ModelHost
  readonly reported: Reported
  readonly toCome: ToCome
}

/** How a command's failure is worded; no decision may depend on it (L40). */
export type Wording = (effect: MountpointEffect, errno: Errno | 'EIO') => CommandError

const COMMANDS: Readonly<Record<MountpointEffect['_tag'], string>> = {
  Look: 'look',
  MakeDirectory: 'mkdir',
  Mount: 'mount',
  Unmount: 'umount',
  RemoveDirectory: 'rmdir',
  Probe: 'stat',
}

/** The usual words: the command and the name of the error. */
export const usualWording: Wording = (effect, errno) => ({
  command: [COMMANDS[effect._tag], '--', effect.mountpoint],
  ...(errno === 'HANGS' ? {} : { exitStatus: effect._tag === 'Mount' || effect._tag === 'Unmount' ? 32 : 1 }),
  stderr: errno === 'HANGS' ? '' : `${effect.mountpoint}: ${errno}`,
})

const NOTHING: ToCome = { _tag: 'Nothing' }

const UNREADABLE: Found = { _tag: 'Unknown', why: 'Unreadable', detail: 'the mount table could not be read' }

const seen = (host: ModelHost, effect: MountpointEffect): Reported => {
  if (effect._tag === 'Probe') {
    return { found: isDead(host, effect.filesystem) ? { _tag: 'Broken', errno: 'ESTALE' } : { _tag: 'Alive' } }
  }
  const filesystem = effect._tag === 'Look' || effect._tag === 'Mount' ? effect.filesystem : undefined
  const source = seeSource(host, filesystem, effect.mountpoint)
  const found = lookAt(host, effect.mountpoint, effect.root)
  const layer = effect._tag === 'Look' ? effect.layer : effect._tag === 'Unmount' ? effect.identity : undefined
  const elsewhere = layer === undefined ? undefined : whereElse(host, layer, found)
  const submounts = submountsOf(host, filesystem, effect.mountpoint)
  const isHelperMissing = effect._tag === 'Look' && filesystem !== undefined && host.uninstalled.has(filesystem.type)
  return {
    found,
    ...(source && { source }),
    ...(elsewhere !== undefined && { elsewhere }),
    ...(submounts.length > 0 && { submounts }),
    ...(isHelperMissing && { missingHelper: `/sbin/mount.${filesystem.type}` }),
  }
}

const MISSING_FLAG: Slip = { without: 'nosuid' }

/** A directory is there or not; what is mounted may show late. */
const mayBeLate = ({ _tag }: MountpointEffect): boolean => _tag === 'Mount' || _tag === 'Unmount'

/** What the command does to the host, before the report. */
const run = (host: ModelHost, effect: MountpointEffect, fault: Fault): Done => {
  if (fault._tag !== 'Unchecked' && !mayRun(host, effect)) return refused(host, 'EINVAL')
  switch (fault._tag) {
    case 'None':
    case 'Unchecked':
    case 'Dead':
      return perform(host, effect)
    case 'Fails':
    case 'CannotTell':
      return fault.worked ? perform(host, effect) : refused(host, 'EINVAL')
    case 'DoesNothing':
    case 'Hangs':
      return done(host)
    case 'Late':
      return mayBeLate(effect) ? done(host) : perform(host, effect)
    case 'WrongFilesystem':
      return perform(host, effect, { instead: 'another' })
    case 'Respelled':
      return perform(host, effect, { instead: 'another spelling' })
    case 'MissingFlag':
      return perform(host, effect, MISSING_FLAG)
    case 'Twice': {
      const once = perform(host, effect)
      return effect._tag === 'Mount' && once.errno === undefined ? perform(once.host, effect) : once
    }
  }
}

const isDisturbed = (fault: Fault): boolean => fault._tag === 'Fails' || fault._tag === 'Twice'

const timedOut = (host: ModelHost, effect: MountpointEffect, error: CommandError, toCome: ToCome): Execution => ({
  host,
  reported: { found: { _tag: 'Unknown', why: 'TimedOut' }, ...(effect._tag === 'Look' ? {} : { error }) },
  toCome,
})

/** Runs an effect to its report. Every combination of effect and fault means something; what makes no sense ends well. */
export const execute = (host: ModelHost, effect: MountpointEffect, fault: Fault, words: Wording): Execution => {
  const { host: after, errno } = run(host, effect, fault)
  if (fault._tag === 'Hangs' || errno === 'HANGS') {
    // Hung by its server and not by decree: it is unknown when it comes back, or that it does.
    const end = fault._tag === 'Hangs' ? fault : { worked: false, endsAfterMs: undefined }
    return timedOut(host, effect, words(effect, 'HANGS'), {
      _tag: 'End',
      worked: end.worked,
      afterMs: end.endsAfterMs,
    })
  }
  if (effect._tag === 'Look') {
    const unknown = fault._tag === 'CannotTell' || fault._tag === 'Fails'
    const found: EffectFound = { _tag: 'Unknown', why: 'Unreadable', detail: 'the mount table could not be read' }
    return { host, reported: unknown ? { found } : seen(host, effect), toCome: NOTHING }
  }
  if (effect._tag === 'Probe') {
    const reported: Reported =
      fault._tag === 'Dead' ? { found: { _tag: 'Broken', errno: 'ENOTCONN' } } : seen(host, effect)
    return { host, reported, toCome: NOTHING }
  }
  const failed = errno !== undefined || isDisturbed(fault)
  const error = failed ? { error: words(effect, errno ?? 'EIO') } : {}
  if (fault._tag === 'CannotTell') {
    return { host: after, reported: { found: UNREADABLE, ...error }, toCome: NOTHING }
  }
  const isLate = fault._tag === 'Late' && errno === undefined && mayBeLate(effect)
  return {
    host: after,
    reported: { ...seen(after, effect), ...error },
    toCome: isLate ? { _tag: 'Visible', afterMs: fault.afterMs } : NOTHING,
  }
}

/** The end of an effect that was overdue, or whose work becomes visible now: on whatever is there by now. */
export const complete = (host: ModelHost, effect: MountpointEffect, how: 'runs now' | 'becomes visible'): ModelHost =>
  how === 'becomes visible' && effect._tag === 'Unmount' ? vanish(host, effect) : perform(host, effect).host

/** Reads the host for a generation, or fails to. */
export const executeDiscover = (host: ModelHost, effect: Discover, fault: Fault): EffectFound => {
  const failed: NotDiscovered = { _tag: 'NotDiscovered', reason: 'the mount table could not be read' }
  if (fault._tag === 'Hangs') return { _tag: 'Unknown', why: 'TimedOut' }
  const isBlind = fault._tag === 'CannotTell'
  if (fault._tag === 'Fails' || (isBlind && !fault.worked)) return failed
  const discovered = discover(host, effect)
  if (discovered === undefined) return { _tag: 'NotDiscovered', reason: 'a managed root is not there' }
  if (!isBlind) return discovered
  const mountpoints = discovered.mountpoints.map(({ mountpoint }) => ({ mountpoint, found: UNREADABLE }))
  return { ...discovered, mountpoints }
}

/** A command of an earlier life ends, having done what it does. */
export const endOrphan = (host: ModelHost, index: number): ModelHost => {
  const orphan = host.orphans[index]
  if (orphan === undefined) return host
  const without = { ...host, orphans: host.orphans.filter((_, each) => each !== index) }
  return orphan.does === undefined ? without : perform(without, orphan.does).host
}
