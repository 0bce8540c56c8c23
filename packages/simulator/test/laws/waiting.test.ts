// Every request that waits behind others sees what they have made of the mountpoint (L26): not a record that ended meanwhile, nor a layer
// that is gone.

import type { Answer } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ask, begin, letOut } from '../../src/index.js'
import type { ModelHost } from '../../src/index.js'
import { identityOf, stackAt } from '../../src/model/look.js'
import { numRuns, seed } from '../corpus.js'
import { A, attach, detach, endAll, TMPFS } from './stage.js'

const step = fc.record({
  op: fc.constantFrom('attach', 'detach'),
  volume: fc.constantFrom('v', 'w'),
  consumer: fc.constantFrom('c', 'd'),
  source: fc.constantFrom('f', 'g'),
})

interface Seen {
  readonly answer: Answer
  readonly sources: readonly string[]
}

const sourcesAt = (model: ModelHost): readonly string[] => stackAt(model, A).map((id) => identityOf(model, id).source)

test('L26: every request that waited is answered by what is there when it is answered', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 16 }), (steps) => {
      const seen: Seen[] = []
      const played = begin({ settings: {}, propagation: 'shared', journal: 'at once' }, (happening, { model }) => {
        if (happening._tag === 'Told') seen.push({ answer: happening.answer, sources: sourcesAt(model) })
      })
      const { simulation, history } = played
      const asked = steps.map(({ op, volume, consumer, source }) => {
        const body = op === 'attach' ? attach({ ...TMPFS, source }, volume, consumer) : detach(volume, consumer)
        return { request: ask(simulation, body), op, source }
      })
      letOut(simulation, simulation.parcels.length)
      endAll(simulation)
      for (const { request, op, source } of asked) {
        const told = seen.find(({ answer }) => answer.request === request)
        expect(told).toBeDefined()
        if (told?.answer.ok !== true) continue
        const { result } = told.answer
        if (op === 'attach') expect(told.sources).toEqual([source])
        if (result._tag === 'Detached' && result.mount === 'unmounted') expect(told.sources).toEqual([])
        if (result._tag === 'Detached' && result.mount === 'held') expect(told.sources).toHaveLength(1)
      }
      expect(history.breaches).toEqual([])
    }),
    { numRuns: numRuns(300), seed: seed() },
  )
})
