// Why a journal cannot go on, in one sentence: which file, what is wrong with it, and what would fix it.

import type { JournalFailed } from '@mountkeeper/runtime'
import { dirname } from 'node:path'
import type { Fault } from './scan.js'

const failed = (why: string): JournalFailed => ({ _tag: 'JournalFailed', why })

/** What the system said of a file, and what to do about it. */
const PROBLEMS: Readonly<Record<string, readonly [problem: string, mend: string]>> = {
  ENOSPC: ['the disk is full', 'make room on its filesystem'],
  EDQUOT: ['the quota is used up', 'raise the quota'],
  EROFS: ['its filesystem is read-only', 'mount it for writing'],
  EIO: ['the device failed', 'check the device that it is on'],
  EACCES: ['this user may not', 'give it to the user that the manager runs as'],
  EPERM: ['this user may not', 'give it to the user that the manager runs as'],
  EFBIG: ['no file may grow so large', 'raise the limit on the size of files'],
  ELOOP: ['it is a link', 'put the file itself there'],
  EISDIR: ['it is a directory', 'move it away'],
  EMFILE: ['too many files are open', 'raise the limit on open files'],
  ENFILE: ['too many files are open', 'raise the limit on open files'],
}

/** The name of what the system said, such as `ENOSPC`. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

/** What could not be done to a file, in words, and the fix. */
const problemText = (path: string, what: string, error: unknown): string => {
  const code = codeOf(error)
  const [problem, mend] = PROBLEMS[code] ?? ['the system refuses', 'check its filesystem']
  return `${path} cannot be ${what}: ${problem} (${code}); ${mend}`
}

/** Something could not be done to a file, so that the manager has to stop. */
export const fileFailed = (path: string, what: string, error: unknown): JournalFailed =>
  failed(`${problemText(path, what, error)}, then start the manager again: all that it has answered is kept`)

/** Nothing is lost by it: the journal only stays longer than it would have to be. */
export const notShortened = (path: string, error: unknown): string =>
  `${problemText(path, 'shortened', error)}; it stays as it is, and this is tried again later`

/** The directory is not as it has to be. */
export const directoryFailed = (why: string): JournalFailed => failed(why)

/** The file holds what it must not hold. */
export const faultFailed = (path: string, { _tag, line, why }: Fault): JournalFailed => {
  const mend =
    _tag === 'Newer'
      ? 'start that version, or give this one another state directory'
      : `mountkeeper doctor --state-dir ${dirname(path)} --repair keeps it aside and saves every line that can be read`
  return failed(`${path}, line ${line}: ${why}; ${mend}`)
}

/** Another journal is open in this directory. */
export const lockedFailed = (directory: string, path: string): JournalFailed =>
  failed(
    `${directory}: its journal is written by another one (${path} is locked); stop that one, or name another directory`,
  )

/** The name no longer leads to the file that is being written, or the file is not as it was left. */
export const strangeFailed = (path: string, what: string): JournalFailed =>
  failed(`${path} ${what}; nothing more is promised: put the file that was there back, and start the manager again`)

/** A fact that cannot be written. */
export const unwritable = (path: string, error: unknown): JournalFailed =>
  failed(
    `${path}: a fact cannot be written (${String(error)}), which is a defect of who appended it; nothing of it was`,
  )

/** A promise of the port was broken: a defect of the caller. */
export const notReady = (path: string, why: string): JournalFailed => failed(`${path} ${why}`)
