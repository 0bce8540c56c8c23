// The laws over random runs of the simulator, one property for all of them: what `laws.test.ts` asks of each law by itself.
import fc from 'fast-check'
import { test } from 'vitest'
import { play } from '../../../src/index.js'
import { runs } from '../../corpus.js'

test('the laws hold over random runs', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const [breach] = play(run).history.breaches
      if (breach !== undefined) throw new Error(`${breach.law}: ${breach.why}`)
    }),
  )
})
