// The three streams and what is known about them. All text from outside is made harmless here before a terminal sees it.

import type { Readable, Writable } from 'node:stream'
import type { Failure } from 'mountkeeper/parts'
import { harmless } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import { exitOf } from './exit.js'

/** Where the command reads and writes; tests put their own in place. */
export interface Streams {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** Its reader stands still, and is not to be waited for when the process ends. */
  readonly abandon?: () => void
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** One line on stderr, begun with the name of the command. */
export const complain = ({ stderr }: Pick<Streams, 'stderr'>, text: string): void => {
  stderr.write(`mountkeeper: ${harmless(text)}\n`)
}

/** Says why the command ends, and gives the code that it ends with. */
export const fail = (streams: Pick<Streams, 'stderr'>, failure: Failure): ExitCode => {
  complain(streams, failure.text)
  return exitOf(failure)
}

/** Whether colours are wanted: only on a terminal, and not where a non-empty NO_COLOR or a dumb terminal says otherwise. */
export const wantsColour = ({ isTerminal, environment }: Streams): boolean =>
  isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'
