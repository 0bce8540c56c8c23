// The laws over random runs of the simulator, one property for all of them: what `laws.test.ts` asks of each law by itself.
import fc from 'fast-check'
import { test } from 'vitest'
import { anyRun, play } from '../../../src/index.js'

test('the laws hold over random runs', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const [breach] = play(run).history.breaches
      if (breach !== undefined) throw new Error(`${breach.law}: ${breach.why}`)
    }),
  )
})
