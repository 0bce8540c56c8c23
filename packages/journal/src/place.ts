// Where a journal is: in a directory that is its manager's own, under a fixed name. What is in it (mountpoints, consumers)
// is for no other user, and a user that may write there could rewrite history.

import type { JournalFailed } from '@mountkeeper/runtime'
import { join } from 'node:path'
import type { Disk } from './disk.js'
import { codeOf, directoryFailed, fileFailed } from './failure.js'

/** The files of a state directory. */
export interface Names {
  readonly directory: string
  readonly journal: string
  /** Becomes the journal once it is whole; what stays of one after a crash is worth nothing. */
  readonly next: string
  /** Locked by who writes the journal; never removed. */
  readonly lock: string
  /** What a repair has put aside, counted from 1. */
  readonly aside: (count: number) => string
}

/** The names in a state directory. */
export const namesIn = (directory: string): Names => {
  const journal = join(directory, 'journal')
  return {
    directory,
    journal,
    next: `${journal}.new`,
    lock: `${journal}.lock`,
    aside: (count) => `${journal}.damaged-${count}`,
  }
}

const OTHERS = 0o077

const WRITE_OF_OTHERS = 0o022

/**
 * Why the file of a journal may not be used; nothing where there is none, and what is no file is refused when it is opened. One that
 * others can only read is closed to them then.
 */
export const unfitJournal = async (disk: Disk, { journal }: Names): Promise<JournalFailed | undefined> => {
  const wrong = (why: string, mend: string): JournalFailed =>
    directoryFailed(`${journal} ${why}; if what is in it is to be believed: ${mend} ${journal}`)
  try {
    const { isFile, uid, mode } = await disk.look(journal)
    const own = disk.uid()
    if (!isFile) return undefined
    if (uid !== own) return wrong(`belongs to user ${uid}, not to ${own}`, `chown ${own}`)
    return (mode & WRITE_OF_OTHERS) === 0
      ? undefined
      : wrong(`can be written by others (mode ${mode.toString(8)})`, 'chmod 0600')
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : fileFailed(journal, 'looked at', error)
  }
}

/** What is wrong with a state directory. */
export const unfitDirectory = async (disk: Disk, directory: string): Promise<JournalFailed | undefined> => {
  const wrong = (why: string, mend: string): JournalFailed =>
    directoryFailed(`the state directory ${directory} ${why}; ${mend}`)
  try {
    const { isDirectory, uid, mode } = await disk.look(directory)
    if (!isDirectory) return wrong('is no directory', 'name the directory itself')
    const own = disk.uid()
    if (uid !== own) return wrong(`belongs to user ${uid}, not to ${own}`, `chown ${own} ${directory}`)
    if ((mode & OTHERS) !== 0) {
      return wrong(`is open to others (mode ${mode.toString(8)})`, `chmod 0700 ${directory}`)
    }
    return undefined
  } catch (error) {
    const code = codeOf(error)
    return code === 'ENOENT'
      ? wrong('does not exist', `create it: install -d -m 0700 ${directory}`)
      : wrong(`cannot be looked at (${code})`, 'make it accessible')
  }
}
