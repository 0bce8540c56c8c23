// One owner (L27), as the command has it: who comes second is refused with the pid of the first and changes nothing, what only
// reads needs no lock, and a mountpoint that the journal knows may not be another manager's.

import { mkdirSync, readdirSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import type { Started } from './world.js'
import { ROOT, STATE, answersOf, attach, command, entriesOf, mounted, prepareWorld, run, sh } from './world.js'

prepareWorld()
const OTHER = '/srv/other'
const OTHER_STATE = '/srv/other-state'
beforeAll(() => {
  for (const path of [OTHER, OTHER_STATE, `${ROOT}/below`]) mkdirSync(path, { mode: 0o700 })
})

/** A run that is up and stays up. */
const running = async (...args: readonly string[]): Promise<Started> => {
  const started = command('run', ...args)
  started.send({ op: 'status' })
  await started.until(1)
  return started
}

test('the second run is refused with the pid of the first; what only reads is not', async () => {
  const first = await running('--root', ROOT, '--state-dir', STATE)
  const second = await run(['run', '--root', ROOT, '--state-dir', OTHER_STATE])
  expect(second).toMatchObject({ code: 3, stdout: '' })
  expect(second.stderr).toBe(
    `mountkeeper: ${ROOT} belongs to another manager (pid ${first.pid}): stop that one, or name another directory\n`,
  )
  expect(entriesOf(OTHER_STATE)).toEqual([])
  const place = ['--root', ROOT, '--state-dir', STATE]
  expect((await run(['status', ...place])).code).toBe(0)
  expect((await run(['doctor', ...place])).stdout).toContain(`${STATE}/journal`)
  const repair = await run(['reconcile', '--apply', ...place])
  expect(repair.stderr).toContain(`belongs to another manager (pid ${first.pid})`)
  first.end()
  expect((await first.ended).code).toBe(0)
  expect(readdirSync(ROOT)).toContain('.mountkeeper-lock')
  expect((await run(['reconcile', '--apply', ...place])).stdout).toBe('0 differences repaired, 0 left\n')
})

test('refused: a mountpoint that the journal knows is in the root of another manager', async () => {
  const before = await run(['run', '--root', ROOT, '--state-dir', STATE], [attach('1', 'below/a')])
  expect(answersOf(before)).toMatchObject([{ ok: true }])
  const other = await running('--root', `${ROOT}/below`, '--state-dir', OTHER_STATE)
  const moved = ['--root', OTHER, '--state-dir', STATE]
  for (const acting of [
    ['run', ...moved],
    ['reconcile', '--apply', ...moved],
  ]) {
    const refused = await run(acting)
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain(
      `${ROOT}/below belongs to another manager (pid ${other.pid}), and this one has mounted there`,
    )
  }
  other.end()
  await other.ended
  expect((await run(['run', ...moved])).code).toBe(0)
  expect(mounted()).toEqual([`${ROOT}/below/a scratch`])
  sh('umount', `${ROOT}/below/a`)
})
