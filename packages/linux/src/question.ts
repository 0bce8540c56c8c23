// What the manager asks the look process, as JSON; an answer is what the function of the same purpose gives.

import type { LookRequest, Seen } from './look.js'
import type { SeenDirectory } from './roots.js'
import type { Trust } from './trust.js'

/** What is at a mountpoint (`lookTogether`). */
export interface LookQuestion {
  readonly _tag: 'Look'
  readonly request: LookRequest
}

/** Whether a directory is as roots have to be (`seeDirectory`). */
export interface DirectoryQuestion {
  readonly _tag: 'Directory'
  readonly role: string
  readonly path: string
  readonly trust: Trust
}

/** One question of a batch. */
export type Question = LookQuestion | DirectoryQuestion

/** Its answer, in the order of the questions. */
export type QuestionAnswer = Seen | SeenDirectory

/** What a look process writes first, when it is ready to be asked: its start takes 90 ms, and seconds on a busy machine. */
export const GREETING = 'ready'
