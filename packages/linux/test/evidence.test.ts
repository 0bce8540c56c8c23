// How commands ended, in the words of reports.
import { describe, expect, test } from 'vitest'
import type { CommandEnd } from '../src/command-runner.js'
import type { Shown } from '../src/evidence.js'
import { TIMED_OUT, errorOf, ranOf, timedOut } from '../src/evidence.js'

const vector = ['mount', '--', './a', '/proc/7/fd/31', '/proc/7/fd/3']
const COMMON = { vector, stderr: 'no /proc/7/fd/3', durationMs: 9 }
const SHOWN: Shown = [
  ['/proc/7/fd/31', '/srv/$&'],
  ['/proc/7/fd/3', '/srv/a'],
  ['./a', '/srv/mounts/a'],
]
const COMMAND = ['mount', '--', '/srv/mounts/a', '/srv/$&', '/srv/a']
const stderr = 'no /srv/a'
const signalled: CommandEnd = { ...COMMON, _tag: 'Signalled', signal: 'SIGKILL', pid: 5 }
const late: CommandEnd & { readonly _tag: 'TimedOut' } = {
  ...{ ...COMMON, _tag: 'TimedOut', pid: 5, ended: Promise.resolve() },
}

test('a command is shown with the paths that descriptors stood for', () => {
  const exited: CommandEnd = { ...COMMON, _tag: 'Exited', exitStatus: 32, pid: 5 }
  const none = { exitStatus: undefined, signal: undefined }
  const ran = { command: COMMAND, stderr, durationMs: 9 }
  expect(ranOf(exited, SHOWN)).toEqual({ ...ran, ...none, exitStatus: 32 })
  expect(ranOf(signalled, SHOWN)).toEqual({ ...ran, ...none, signal: 'SIGKILL' })
  expect(ranOf(late, SHOWN)).toEqual({ ...ran, ...none })
})

test('an error says how it ended, and what ended well is none', () => {
  expect(errorOf({ ...COMMON, _tag: 'Exited', exitStatus: 0, pid: 5 }, SHOWN)).toBeUndefined()
  const failed: CommandEnd = { ...COMMON, _tag: 'Exited', exitStatus: 1, pid: 5 }
  expect(errorOf(failed, SHOWN)).toEqual({ command: COMMAND, exitStatus: 1, stderr })
  expect(errorOf(signalled, SHOWN)).toEqual({ command: COMMAND, signal: 'SIGKILL', stderr })
  expect(errorOf(late, SHOWN)).toEqual({ command: COMMAND, stderr, pid: 5 })
  expect(timedOut(late, SHOWN)).toEqual({
    ...{ found: TIMED_OUT, error: { command: COMMAND, stderr, pid: 5 }, ended: late.ended },
    ran: [ranOf(late, SHOWN)],
  })
})

test.each([
  ['ENOENT', 'mount is not installed in /usr/sbin, /usr/bin, /sbin or /bin'],
  ['EACCES', 'mount may not be executed'],
  ['EIO', 'mount could not be started: EIO'],
])('what was not started says why: %s', (why, text) => {
  const end: CommandEnd = { ...COMMON, _tag: 'NotStarted', why }
  expect(errorOf(end, SHOWN)).toEqual({ command: COMMAND, stderr: text })
})

describe('the short name of a mountpoint stands for it', () => {
  test.each([
    ['./a', '/srv/mounts/a'],
    ['at ./a: no', 'at /srv/mounts/a: no'],
    ['\'./a\' "./a" (./a) x:./a', '\'/srv/mounts/a\' "/srv/mounts/a" (/srv/mounts/a) x:/srv/mounts/a'],
    ['/b/./a', '/b/./a'],
    ['../a x./a', '../a x./a'],
  ])('%j', (said, shown) => {
    expect(ranOf({ ...signalled, stderr: said }, SHOWN).stderr).toBe(shown)
  })
})
