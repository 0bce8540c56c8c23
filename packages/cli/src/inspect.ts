// `mountkeeper inspect` and `mountkeeper why`: what is mounted somewhere, and what keeps it busy. They need no configuration and no
// manager, change nothing, and end within their time whatever hangs.

import { shownJson } from '@mountkeeper/codec'
import { checkPath } from '@mountkeeper/core'
import type { Busy, InspectQuestion, InspectedMount, Space, User } from '@mountkeeper/linux'
import { QUESTIONS_MAX, inspectMounts, whyBusy } from '@mountkeeper/linux'
import type { Failure } from 'mountkeeper/parts'
import { QUESTION_MS, counted, harmless, stopFailure, usageFailure } from 'mountkeeper/parts'
import type { InspectArguments, WhyArguments } from './asked.js'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'

const FULL: Failure = stopFailure(
  `${QUESTIONS_MAX} questions have no answer yet: a server does not answer; repair it first`,
)

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

const sized = (bytes: number): string => {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1_024 ** power).toPrecision(3))} ${UNITS[power] ?? ''}`
}

const spaceWords = (space: Space): string => {
  switch (space._tag) {
    case 'Space': {
      const inodes = space.inodes === 0 ? '' : `, ${space.inodesFree} of ${space.inodes} inodes free`
      return `${sized(space.bytesAvailable)} of ${sized(space.bytes)} free${inodes}`
    }
    case 'Covered':
      return 'covered by another mount'
    case 'NotResponding':
      return 'does not answer'
    case 'Unreadable':
      return `cannot be asked what is free (${space.why})`
  }
}

const mountLines = ({ mountpoint, type, source, root, options, space }: InspectedMount): readonly string[] => [
  `${mountpoint}  ${type} ${source}${root === '/' ? '' : `, directory ${root}`}`,
  `  ${options.join(',')}`,
  `  ${spaceWords(space)}`,
]

const userWords = (user: User): string => {
  switch (user._tag) {
    case 'Process':
      return `process ${user.pid} (${user.command}): ${user.uses.join(', ')}`
    case 'LoopDevice':
      return `loop device ${user.device} of ${user.file}; losetup -d ${user.device}`
    case 'SwapFile':
      return `swap file ${user.file}; swapoff ${user.file}`
    case 'Mount':
      return `mount on ${user.mountpoint}; unmount it first`
    case 'Namespace':
      return `mount namespace of process ${user.pid} (${user.command}), on ${user.mountpoint} there`
  }
}

/** What the kernel keeps even from root, no other user can see: then there is nothing to advise. */
const unreadableWords = (count: number): string =>
  `${counted(count, 'process', 'processes')} could not be looked into${process.geteuid?.() === 0 ? '' : '; run it as root'}`

const busyLines = ({ mountpoint, isMounted, users, unreadable, isComplete }: Busy): readonly string[] => [
  ...(isMounted ? [] : [`nothing is mounted on ${mountpoint}`]),
  ...(users.length === 0 && isMounted && isComplete ? [`nothing was found that uses ${mountpoint}`] : []),
  ...users.map(userWords),
  ...(unreadable === 0 ? [] : [unreadableWords(unreadable)]),
  ...(isComplete ? [] : ['there may be more: the time was over, or there are too many to show']),
]

const print = (streams: Streams, json: boolean, value: unknown, lines: readonly string[]): void => {
  const shown = json ? [shownJson(value)] : lines.map(harmless)
  streams.stdout.write(shown.map((line) => `${line}\n`).join(''))
}

const questionOf = ({ path, source }: InspectArguments): InspectQuestion | undefined => {
  if (source !== undefined) return path === undefined ? { source } : undefined
  return path === undefined || (path !== '/' && checkPath('path', path) !== undefined) ? undefined : { path }
}

/** Shows what is mounted. */
export const inspect = async (asked: InspectArguments, streams: Streams): Promise<ExitCode> => {
  const question = questionOf(asked)
  if (question === undefined) {
    return fail(streams, usageFailure('give an absolute path without . and .. components, or --source'))
  }
  const found = await inspectMounts(question, asked.deadlineMs ?? QUESTION_MS)
  if (found === undefined) return fail(streams, FULL)
  const none = 'source' in question ? `nothing is mounted from ${question.source}` : 'nothing is mounted there'
  const more = found.more ? ['there are more'] : []
  const lines = found.mounts.length === 0 ? [none] : [...found.mounts.flatMap(mountLines), ...more]
  print(streams, asked.json, { _tag: 'Inspected', ...found }, lines)
  return EXIT.ok
}

/** Shows what keeps a mountpoint busy. */
export const why = async (asked: WhyArguments, streams: Streams): Promise<ExitCode> => {
  const { mountpoint } = asked
  const wrong = checkPath('mountpoint', mountpoint)
  if (wrong !== undefined) return fail(streams, usageFailure(`mountpoint ${wrong.why}`))
  const busy = await whyBusy(mountpoint, asked.deadlineMs ?? QUESTION_MS)
  if (busy === undefined) return fail(streams, FULL)
  print(streams, asked.json, { _tag: 'Busy', ...busy }, busyLines(busy))
  return EXIT.ok
}
