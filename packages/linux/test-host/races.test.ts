// Races against another user, in the size of a test; `npm run races` runs each a thousand times and more.

import { expect, test } from 'vitest'
import { RACES } from './races/cases.js'
import { summary } from './races/summary.js'
import { runRace } from './races/race.js'
import { canSwap } from './races/swapper.js'
import { hasFuse, isRoot } from './world.js'

const ATTACHES = 60

const isPossible = (name: string): boolean => isRoot && canSwap && (!name.includes('bindfs') || hasFuse('bindfs'))

for (const race of RACES) {
  test.skipIf(!isPossible(race.name))(
    `${race.name}: nothing outside is touched (needs the rights of the host; that of bindfs also bindfs and /dev/fuse)`,
    { timeout: 600_000 },
    async () => {
      const report = await runRace(race, ATTACHES)
      process.stdout.write(`${summary(report)}\n`)
      expect(report.wrong).toEqual([])
      expect(report.attaches).toBeGreaterThanOrEqual(ATTACHES)
      expect(report.swaps).toBeGreaterThan(0)
    },
  )
}
