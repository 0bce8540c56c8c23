// The host as a whole: the last wish wins (L36), one mountpoint holds up no other (L32), the number of others does not matter
// (L42), words do not matter (L40), and the same inputs are the same decisions (L46).

import type { CommandError, Decision, Input } from '@mountkeeper/core'
import { apply, decide, emptyHost, restore } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  act,
  ask,
  begin,
  letOut,
  NO_FAULT,
  newSimulation,
  pass,
  play,
  simulatedModelHost,
  simulatedSettings,
  usualWording,
} from '../../src/index.js'
import type { Action, Fault, Run, Simulation, Watch, Wording } from '../../src/index.js'
import { numRuns, runs, seed } from '../corpus.js'
import { A, attach, detach, endAll, NFS, serve, stage, TMPFS } from './stage.js'

const CANNOT_TELL: Fault = { _tag: 'CannotTell', worked: false }

test('L36: after any sequence of up and down the host is as the last one wished, once drained', () => {
  const wish = fc.constantFrom<Action>(
    { _tag: 'Ask', body: { op: 'host-up' } },
    { _tag: 'Ask', body: { op: 'host-down' } },
    { _tag: 'Ask', body: attach() },
    { _tag: 'Ask', body: detach() },
    { _tag: 'End', which: 0, fault: NO_FAULT },
    { _tag: 'End', which: 0, fault: CANNOT_TELL },
    { _tag: 'Pass', ms: undefined },
  )
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 30 }), (actions) => {
      const on = stage()
      for (const action of actions) act(on.simulation, action)
      const last = actions.findLast((action) => action._tag === 'Ask' && /^host-/.test(action.body.op))
      for (let round = 0; round < 5; round += 1) {
        endAll(on.simulation)
        pass(on.simulation, 200_000)
      }
      const phase = last?._tag === 'Ask' && last.body.op === 'host-down' ? 'down' : 'up'
      expect(serve(on, { op: 'status' })).toMatchObject({ ok: true, result: { phase } })
    }),
    { numRuns: numRuns(1_000), seed: seed() },
  )
})

test('L32: mountpoints and servers that hang for ever hold up no other', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      (servers, perServer, hanging, recovered) => {
        const on = stage({ slots: { hanging, perServer } })
        for (let server = 0; server < servers; server += 1) {
          act(on.simulation, { _tag: 'ThirdParty', act: { _tag: 'Behaves', server: `h${server}`, as: 'hangs' } })
          for (const name of ['p', 'q', 'r']) {
            ask(on.simulation, attach({ ...NFS, source: `h${server}:/f` }, 'v', 'c', `/srv/mounts/${name}${server}`))
          }
        }
        // Every effect of theirs ends in nothing but its deadline.
        const hang = (): void => {
          for (let count = 0; count < 200; count += 1) {
            const which = on.simulation.flights.findIndex(({ overdue }) => !overdue)
            if (which < 0) return
            act(on.simulation, { _tag: 'End', which, fault: NO_FAULT })
          }
        }
        hang()
        if (recovered) {
          act(on.simulation, { _tag: 'Crash', kept: 0, fates: ['lives and does nothing'], reboot: false })
          on.answers.length = 0
          ask(on.simulation, { op: 'host-up' })
          hang()
        }
        const began = on.simulation.at
        const good = serve(on, attach({ ...NFS, source: 'good:/f' }, 'v', 'c', '/srv/mounts/good'))
        expect([good.ok, serve(on, attach()).ok, on.simulation.at - began]).toEqual([true, true, 0])
        const stuck = on.simulation.flights.filter(({ effect }) => effect._tag === 'Mount').length
        expect(stuck).toBeLessThanOrEqual(servers * perServer)
      },
    ),
    { numRuns: 60, seed: seed() },
  )
})

test('L32: servers take turns, however much is asked of one of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }), (busy, perServer) => {
      const on = stage({ slots: { hanging: 1, perServer } })
      for (let at = 0; at < busy; at += 1) ask(on.simulation, attach(NFS, 'v', 'c', `/srv/mounts/busy${at}`))
      const request = ask(on.simulation, attach({ ...NFS, source: 'other:/f' }, 'v', 'c', '/srv/mounts/other'))
      for (let count = 0; count < busy + 1; count += 1) {
        endAll(on.simulation)
        letOut(on.simulation, on.simulation.parcels.length)
      }
      expect(on.answers.filter(({ op, ok }) => op === 'attach' && ok)).toHaveLength(busy + 1)
      const attaches = on.answers.filter(({ op }) => op === 'attach')
      // The one that had its slot already, and at most one that was in front.
      expect(attaches.findIndex((answer) => answer.request === request)).toBeLessThanOrEqual(2)
    }),
    { numRuns: 60, seed: seed() },
  )
})

test('L42: requests lead to the same effects and answers beside none and beside many', () => {
  const play1 = (others: number, holders: number): object => {
    const on = stage()
    for (let other = 0; other < others; other += 1) serve(on, attach(TMPFS, 'v', 'c', `/srv/mounts/other${other}`))
    for (let holder = 0; holder < holders; holder += 1) serve(on, attach(TMPFS, `v${holder}`, 'd'))
    const before = { started: on.started.length, answers: on.answers.length }
    serve(on, attach())
    serve(on, attach())
    serve(on, detach())
    return {
      started: on.started.slice(before.started),
      tags: on.answers.slice(before.answers).map(({ ok, op }) => [ok, op]),
    }
  }
  expect(play1(60, 1)).toEqual(play1(0, 1))
  expect(play1(0, 60)).toEqual(play1(0, 1))
  expect(play1(60, 0)).toEqual(play1(0, 0))
})

/** All decisions of a run, with what commands said left out. */
const decisionsOf = (run: Run, words: Wording): readonly string[] => {
  const decisions: string[] = []
  const watch: Watch = (happening) => {
    if (happening._tag !== 'Decided') return
    const { decision } = happening
    const isEvidence = (key: string): boolean =>
      key === 'error' || key === 'lastError' || key === 'why' || key === 'text'
    decisions.push(
      JSON.stringify(decision, (key, value: unknown) =>
        isEvidence(key) ? undefined : value instanceof Map || value instanceof Set ? [...value] : value,
      ),
    )
  }
  const simulation = newSimulation({
    settings: simulatedSettings(run.settings),
    model: simulatedModelHost(run.propagation),
    journal: run.journal,
    words,
    watch,
  })
  ask(simulation, { op: 'host-up' })
  act(simulation, { _tag: 'Durable', count: 9 })
  act(simulation, { _tag: 'End', which: 0, fault: NO_FAULT })
  act(simulation, { _tag: 'Durable', count: 9 })
  for (const action of run.actions) act(simulation, action)
  return decisions
}

const shouting: Wording = (effect, errno): CommandError => {
  const { command } = usualWording(effect, errno)
  return {
    command: [...command, 'not mounted'],
    signal: 'SIGSEGV',
    stderr: 'target is busy\nalready mounted, Permission denied',
  }
}

test('L40: other words, exit codes and signals lead to the same decisions', () => {
  fc.assert(
    fc.property(runs, (run) => {
      expect(decisionsOf(run, shouting)).toEqual(decisionsOf(run, usualWording))
    }),
    { numRuns: numRuns(300), seed: seed() },
  )
})

test('L46: the same inputs folded again are the same decisions, byte for byte', () => {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_key, each: unknown) => (each instanceof Map || each instanceof Set ? [...each] : each))
  fc.assert(
    fc.property(runs, (run) => {
      const settings = simulatedSettings(run.settings)
      const seen: {
        readonly input: Input | undefined
        readonly decision: Decision | undefined
        readonly facts: number
      }[] = []
      let simulation: Simulation | undefined
      const watch: Watch = (happening, now) => {
        simulation = now
        if (happening._tag === 'Decided') seen.push({ input: happening.input, decision: happening.decision, facts: 0 })
        if (happening._tag === 'Crashed')
          seen.push({ input: undefined, decision: undefined, facts: now.durable.length })
      }
      play(run, watch)
      let host = emptyHost(settings)
      for (const { input, decision, facts } of seen) {
        if (input === undefined) {
          host = restore(settings, simulation?.durable.slice(0, facts) ?? [])
          continue
        }
        const again = decide(host, input)
        expect(text(again)).toBe(text(decision))
        apply(host, again)
      }
    }),
    { numRuns: numRuns(500), seed: seed() },
  )
})

test('a run is a value: played twice it is the same', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const told = (): string[] => {
        const lines: string[] = []
        play(
          run,
          (happening) =>
            void lines.push(JSON.stringify(happening._tag === 'Decided' ? happening.input : happening._tag)),
        )
        return lines
      }
      expect(told()).toEqual(told())
    }),
    { numRuns: numRuns(100), seed: seed() },
  )
})

test('the host that a run begins with is up', () => {
  const { history } = begin({ settings: {}, propagation: 'shared', journal: 'behind' })
  expect([...history.answered.values()]).toMatchObject([{ ok: true, result: { _tag: 'Up', generation: 1 } }])
  expect(A.startsWith('/srv/mounts/')).toBe(true)
})
