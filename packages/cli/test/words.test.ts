import type { MountpointStatus, Status } from '@mountkeeper/core'
import { requestId } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { checkLines } from '../src/doctor.js'
import { answerWords, durationWords, leftLines, leftSummary, reasonWords } from 'mountkeeper/parts'
import { paintOf } from '../src/transcript/paint.js'
import { surveyLines } from '../src/transcript/survey-words.js'

describe('what is left behind', () => {
  const left = [
    { mountpoint: '/srv/mounts/a', phase: 'mounted', holders: 2 },
    { mountpoint: '/srv/mounts/b', phase: 'uncertain', holders: 0, running: 'Unmount', overdue: true, pid: 17 },
    { mountpoint: undefined, phase: 'absent', holders: 0, running: 'Discover' },
  ] as const

  test('is named with path, phase and pid', () => {
    expect(leftLines(left, false)).toEqual([
      'stays, in use: /srv/mounts/a mounted, 2 holders',
      'left behind: /srv/mounts/b uncertain, umount is still running, overdue, pid 17',
      'left behind: the host, discovery is still running',
    ])
  })

  test('has a bound, and says how much more there is', () => {
    const many = Array.from({ length: 250 }, (_, index) => ({
      mountpoint: `/m/${index}`,
      phase: 'mounted' as const,
      holders: 1,
    }))
    expect(leftLines(many, false)).toHaveLength(101)
    expect(leftLines(many, false).at(-1)).toBe('left behind: 150 more')
  })

  test('is summed up in a line', () => {
    expect(leftSummary([], false)).toBe('nothing is left: no mount, no directory, no process')
    expect(leftSummary(left.slice(0, 2), false)).toBe('left as they are: 2 mountpoints')
    expect(leftSummary(left.slice(0, 1), true)).toBe('left until the sandbox ends: 1 mountpoint')
  })
})

describe('a status', () => {
  const mountpoint: MountpointStatus = {
    mountpoint: '/srv/mounts/a',
    phase: 'uncertain',
    instance: 1,
    directory: 'ours',
    holders: [],
    waiting: [],
    since: 0,
    slot: 'overdue',
    overdue: ['Unmount', 'Probe'],
    lastError: { command: ['umount', '/srv/mounts/a'], stderr: '', pid: 17 },
  }
  const status: Status = {
    _tag: 'Status',
    generation: 1,
    phase: 'up',
    mountpoints: [mountpoint],
    refusing: [],
    changedRoots: [],
  }
  const shown = [
    '  timed out and still running: umount, a probe',
    expect.stringMatching(/^ {2}last command: umount .*17/),
  ]

  test('names what is overdue, before the last command', () => {
    const { more } = answerWords({ request: requestId(1), op: 'status', ok: true, result: status })
    expect(more.slice(-2)).toEqual(shown)
    const lines = surveyLines({ status, differences: [] }, paintOf('plain'))
    expect(lines.slice(2, 4)).toEqual(shown)
  })

  test('says nothing of it where nothing is', () => {
    const { overdue: _, ...well } = mountpoint
    const lines = surveyLines({ status: { ...status, mountpoints: [well] }, differences: [] }, paintOf('plain'))
    expect(lines.join('\n')).not.toContain('overdue')
  })
})

describe('checks of the doctor', () => {
  test('are a line each, with how to fix it, and a sum', () => {
    const checks = [
      { name: 'mount', ok: 'ok', text: 'mount from util-linux 2.38.1' },
      { name: 'privilege', ok: 'fail', text: 'may not mount', mend: 'run as root' },
      { name: '/dev/fuse', ok: 'warn', text: 'EACCES', mend: 'modprobe fuse' },
    ] as const
    expect(checkLines(checks, paintOf('plain'))).toEqual([
      'ok    mount      mount from util-linux 2.38.1',
      'FAIL  privilege  may not mount; fix: run as root',
      'warn  /dev/fuse  EACCES; fix: modprobe fuse',
      '',
      '1 check failed, 1 warning',
    ])
  })
})

test.each([
  [0.4, '<1 ms'],
  [1, '1 ms'],
  [999.4, '999 ms'],
  [1_500, '1.5 s'],
  [125_000, '2 min 5 s'],
])('%d ms reads %s', (ms, text) => {
  expect(durationWords(ms)).toBe(text)
})

test('an unmount that reported success and did not unmount is not blamed on the host', () => {
  expect(reasonWords({ _tag: 'Refused', error: undefined })).toBe(
    'the command reported success, but it is still mounted',
  )
  const error = { command: ['umount'], exitStatus: 32, stderr: 'target is busy.' }
  expect(reasonWords({ _tag: 'Refused', error })).toBe('exit 32: target is busy.')
})
