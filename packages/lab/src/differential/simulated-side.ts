// The manager on the simulated host, in virtual time.

import type { Settings } from '@mountkeeper/core'
import type { HostPort } from '@mountkeeper/runtime'
import { EXPORTS, ROOT, createSimulatedHost, makePath } from '@mountkeeper/simulator'
import { modelShows, newModelSide } from '../fidelity/model-side.js'
import { simulatedFault } from './planted.js'
import { shownBelow } from './shown.js'
import type { Side } from './side.js'

/** Steps of virtual time while an answer is awaited, ms, and how many at most. */
const STEP_MS = 20
const STEPS_MAX = 10_000

/** A fresh simulated host. */
export const simulatedSide = (settings: Settings): Promise<Side> => {
  const { host: bare, place } = newModelSide([])
  const paths = [ROOT, `${EXPORTS}/f`, `${EXPORTS}/g`]
  const model = paths.reduce((host, path) => makePath(host, host.own, path, 'others'), bare)
  const host = createSimulatedHost({ settings, model })
  const waiting: string[] = []
  let begun = true
  let faulty = ''
  let goOn: () => void = () => undefined
  const run: HostPort['run'] = (effect) => {
    if (effect._tag === faulty) begun = true
    const index = waiting.indexOf(effect._tag)
    if (index < 0) return host.run(effect)
    waiting.splice(index, 1)
    return new Promise((report) => {
      goOn = () => void host.run(effect).then(report)
    })
  }
  const until: Side['until'] = async (promise) => {
    const wait = { isOver: false }
    void promise.then(() => (wait.isOver = true))
    await host.timers.settle()
    for (let steps = 0; !wait.isOver; steps += 1) {
      if (steps === STEPS_MAX) throw new Error('nothing happens on the simulated host')
      await host.timers.pass(STEP_MS)
    }
  }
  return Promise.resolve({
    start: (observer) => host.start({ host: { run }, observer }),
    // The next one to be started takes over.
    kill: () => Promise.resolve(),
    interfere: (act) => {
      host.interfere(act)
      return Promise.resolve()
    },
    fault: (effect, planted, times) => {
      const { fault, waits } = simulatedFault(planted)
      faulty = effect
      begun = false
      if (waits === true) for (let left = times; left > 0; left -= 1) waiting.push(effect)
      else host.inject({ effect, fault, times })
    },
    pass: host.timers.pass,
    begun: async () => {
      for (let steps = 0; !begun; steps += 1) {
        if (steps === STEPS_MAX) throw new Error('the effect with the fault does not begin')
        await host.timers.pass(STEP_MS)
      }
    },
    goOn: () => goOn(),
    until,
    shown: () => Promise.resolve(shownBelow(ROOT, modelShows(host.model(), {}, place))),
    facts: () => host.journal.facts,
    end: () => Promise.resolve(),
  })
}
