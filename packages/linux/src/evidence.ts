// How commands ended, in the words of reports: evidence for people, on which no decision rests (L40).

import type { CommandError, Unknown } from '@mountkeeper/core'
import type { Ran, Report } from '@mountkeeper/runtime'
import type { CommandEnd } from './command-runner.js'

/** What stands for what in evidence: descriptors' paths, which mean nothing afterwards, for the paths they led to. */
export type Shown = readonly (readonly [from: string, to: string])[]

/** What `./NAME` stands for is not in the middle of a longer path. */
const isWord = (text: string, at: number): boolean => at === 0 || /[\s'"(:]/.test(text[at - 1] ?? '')

const shownText = (text: string, shown: Shown): string =>
  shown.reduce(
    (sofar, [from, to]) =>
      from.startsWith('./')
        ? sofar.replaceAll(from, (found, at: number) => (isWord(sofar, at) ? to : found))
        : sofar.replaceAll(from, () => to),
    text,
  )

const INSTALL: Readonly<Record<string, string>> = {
  ENOENT: 'is not installed in /usr/sbin, /usr/bin, /sbin or /bin',
  EACCES: 'may not be executed',
  EAGAIN: 'could not be started: no more processes are allowed',
  EMFILE: 'could not be started: no more files may be open',
  ENOMEM: 'could not be started: no memory',
  E2BIG: 'could not be started: the arguments are too long',
}

const stderrOf = (end: CommandEnd): string =>
  end._tag === 'NotStarted'
    ? `${end.vector[0] ?? ''} ${INSTALL[end.why] ?? `could not be started: ${end.why}`}`
    : end.stderr

/** The command that was run, however it ended. */
export const ranOf = (end: CommandEnd, shown: Shown): Ran => ({
  command: end.vector.map((argument) => shownText(argument, shown)),
  exitStatus: end._tag === 'Exited' ? end.exitStatus : undefined,
  signal: end._tag === 'Signalled' ? end.signal : undefined,
  stderr: shownText(stderrOf(end), shown),
  durationMs: end.durationMs,
})

/** The error, if the command did not end well. */
export const errorOf = (end: CommandEnd, shown: Shown): CommandError | undefined => {
  const { command, stderr } = ranOf(end, shown)
  switch (end._tag) {
    case 'Exited':
      return end.exitStatus === 0 ? undefined : { command, exitStatus: end.exitStatus, stderr }
    case 'Signalled':
      return { command, signal: end.signal, stderr }
    case 'NotStarted':
      return { command, stderr }
    case 'TimedOut':
      return { command, stderr, pid: end.pid }
  }
}

/** What is found of an effect that passed its deadline. */
export const TIMED_OUT: Unknown = { _tag: 'Unknown', why: 'TimedOut' }

/** The report of a command that passed its deadline. */
export const timedOut = (end: CommandEnd & { readonly ended: Promise<void> }, shown: Shown): Report => {
  const ran = ranOf(end, shown)
  const { command, stderr } = ran
  const pid = 'pid' in end ? { pid: end.pid } : {}
  return { found: TIMED_OUT, error: { command, stderr, ...pid }, ran: [ran], ended: end.ended }
}
