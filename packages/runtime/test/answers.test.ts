import * as fc from 'fast-check'
import type { Answer, Request } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { createMemoryJournal, createMountManager } from '../src/index.js'
import type { Defect, HostPort, Operation, Refusals, Report, Results } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { settled, virtualTimers } from './world.js'

// The real core behind the whole manager, on a host that fails, hangs and misreports.

/** The table of operations.ts as values: the compiler checks that nothing here is missing there, the runs the reverse. */
const RESULTS = {
  attach: ['Attached'],
  detach: ['Detached'],
  release: ['Released'],
  cancel: ['CancelSent'],
  'host-up': ['Up'],
  'host-down': ['Down'],
  status: ['Status'],
  reconcile: ['Reconciled'],
  retry: ['Retried'],
  forget: ['Forgotten'],
  'refuse-new': ['Refusing'],
  'allow-new': ['Allowing'],
} satisfies { [Op in Operation]: readonly Results[Op]['_tag'][] }

const LEAVING = ['Invalid', 'NotManaged', 'HostDown', 'Overloaded', 'Cancelled', 'Stopped'] as const

const REFUSALS = {
  attach: [...LEAVING, 'Conflict', 'Foreign', 'MountFailed', 'Broken', 'Uncertain', 'Maintenance'],
  detach: LEAVING,
  release: LEAVING,
  cancel: ['TooLate', 'NotFound', 'Invalid', 'Stopped'],
  'host-up': ['DiscoveryFailed', 'Superseded', 'Invalid', 'Cancelled', 'Stopped'],
  'host-down': ['Invalid', 'Stopped'],
  status: ['Invalid', 'Stopped'],
  reconcile: ['HostDown', 'Uncertain', 'Invalid', 'Cancelled', 'Stopped'],
  retry: ['HostDown', 'NotFound', 'Invalid', 'Stopped'],
  forget: ['InUse', 'NotFound', 'InFlight', 'Invalid', 'Stopped'],
  'refuse-new': ['NotManaged', 'Invalid', 'Stopped'],
  'allow-new': ['NotManaged', 'Invalid', 'Stopped'],
} satisfies { [Op in Operation]: readonly Refusals[Op]['_tag'][] }

const ROOT = '/srv/mounts'

const mountpoint = fc.constantFrom(`${ROOT}/a`, `${ROOT}/b`, `${ROOT}/a/below`, '/elsewhere')
const consumer = fc.constantFrom('vm-1', 'vm-2')
const volume = fc.constantFrom('volume-1', 'volume-2')
const id = fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined, freq: 2 })
const filesystem = fc.constantFrom('size=1m', 'size=2m').map((option) => ({
  type: 'tmpfs',
  source: 'tmpfs',
  options: [option],
}))

const body = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('attach' as const), mountpoint, filesystem, volume, consumer }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('detach' as const), mountpoint, volume, consumer }) },
  fc.record({ op: fc.constant('release' as const), consumer }),
  fc.record({ op: fc.constant('cancel' as const), target: fc.constantFrom('1', '2', '3') }),
  fc.constantFrom<Request>({ op: 'host-up' }, { op: 'host-down' }, { op: 'status' }),
  fc.record({ op: fc.constant('reconcile' as const), apply: fc.boolean() }),
  fc.record({ op: fc.constant('retry' as const), mountpoint }),
  fc.record({ op: fc.constant('forget' as const), mountpoint, force: fc.boolean() }),
  fc.record({ op: fc.constant('refuse-new' as const), mountpoint }),
  fc.record({ op: fc.constant('allow-new' as const), mountpoint }),
)

type Fate = 'well' | 'fails' | 'hangs' | 'misreports'

interface Moment {
  readonly body: Request
  readonly id: string | undefined
  readonly passMs: number
}

const moments = fc.array(
  fc.record({ body, id, passMs: fc.constantFrom(0, 0, 0, 1, 700, 60_000) }) satisfies fc.Arbitrary<Moment>,
  { minLength: 1, maxLength: 25 },
)

const fates = fc.infiniteStream(
  fc.oneof({ weight: 8, arbitrary: fc.constant<Fate>('well') }, fc.constantFrom<Fate>('fails', 'hangs', 'misreports')),
)

/** Runs effects on the model, each with its fate; what hangs reports at its deadline and ends half a minute later. */
const faultyPort = (fated: Iterator<Fate>, timers: ReturnType<typeof virtualTimers>): HostPort => {
  const host = createModelHost([ROOT])
  const error = { command: ['mount'], exitStatus: 32, stderr: 'no' }
  return {
    run: async (effect) => {
      const fate = (fated.next().value as Fate | undefined) ?? 'well'
      if (fate === 'well') return host.run(effect)
      if (fate === 'misreports') return { ...(await host.run(effect)), error }
      if (fate === 'fails') {
        if (effect._tag === 'Discover') return { found: { _tag: 'NotDiscovered', reason: 'no table' } }
        const { deadlineMs } = effect
        return { ...(await host.run({ ...look(effect.mountpoint), deadlineMs })), error }
      }
      return new Promise<Report>((resolve) => {
        void timers.after(effect.deadlineMs, () => {
          const ended = new Promise<void>(
            (end) => void timers.after(30_000, () => void host.run(effect).then(() => end())),
          )
          resolve({ found: { _tag: 'Unknown', why: 'TimedOut' }, error, ended })
        })
      })
    },
  }
}

const look = (at: string) =>
  ({ _tag: 'Look', effect: 0 as never, mountpoint: at, filesystem: undefined, root: undefined, deadlineMs: 1 }) as const

test('each request has one answer, in the words of its operation, whatever the host does; and then the manager can end', async () => {
  const refused = new Set<string>()
  await fc.assert(
    fc.asyncProperty(moments, fates, async (asked, fated) => {
      const timers = virtualTimers()
      const defects: Defect[] = []
      const created = await createMountManager({
        settings: SETTINGS,
        host: faultyPort(fated[Symbol.iterator](), timers),
        journal: createMemoryJournal(),
        timers,
        onDefect: (defect) => void defects.push(defect),
      })()
      if (created._tag === 'Left') throw new Error(created.left.why)
      const manager = created.right
      const answers: Answer[] = []
      void manager.submit({ op: 'host-up' })
      for (const { body: request, id: name, passMs } of asked) {
        void manager
          .submit(name === undefined ? request : { ...request, id: name })
          .then((answer) => answers.push(answer))
        if (passMs > 0) await timers.advance(passMs)
      }
      await timers.advance(400_000)
      expect(defects).toEqual([])
      expect(answers).toHaveLength(asked.length)
      for (const answer of answers) {
        if (answer.ok) expect(RESULTS[answer.op]).toContain(answer.result._tag)
        else {
          expect(REFUSALS[answer.op ?? 'attach']).toContain(answer.error._tag)
          refused.add(`${answer.op ?? ''} ${answer.error._tag}`)
        }
      }
      const stop = manager.stop()
      await settled()
      await timers.advance(10_000)
      expect((await stop).ending).toEqual({ _tag: 'Drained' })
      expect(timers.waiting()).toBeLessThanOrEqual(1 + manager.state.mountpoints.size * 2)
    }),
    { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 60) },
  )
  expect(refused.size).toBeGreaterThan(10)
}, 60_000)
