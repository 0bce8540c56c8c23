// The conformance kit: it passes for the ports of this repository that need no host, and fails by name for broken ones.

import type { Found } from '@mountkeeper/core'
import type { HostPort, InventoryNews, Report } from '@mountkeeper/runtime'
import { createMemoryJournal } from '@mountkeeper/runtime'
import { describe, expect, test } from 'vitest'
import type { InventorySubject, JournalSubject, PortCase } from '../src/conformance/index.js'
import { hostPortTests, portTests, simulatedSubject } from '../src/conformance/index.js'
import type { SimulatedHost } from '../src/index.js'

const memoryJournal = (): Promise<JournalSubject> => {
  const journal = createMemoryJournal()
  return Promise.resolve({
    journal,
    reopen: () => Promise.resolve(createMemoryJournal(journal.facts)),
    close: () => Promise.resolve(),
  })
}

const file = { path: '/srv/mounts/a/disk', volume: 'vol-1', consumer: 'vm-1' }

/** An authority that answers while it is there. */
const inventoryOf = (withoutOne: 'fails' | 'says nothing is in use'): Promise<InventorySubject> => {
  const listeners = new Set<(news: InventoryNews) => void>()
  let isThere = true
  const becomes = (there: boolean, news: InventoryNews): Promise<void> => {
    isThere = there
    for (const listener of listeners) listener(news)
    return Promise.resolve()
  }
  return Promise.resolve({
    inventory: {
      ask: () => () =>
        Promise.resolve(
          isThere || withoutOne !== 'fails'
            ? { _tag: 'Right', right: { startedAt: 1, files: isThere ? [file] : [] } }
            : { _tag: 'Left', left: { _tag: 'InventoryFailed', why: 'it does not answer' } },
        ),
      watch: (listener) => {
        listeners.add(listener)
        listener({ _tag: 'Back' })
        return () => void listeners.delete(listener)
      },
    },
    lose: () => becomes(false, { _tag: 'Lost', why: 'it ended' }),
    regain: () => becomes(true, { _tag: 'Back' }),
    close: () => Promise.resolve(),
  })
}

const sound = portTests({
  host: () => simulatedSubject(),
  journal: memoryJournal,
  inventory: () => inventoryOf('fails'),
})

test.each(sound)('$law $name', ({ run }) => run())

/** What the cases that failed said, by their names. */
const failures = async (cases: readonly PortCase[]): Promise<Readonly<Record<string, string>>> => {
  const said: Record<string, string> = {}
  for (const { name, run } of cases) await run().catch((error: unknown) => (said[name] = (error as Error).message))
  return said
}

type Kind = Parameters<HostPort['run']>[0]['_tag']

/** A port that does something else for one kind of effect. */
const instead =
  (kind: Kind, run: (host: SimulatedHost, ...asked: Parameters<HostPort['run']>) => unknown) =>
  (host: SimulatedHost): HostPort => ({
    run: (effect, started) => (effect._tag === kind ? run(host, effect, started) : host.run(effect)) as Promise<Report>,
  })

const twice = (report: Promise<Report>) => ({
  then: (give: (report: Report) => void) =>
    void report.then((given) => {
      give(given)
      give(given)
    }),
})

const cached = (host: SimulatedHost): HostPort => {
  const looks = new Map<string, Promise<Report>>()
  const run = (effect: Parameters<HostPort['run']>[0]): Promise<Report> => {
    if (effect._tag !== 'Look') return host.run(effect)
    const look = looks.get(effect.mountpoint) ?? host.run(effect)
    looks.set(effect.mountpoint, look)
    return look
  }
  return { run }
}

const bottomFirst = (found: Report['found']): Report['found'] =>
  found._tag === 'Mounted' ? ({ ...found, layers: found.layers.toReversed() } satisfies Found) : found

const withoutEnded = ({ ended: _ended, ...report }: Report): Report => report

const BROKEN: readonly (readonly [string, (host: SimulatedHost) => HostPort, string, string])[] = [
  [
    'resolves {}',
    instead('Probe', () => Promise.resolve({})),
    'every outcome says what was found',
    'Probe /srv/mounts/conformance reported {}, without what was found',
  ],
  [
    'an unknown tag',
    instead('Probe', () => Promise.resolve({ found: { _tag: 'Fine' } })),
    'what was found is in words that the core knows',
    'which no core understands',
  ],
  [
    'never settles',
    instead('Probe', () => new Promise(() => undefined)),
    'every effect settles by its deadline',
    'Probe /srv/mounts/conformance gave no outcome by its deadline',
  ],
  [
    'throws synchronously',
    instead('Probe', () => {
      throw new Error('no stat here')
    }),
    'run neither throws nor rejects',
    'threw no stat here',
  ],
  [
    'two outcomes',
    instead('Probe', (host, effect) => twice(host.run(effect))),
    'every effect has one outcome',
    'gave 2 outcomes',
  ],
  [
    'the outcome before the start',
    instead('MakeDirectory', (host, effect) => {
      setImmediate(() => void host.run(effect))
      return Promise.resolve({ found: { _tag: 'Directory' } })
    }),
    'the outcome comes after the work',
    'and a look at once after that shows {"_tag":"NoDirectory"}',
  ],
  [
    'a process that is named after the outcome',
    instead('Probe', (host, effect, started) => {
      setImmediate(() => started?.(4711))
      return host.run(effect)
    }),
    'no process is named after the outcome',
    'named a process of it afterwards',
  ],
  [
    'ended is missing',
    instead('Mount', async (host, effect) => withoutEnded(await host.run(effect))),
    'what passed its deadline says when it has ended',
    'without ended',
  ],
  [
    'layers bottom first',
    instead('Look', async (host, effect) => {
      const report = await host.run(effect)
      return { ...report, found: bottomFirst(report.found) }
    }),
    'a look shows all layers, top first',
    'shows 2 layers with ours at 0',
  ],
  ['a look from a cache', cached, 'every look looks again', 'after a directory was made the look shows'],
  [
    'a false answer about rmdir',
    instead('RemoveDirectory', async (host, effect) => {
      await host.run(effect)
      return { found: { _tag: 'NoDirectory' } }
    }),
    'a directory with contents stays, and is reported as it is',
    'is still there, and its removal was reported as',
  ],
]

describe('a broken host port fails the one case that is about it', () => {
  test.each(BROKEN)('%s', async (_what, wrap, name, said) => {
    const failed = await failures(hostPortTests(() => simulatedSubject(wrap)))
    expect(Object.keys(failed)).toEqual([name])
    expect(failed[name]).toContain(said)
    expect(failed[name]).toContain(`It breaks the promise "${name}"`)
  })
})

test('a journal that forgets is found out', async () => {
  const forgets = (): Promise<JournalSubject> =>
    memoryJournal().then((subject) => ({ ...subject, reopen: () => Promise.resolve(createMemoryJournal()) }))
  expect(Object.keys(await failures(portTests({ journal: forgets })))).toEqual([
    'journal: the next life reads what was appended, oldest first',
    'journal: appends that overlap keep the order of their calls',
  ])
})

test('an inventory that says nothing is in use, when it cannot know, is found out', async () => {
  const failed = await failures(portTests({ inventory: () => inventoryOf('says nothing is in use') }))
  expect(Object.keys(failed)).toEqual([
    'inventory: an authority that does not answer is a failure, never an empty answer',
  ])
})

test('a case has a limit of its own', async () => {
  const never = (): Promise<never> => new Promise(() => undefined)
  const silent: JournalSubject = {
    journal: { read: never, append: () => never },
    reopen: never,
    close: () => Promise.resolve(),
  }
  const failed = await failures(portTests({ journal: () => Promise.resolve(silent) }, { limitMs: 20 }))
  expect(Object.values(failed)).toHaveLength(3)
  expect(Object.values(failed)[0]).toContain('the port was not done after 20 ms')
})
