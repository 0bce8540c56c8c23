// Many requests at once on few mountpoints, failures among them: one answer each, one layer at most, nothing left.

import { expect, test } from 'vitest'
import { ROOT, answersOf, attach, command, entriesOf, mounted, prepareWorld, run } from './world.js'

prepareWorld()

const REQUESTS = 64
const MOUNTPOINTS = 16

const nameOf = (index: number): string => `m${index % MOUNTPOINTS}`
const isBad = (index: number): boolean => index % MOUNTPOINTS === 5
const isOther = (index: number): boolean => index % MOUNTPOINTS === 7 && index >= MOUNTPOINTS

const request = (index: number): object => {
  if (isBad(index)) return attach(String(index), nameOf(index), { type: 'slow', source: 'bad', options: [] })
  if (isOther(index)) return attach(String(index), nameOf(index), { source: 'another' })
  return attach(String(index), nameOf(index))
}

test('64 requests at once on 16 mountpoints', async () => {
  const trace = '/srv/trace'
  const started = command('run', '--root', ROOT, '--concurrent', '--allow', 'slow=*', '--trace', trace)
  started.send(...Array.from({ length: REQUESTS }, (_, index) => request(index)))
  await started.until(REQUESTS)

  const stacks = mounted().map((line) => line.split(' ')[0] ?? '')
  expect(new Set(stacks).size).toBe(stacks.length)
  expect(stacks).toHaveLength(MOUNTPOINTS - 1)

  const consumers = Array.from({ length: REQUESTS }, (_, index) => ({
    op: 'release',
    id: `r${index}`,
    consumer: `vm-${index}`,
  }))
  started.send(...consumers)
  started.end()
  const ended = await started.ended
  const answers = answersOf(ended)
  const ids = answers.map(({ id }) => String(id))
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(2 * REQUESTS)

  for (let index = 0; index < REQUESTS; index += 1) {
    const answer = answers.find(({ id }) => id === String(index))
    if (isBad(index)) expect(answer).toMatchObject({ ok: false, error: { _tag: 'MountFailed' } })
    else if (isOther(index)) expect(answer).toMatchObject({ ok: false, error: { _tag: 'Conflict' } })
    else expect(answer).toMatchObject({ ok: true })
  }
  expect(ended.code).toBe(1)
  expect(ended.stderr).not.toContain('left behind')
  expect(mounted()).toEqual([])
  expect(entriesOf(ROOT)).toEqual([])
  expect((await run(['replay', trace])).stdout).toContain('every decision is the same')
})
