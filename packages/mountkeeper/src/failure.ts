// Why something cannot go on, as one sentence that names what is wrong and what would be right; and the words for what a file
// is refused with.

/** One sentence, and whose turn it is: the caller asked for what cannot be (`usage`), or the manager could not start or go on (`stop`). */
export interface Failure {
  readonly _tag: 'Failure'
  readonly by: 'usage' | 'stop'
  readonly text: string
}

/** The caller asked for something that cannot be. */
export const usageFailure = (text: string): Failure => ({ _tag: 'Failure', by: 'usage', text })

/** The manager could not start, or had to stop. */
export const stopFailure = (text: string): Failure => ({ _tag: 'Failure', by: 'stop', text })

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
