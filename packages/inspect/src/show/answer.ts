// Renderings of answers.

import type {
  Answer,
  CommandError,
  Detached,
  Difference,
  HolderStatus,
  MountpointStatus,
  Reason,
  Refusal,
  Result,
  RollbackFailure,
  Status,
  Warning,
} from '@mountkeeper/core'
import { showAttachment, showCommandError, showFilesystem, showFound, showIdentity, showLayers } from './found.js'
import { counted, line, quoted, word } from './line.js'

const error = (evidence: CommandError | undefined): string | undefined =>
  evidence === undefined ? undefined : `error ${showCommandError(evidence)}`

/** Why something of ours stays: `Stacked`, `Refused error "umount …" exit 32 "target is busy."`. */
export const showReason = (reason: Reason): string => {
  switch (reason._tag) {
    case 'KeptByPolicy':
    case 'Stacked':
    case 'Foreign':
    case 'NotOurs':
    case 'DeadlinePassed':
    case 'HostDown':
      return reason._tag
    case 'Obstacle':
      return `Obstacle ${reason.kind}`
    case 'Unknown':
      return showFound(reason)
    case 'UnsafeParent':
      return line(
        `UnsafeParent ${word(reason.component)} ${quoted(reason.why)}`,
        reason.command === undefined ? undefined : `run ${quoted(reason.command)}`,
      )
    case 'HelperMissing':
      return `HelperMissing ${word(reason.helper)}`
    case 'Moved':
      return `Moved to ${word(reason.to)}`
    case 'Refused':
      return line('Refused', error(reason.error))
    case 'FlagsChanged':
      return `FlagsChanged missing ${reason.missing.map(word).join(',')}`
    case 'SourceChanged':
      return `SourceChanged was ${quoted(reason.was)} is ${quoted(reason.is)}`
  }
}

/** `warning CommandFailed "mount exited 32"`. */
export const showWarning = ({ _tag, text }: Warning): string => `warning ${_tag} ${quoted(text)}`

const why = (reason: Reason | undefined): string | undefined =>
  reason === undefined ? undefined : `reason ${showReason(reason)}`

const detached = ({ holder, holdersLeft, mount, directory, reason, warnings }: Detached): string =>
  line(holder, `${holdersLeft} left`, mount, `directory ${directory}`, why(reason), ...warnings.map(showWarning))

/** A difference between wanted, recorded and observed: `lost /srv/mounts/a "…" holders vol-1 of vm-1`. */
export const showDifference = ({ _tag, mountpoint, text, holders }: Difference): string =>
  line(
    `${_tag} ${word(mountpoint)} ${quoted(text)}`,
    holders === undefined ? undefined : `holders ${holders.map(showAttachment).join(', ')}`,
  )

const differences = (list: readonly Difference[]): string | undefined =>
  list.length === 0 ? undefined : list.map((each) => `drift ${showDifference(each)}`).join('; ')

const holder = (each: HolderStatus): string => `${showAttachment(each)} since ${each.since} by ${each.knowledge}`

const waits = ({ op, id, consumer }: MountpointStatus['waiting'][number]): string =>
  line(op, id === undefined ? undefined : `id ${word(id)}`, `of ${word(consumer)}`)

const mountpointStatus = (status: MountpointStatus): string =>
  [
    line(
      word(status.mountpoint),
      status.phase,
      `since ${status.since}`,
      status.filesystem === undefined ? undefined : showFilesystem(status.filesystem),
      `instance ${status.instance}`,
      `directory ${status.directory}`,
      status.unmanaged === undefined ? undefined : 'unmanaged',
      status.slot === 'none' ? undefined : `slot ${status.slot}`,
    ),
    status.layer === undefined ? undefined : `layer ${showIdentity(status.layer)}`,
    status.dead === undefined ? undefined : `dead ${word(status.dead.errno)} since ${status.dead.at}`,
    status.elsewhere === undefined ? undefined : `elsewhere ${word(status.elsewhere)}`,
    status.foreign === undefined ? undefined : `foreign ${showLayers(status.foreign)}`,
    ...status.holders.map((each) => `held by ${holder(each)}`),
    ...status.waiting.map((each) => `waiting ${waits(each)}`),
    status.overdue === undefined ? undefined : `overdue ${status.overdue.join(', ')}`,
    status.nextTryMs === undefined ? undefined : `next try in ${status.nextTryMs} ms`,
    why(status.reason),
    error(status.lastError),
  ]
    .filter((part) => part !== undefined)
    .join(', ')

/** The whole of a status on one line: the host, then each mountpoint. */
export const showStatus = ({ generation, phase, mountpoints, next, refusing, changedRoots }: Status): string =>
  [
    `generation ${generation} ${phase}`,
    ...mountpoints.map(mountpointStatus),
    ...(next === undefined ? [] : [`more after ${word(next)}`]),
    ...refusing.map((target) => `refusing ${word(target)}`),
    ...changedRoots.map((root) => `root changed ${word(root)}`),
  ].join('; ')

const success = (result: Result): string => {
  switch (result._tag) {
    case 'Attached': {
      const { instance, generation, warnings } = result
      const told = warnings.map(showWarning)
      return line(result.holder, result.mount, `instance ${instance} generation ${generation}`, ...told)
    }
    case 'Detached':
      return detached(result)
    case 'Released':
      return result.attachments.length === 0
        ? 'nothing'
        : result.attachments
            .map(({ mountpoint, volume, answer }) => `${word(mountpoint)} ${word(volume)} ${detached(answer)}`)
            .join('; ')
    case 'Up':
      return line(`generation ${result.generation}`, differences(result.drift), ...result.warnings.map(showWarning))
    case 'Down':
      return `generation ${result.generation}`
    case 'Status':
      return showStatus(result)
    case 'Reconciled':
      return differences(result.differences) ?? 'no drift'
    case 'Forgotten':
      return result.holders.length === 0 ? 'no holder' : result.holders.map(showAttachment).join(', ')
    case 'CancelSent':
    case 'Retried':
    case 'Refusing':
    case 'Allowing':
      return ''
  }
}

const rollback = (failure: RollbackFailure): string =>
  line(`rollback ${failure.step} found ${showFound(failure.found)}`, error(failure.error))

const refusal = (refused: Refusal): string => {
  switch (refused._tag) {
    case 'Invalid':
      return `${word(refused.field)} ${quoted(refused.why)}`
    case 'NotManaged':
      return `${word(refused.mountpoint)} roots ${refused.roots.map(word).join(' ')}`
    case 'HostDown':
      return quoted(refused.reason)
    case 'Overloaded':
      return `${word(refused.limit)} ${refused.value}`
    case 'Conflict':
      return line(
        `requested ${showFilesystem(refused.requested)}`,
        refused.mounted === undefined ? undefined : `mounted ${showFilesystem(refused.mounted)}`,
        refused.vacant === true ? 'vacant' : undefined,
        why(refused.reason),
      )
    case 'Foreign':
      return showLayers(refused.layers)
    case 'MountFailed':
      return line(
        `${refused.step} found ${showFound(refused.found)} ${quoted(refused.why)}`,
        error(refused.error),
        ...refused.rollback.map(rollback),
      )
    case 'Broken':
      return word(refused.errno)
    case 'Uncertain':
      return quoted(refused.why)
    case 'Maintenance':
      return word(refused.target)
    case 'DiscoveryFailed':
      return `${quoted(refused.reason)} next try in ${refused.nextTryMs} ms`
    case 'InUse':
      return (
        counted(refused.holders.length, 'holder') + refused.holders.map((each) => `, ${showAttachment(each)}`).join('')
      )
    case 'Cancelled':
    case 'Stopped':
    case 'Superseded':
    case 'TooLate':
    case 'NotFound':
    case 'InFlight':
      return ''
  }
}

/** `-> 1 attach ok Attached added mounted instance 1 generation 1`, `-> 2 attach refused Foreign …`. */
export const showAnswer = (answer: Answer): string => {
  const id = answer.id === undefined ? undefined : `id ${word(answer.id)}`
  const head = line(`-> ${answer.request} ${answer.op ?? 'unknown'}`, id)
  return answer.ok
    ? line(head, 'ok', answer.result._tag, success(answer.result))
    : line(head, 'refused', answer.error._tag, refusal(answer.error))
}
