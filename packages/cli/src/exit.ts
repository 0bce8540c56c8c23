// How the command ends. Nothing here exits: every part returns its code, and only main.ts hands it to the process.

/** 0: every request was answered ok; 1: some were refused, or a check failed; 2: usage or configuration; 3: no start, or stopped. */
export const EXIT = { ok: 0, refused: 1, usage: 2, stopped: 3 } as const

/** One of the four ways to end. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Why the command cannot go on: one line that names what is wrong and what would be right. */
export interface Failure {
  readonly _tag: 'Failure'
  readonly exit: typeof EXIT.usage | typeof EXIT.stopped
  readonly text: string
}

/** The caller asked for something that cannot be: exit 2. */
export const usageFailure = (text: string): Failure => ({ _tag: 'Failure', exit: EXIT.usage, text })

/** The manager could not start, or had to stop: exit 3. */
export const stopFailure = (text: string): Failure => ({ _tag: 'Failure', exit: EXIT.stopped, text })

const ERRNO: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be opened by this user',
  EPERM: 'may not be opened by this user',
  EISDIR: 'is a directory',
  ENOTDIR: 'has a parent that is not a directory',
  ENOSPC: 'is on a full disk',
  EDQUOT: 'is over its quota',
  EROFS: 'is on a read-only filesystem',
  ENAMETOOLONG: 'has a name that is too long',
  ELOOP: 'is a link to a file that does not exist',
  EMFILE: 'cannot be opened: too many files are open',
  EIO: 'cannot be read: the device failed',
}

/** What a `node:fs` function threw, in words that follow the name of the file. */
export const fileProblem = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return ERRNO[code] ?? `cannot be used (${code})`
}
