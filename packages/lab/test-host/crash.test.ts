// Managers killed on real mounts, in the size of a test; `npm run crash` goes on for as long as it is asked to.

import { spawnSync } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { crash } from '../src/crash/run.js'
import { summary } from '../src/crash/summary.js'

const KILLS = 200

afterAll(() => {
  // Over what the other files of this namespace have there.
  for (const path of ['/usr/sbin', '/srv']) spawnSync('umount', ['-l', path])
})

test(`${KILLS} kills: nothing is lost, nothing is left, no third party is touched`, { timeout: 900_000 }, async () => {
  const seed = Number(process.env['MOUNTKEEPER_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))
  const report = await crash({ kills: KILLS, seed, lanes: 4 })
  process.stdout.write(`seed ${seed}\n${summary(report)}\n`)
  expect(report.violation).toBeUndefined()
  expect(report.kills).toBeGreaterThanOrEqual(KILLS)
  const { kills, cleared, recoveries } = report.tally
  expect([...kills.keys()]).toEqual(expect.arrayContaining(['starting', 'any', 'answer', 'journal', 'mounting']))
  expect(Math.min(cleared, recoveries)).toBeGreaterThan(0)
})
