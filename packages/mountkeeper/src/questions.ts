// Questions about mounts, managed or not, that change nothing: `inspect` and `why`. They are answered by a process of their own within
// their time, beside the manager; a socket answers them only if its operations list them.

import type { QuestionRequest } from '@mountkeeper/codec'
import type { Refusal } from '@mountkeeper/core'
import { checkPath } from '@mountkeeper/core'
import type { Busy, Inspected, InspectedMount } from '@mountkeeper/linux'
import type { MountManager } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'

/** Where a question names no time, ms. */
export const QUESTION_MS = 5_000

/** What a mount is, and whether there is a record of its mountpoint. */
export type SeenMount = InspectedMount & { readonly managed: boolean }

/** What is mounted there; top first where mounts are stacked. */
export interface InspectResult extends Omit<Inspected, 'mounts'> {
  readonly _tag: 'Inspected'
  readonly mounts: readonly SeenMount[]
}

/** What keeps a mountpoint busy. */
export type WhyResult = { readonly _tag: 'Busy' } & Busy

/** Why a question is not answered. */
export type QuestionError = Extract<Refusal, { readonly _tag: 'Invalid' | 'NotManaged' | 'Overloaded' }>

type Invalid = Extract<QuestionError, { readonly _tag: 'Invalid' }>
export type QuestionAnswer = Either<QuestionError, InspectResult | WhyResult>

/** As much of a manager as is needed. */
export type Asked = Pick<MountManager, 'recorded' | 'state'>

const SOURCE_MAX = 4_095

const invalid = (field: string, why: string): Invalid => ({ _tag: 'Invalid', field, why })

/** What is wrong with a question; the shape was checked before. */
const checkQuestion = ({ state }: Asked, question: QuestionRequest): QuestionError | undefined => {
  if (question.op === 'why') {
    const { mountpoint } = question
    const wrong = checkPath('mountpoint', mountpoint)
    if (wrong !== undefined) return wrong
    const roots = state.settings.roots.map(({ path }) => path)
    return roots.some((root) => mountpoint.startsWith(`${root}/`))
      ? undefined
      : { _tag: 'NotManaged', mountpoint, roots }
  }
  const { path, source } = question
  if ((path === undefined) === (source === undefined)) return invalid('path', 'give either path or source')
  if (path !== undefined) return path === '/' ? undefined : checkPath('path', path)
  const isFit = source !== undefined && source.length <= SOURCE_MAX && !/\p{Cc}/u.test(source)
  return isFit ? undefined : invalid('source', `has more than ${SOURCE_MAX} characters, or a control character`)
}

/** Answers a question. */
export const answerQuestion = async (manager: Asked, question: QuestionRequest): Promise<QuestionAnswer> => {
  const wrong = checkQuestion(manager, question)
  if (wrong !== undefined) return left(wrong)
  const { QUESTIONS_MAX, inspectMounts, whyBusy } = await import('@mountkeeper/linux')
  const full: QuestionError = { _tag: 'Overloaded', limit: 'questions', value: QUESTIONS_MAX }
  const { deadlineMs = QUESTION_MS } = question
  if (question.op === 'why') {
    const busy = await whyBusy(question.mountpoint, deadlineMs)
    return busy === undefined ? left(full) : right({ _tag: 'Busy', ...busy })
  }
  const { path, source = '' } = question
  const found = await inspectMounts(path === undefined ? { source } : { path }, deadlineMs)
  if (found === undefined) return left(full)
  const mounts = found.mounts.map((mount) => ({ ...mount, managed: manager.recorded(mount.mountpoint) !== undefined }))
  return right({ _tag: 'Inspected', ...found, mounts })
}

/** In front of a host that is simulated. */
export const noQuestions = (): Promise<QuestionAnswer> =>
  Promise.resolve(left(invalid('op', 'a simulated host has no mount table; open a real one')))
