// Answers in words: one line that says what came of the request, and lines below it with what else there is to know.

import type {
  Answer,
  CommandError,
  Detached,
  Difference,
  MountpointStatus,
  Refusal,
  Result,
  RollbackFailure,
  Status,
  Warning,
} from '@mountkeeper/core'
import { harmless } from './harmless.js'
import {
  RUNNING,
  attachmentWords,
  commandWords,
  counted,
  endWords,
  filesystemWords,
  foundWords,
  layersWords,
  reasonWords,
  timeWords,
  word,
} from './words.js'

/** An answer as it is shown. */
export interface AnswerWords {
  /** One word: `attached`, `refused`. */
  readonly verb: string
  readonly text: string
  /** What else is worth knowing, a line each. */
  readonly more: readonly string[]
}

const warnings = (all: readonly Warning[]): readonly string[] => all.map(({ text }) => `warning: ${harmless(text)}`)

const UNRECORDED =
  'another program mounted it, or the journal was lost and it may be in use; the policy foreign: adopt takes over mounts that it can identify'

/** A difference between what is wanted, recorded and observed. */
export const differenceWords = ({ _tag, mountpoint, text, holders }: Difference): string => {
  const who = holders === undefined || holders.length === 0 ? '' : ` (${holders.map(attachmentWords).join(', ')})`
  return `${_tag}: ${word(mountpoint)} ${harmless(text)}${who}`
}

const detachedText = ({ holder, holdersLeft, mount, directory, reason }: Detached): string => {
  const gone = holder === 'not-held' ? 'was not held; ' : ''
  const why = reason === undefined ? '' : ` (${reasonWords(reason)})`
  switch (mount) {
    case 'held':
      return `${gone}stays mounted: ${counted(holdersLeft, 'holder')} left`
    case 'unmounted':
      return `${gone}unmounted, directory ${directory}${why}`
    case 'detached':
      return `${gone}unmounted lazily, directory ${directory}${why}`
    case 'vacant':
      return `${gone}still mounted, without holders${why}`
    case 'uncertain':
      return `${gone}unknown whether it is unmounted${why}`
    case 'absent':
      return `${gone}no mount of ours is there`
  }
}

/** What a probe has found, where `phase` says that it is mounted. */
export const deadWords = ({ errno, at }: NonNullable<MountpointStatus['dead']>): string =>
  `not responding (${word(errno)}) when it was probed ${timeWords(at)}`

/** What passed its deadline and still runs. */
export const overdueWords = (overdue: NonNullable<MountpointStatus['overdue']>): string =>
  `timed out and still running: ${overdue.map((each) => RUNNING[each]).join(', ')}`

/** What was run last, and how it ended. */
export const lastCommandWords = (error: CommandError): string =>
  `last command: ${commandWords(error.command)}: ${endWords(error)}`

const statusLines = ({ mountpoints, next, refusing, changedRoots }: Status): readonly string[] => [
  ...mountpoints.flatMap(
    ({ mountpoint, phase, filesystem, dead, elsewhere, holders, waiting, reason, overdue, lastError }) => [
      [
        word(mountpoint),
        phase,
        ...(filesystem === undefined ? [] : [filesystemWords(filesystem)]),
        counted(holders.length, 'holder'),
        ...(waiting.length === 0 ? [] : [`${waiting.length} waiting`]),
        ...(dead === undefined ? [] : [deadWords(dead)]),
        ...(elsewhere === undefined ? [] : [`mounted on ${word(elsewhere)} now`]),
        ...(reason === undefined ? [] : [reasonWords(reason)]),
      ].join('  '),
      ...holders.map((holder) => `  held by ${attachmentWords(holder)}`),
      ...(overdue === undefined ? [] : [`  ${overdueWords(overdue)}`]),
      ...(lastError === undefined ? [] : [`  ${lastCommandWords(lastError)}`]),
    ],
  ),
  ...(next === undefined ? [] : [`there are more, after ${word(next)}`]),
  ...refusing.map((target) => `refuses new attaches of ${word(target)}`),
  ...changedRoots.map((root) => `root ${word(root)} is another directory than at host-up`),
]

const success = (result: Result): AnswerWords => {
  switch (result._tag) {
    case 'Attached': {
      const again = result.holder === 'already-held' ? ', already held' : ''
      const text = `${result.mount}${again}; instance ${result.instance} of generation ${result.generation}`
      return { verb: 'attached', text, more: warnings(result.warnings) }
    }
    case 'Detached':
      return { verb: 'detached', text: detachedText(result), more: warnings(result.warnings) }
    case 'Released': {
      const { attachments } = result
      const more = attachments.flatMap(({ mountpoint, volume, answer }) => [
        `${word(mountpoint)} ${word(volume)}: ${detachedText(answer)}`,
        ...warnings(answer.warnings),
      ])
      const text = attachments.length === 0 ? 'it had no attachments' : counted(attachments.length, 'attachment')
      return { verb: 'released', text, more }
    }
    case 'CancelSent':
      return { verb: 'cancelled', text: 'it had not started', more: [] }
    case 'Up':
      return {
        verb: 'up',
        text: `generation ${result.generation}`,
        more: [...result.drift.map(differenceWords), ...warnings(result.warnings)],
      }
    case 'Down':
      return { verb: 'down', text: `generation ${result.generation}`, more: [] }
    case 'Status': {
      const text = `${result.phase}, generation ${result.generation}, ${counted(result.mountpoints.length, 'mountpoint')}`
      return { verb: 'status', text, more: statusLines(result) }
    }
    case 'Reconciled': {
      const { differences } = result
      const text = differences.length === 0 ? 'no difference' : counted(differences.length, 'difference')
      return { verb: 'reconciled', text, more: differences.map(differenceWords) }
    }
    case 'Retried':
      return { verb: 'retried', text: 'looking again', more: [] }
    case 'Forgotten': {
      const who = result.holders.map(attachmentWords).join(', ')
      return { verb: 'forgotten', text: who === '' ? 'it had no holders' : `it was held by ${who}`, more: [] }
    }
    case 'Refusing':
      return { verb: 'refusing', text: 'new attaches there', more: [] }
    case 'Allowing':
      return { verb: 'allowing', text: 'new attaches again', more: [] }
  }
}

const rollback = ({ step, found, error }: RollbackFailure): string =>
  `not rolled back: ${step}, ${foundWords(found)}${error === undefined ? '' : `; ${endWords(error)}`}`

const conflict = (refused: Extract<Refusal, { readonly _tag: 'Conflict' }>): string => {
  const there = refused.mounted === undefined ? 'something else' : filesystemWords(refused.mounted)
  const who = refused.vacant === true ? 'is still mounted, without holders' : 'is mounted there for other holders'
  return `${there} ${who}${refused.reason === undefined ? '' : ` (${reasonWords(refused.reason)})`}`
}

/** Why a request was refused: a sentence, and what else is worth knowing. */
export const refusalWords = (refused: Refusal): { readonly text: string; readonly more?: readonly string[] } => {
  switch (refused._tag) {
    case 'Invalid':
      return { text: `${word(refused.field)} ${harmless(refused.why)}` }
    case 'NotManaged':
      return { text: `${word(refused.mountpoint)} is not below a managed root (${refused.roots.map(word).join(', ')})` }
    case 'HostDown':
    case 'DiscoveryFailed':
      return { text: harmless(refused.reason) }
    case 'Overloaded':
      return { text: `the limit ${word(refused.limit)} of ${refused.value} is reached` }
    case 'Conflict':
      return { text: conflict(refused) }
    case 'Foreign':
      return {
        text: `the manager did not mount what is there: ${layersWords(refused.layers)}`,
        more: [UNRECORDED],
      }
    case 'MountFailed':
      return { text: harmless(refused.why), more: refused.rollback.map(rollback) }
    case 'Broken':
      return { text: `mounted but not responding (${word(refused.errno)})` }
    case 'Uncertain':
      return { text: harmless(refused.why) }
    case 'Maintenance':
      return { text: `new attaches of ${word(refused.target)} are refused for maintenance` }
    case 'InUse':
      return { text: `held by ${refused.holders.map(attachmentWords).join(', ')}` }
    case 'Cancelled':
      return { text: 'nothing was done' }
    case 'Stopped':
      return { text: 'the manager stopped first; retry after its restart' }
    case 'Superseded':
      return { text: 'a later host-down came first' }
    case 'TooLate':
      return { text: 'it is being served' }
    case 'NotFound':
      return { text: 'no record or request has that name' }
    case 'InFlight':
      return { text: 'an operation is under way there' }
  }
}

/** An answer as it is shown. */
export const answerWords = (answer: Answer): AnswerWords => {
  if (answer.ok) return success(answer.result)
  const { text, more = [] } = refusalWords(answer.error)
  return { verb: 'refused', text: `${answer.error._tag}: ${text}`, more }
}
