// The whole manager on a simulated host, with real promises and virtual time: random requests at the same time, random faults.

import type { Answer } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSimulatedHost, fault, MOUNTPOINTS, plainRequest, simulatedSettings } from '../src/index.js'
import type { Injection } from '../src/index.js'
import { numRuns, seed } from './corpus.js'
import { NFS, TMPFS } from './laws/stage.js'

const injection: fc.Arbitrary<Injection> = fc.record({
  effect: fc.constantFrom('Look', 'MakeDirectory', 'Mount', 'Unmount', 'RemoveDirectory', 'Probe'),
  mountpoint: fc.constantFrom(...MOUNTPOINTS),
  // One that never ends owns its mountpoint for ever, and rightly so.
  fault: fault.map((each) => (each._tag === 'Hangs' ? { ...each, endsAfterMs: each.endsAfterMs ?? 30_000 } : each)),
})

/** Layers that no manager may take off: they are not what was asked for, or not the one that is on record. */
const STRAYS = new Set(['WrongFilesystem', 'Twice', 'Unchecked'])

test('L45 L47: whatever fails, every request is answered once, and nothing is left when all have gone', async () => {
  const requests = fc.array(plainRequest(fc.constantFrom(TMPFS, NFS)), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.array(injection, { maxLength: 8 }), requests, async (injections, asked) => {
      const host = createSimulatedHost({ settings: simulatedSettings({ slots: { hanging: 2, perServer: 1 } }) })
      const defects: string[] = []
      const manager = await host.start({ onDefect: ({ why }) => void defects.push(why) })
      injections.forEach(host.inject)
      const answers: Answer[] = []
      const all = asked.map(async (request) => void answers.push(await manager.submit(request)))
      await host.timers.pass(400_000)
      await Promise.race([Promise.all(all), host.timers.settle()])
      expect(answers).toHaveLength(asked.length)
      const leaving = ['c', 'c v', 'd'].map((consumer) => manager.release({ consumer })())
      await host.timers.pass(2_000_000)
      expect(await Promise.race([Promise.all(leaving), host.timers.settle()])).toHaveLength(3)
      expect(defects).toEqual([])
      if (injections.some(({ fault: { _tag } }) => STRAYS.has(_tag))) return
      expect(await manager.status()()).toMatchObject({ right: { mountpoints: [] } })
      expect(MOUNTPOINTS.map(host.at)).toEqual(MOUNTPOINTS.map(() => ({ layers: [], directory: 'none' })))
    }),
    { numRuns: numRuns(300), seed: seed() },
  )
})
