// The manager with the real core, in front of a journal that writes down what is durable: whatever leaves is judged by those facts
// alone, in every order in which appends, effects and requests can come to their end.

import type { Answer, AttachRequest, Discover, Fact, MountpointEffect, Request } from '@mountkeeper/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMountManager } from '../src/index.js'
import type { Journal, MountManager, MountManagerOptions } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { settled, virtualTimers } from './world.js'

const ROOT = '/srv/mounts'
const MOUNTPOINTS = [`${ROOT}/a`, `${ROOT}/b`]
const CONSUMERS = ['vm-1', 'vm-2', 'vm-3']

const attach = (mountpoint: string, consumer: string): AttachRequest => ({
  op: 'attach',
  mountpoint,
  filesystem: { type: 'tmpfs', source: 'tmpfs', options: [] },
  volume: 'volume-1',
  consumer,
})

const requests = fc.array(
  fc.record({
    op: fc.constantFrom('attach' as const, 'attach' as const, 'detach' as const, 'release' as const),
    mountpoint: fc.constantFrom(...MOUNTPOINTS),
    consumer: fc.constantFrom(...CONSUMERS),
  }),
  { minLength: 1, maxLength: 10 },
)

const requestOf = ({ op, mountpoint, consumer }: { op: string; mountpoint: string; consumer: string }): Request => {
  if (op === 'attach') return attach(mountpoint, consumer)
  return op === 'detach'
    ? { op, mountpoint, volume: 'volume-1', consumer }
    : ({ op: 'release', consumer } satisfies Request)
}

/** The last fact of one of these kinds that says something of this place. */
const lastOf = (facts: readonly Fact[], kinds: readonly Fact['_tag'][], where: object): Fact['_tag'] | undefined =>
  facts.findLast(
    (fact) =>
      kinds.includes(fact._tag) &&
      Object.entries(where).every(([field, value]) => (fact as unknown as Record<string, unknown>)[field] === value),
  )?._tag

/** A journal whose appends end when the scheduler lets them, each with all before it. The append number `failAt` fails. */
const recordingJournal = (scheduler: fc.Scheduler, failAt: number | null) => {
  const appended: Fact[] = []
  const seen = { durable: [] as readonly Fact[], failed: false }
  let appends = 0
  const append: Journal['append'] = (facts) => async () => {
    appended.push(...facts)
    const upTo = appended.length
    const number = appends
    appends += 1
    await scheduler.schedule(Promise.resolve(), `append ${number}`)
    if (seen.failed || number === failAt) {
      seen.failed = true
      return { _tag: 'Left', left: { _tag: 'JournalFailed', why: 'planned' } }
    }
    if (upTo > seen.durable.length) seen.durable = appended.slice(0, upTo)
    return { _tag: 'Right', right: undefined }
  }
  const read: Journal['read'] = () => Promise.resolve({ _tag: 'Right', right: [] })
  return { journal: { read, append }, seen, appended }
}

/** What an effect needs to have on the disk before it begins. */
const missingFor = (durable: readonly Fact[], effect: MountpointEffect | Discover): string | undefined => {
  if (effect._tag === 'Mount' || effect._tag === 'MakeDirectory') {
    const { mountpoint } = effect
    return lastOf(durable, ['Claimed', 'ClaimEnded'], { mountpoint }) === 'Claimed' ? undefined : 'a claim'
  }
  if (effect._tag === 'Unmount') {
    const { mountpoint } = effect
    return lastOf(durable, ['Unmounting', 'Mounted'], { mountpoint }) === 'Unmounting' ? undefined : 'the unmount'
  }
  return undefined
}

/** What an answer promises. */
const missingIn = (durable: readonly Fact[], answer: Answer, asked: Request): string | undefined => {
  if (!answer.ok || (asked.op !== 'attach' && asked.op !== 'detach')) return undefined
  const { mountpoint, volume, consumer } = asked
  const last = lastOf(durable, ['Held', 'Left'], { mountpoint, volume, consumer })
  if (asked.op === 'attach') return last === 'Held' ? undefined : 'the holder'
  return last === 'Held' ? 'the end of the holder' : undefined
}

test('answers and effects of the real manager leave only after what they say is durable, and all before it', async () => {
  const left = { answers: 0, effects: 0, failures: 0 }
  const property = async (
    scheduler: fc.Scheduler,
    wanted: readonly Request[],
    failAt: number | null,
  ): Promise<void> => {
    const { journal, seen, appended } = recordingJournal(scheduler, failAt)
    const host = createModelHost([ROOT])
    const early: string[] = []
    /** How many facts there were after the decision that an effect, or an answer, comes from. */
    const factsUpTo = new Map<string, number>()
    let decided = 0
    const mayLeave = (name: string, missing: string | undefined): void => {
      if (seen.failed) early.push(`${name} left after the journal had failed`)
      const needed = factsUpTo.get(name) ?? 0
      if (needed > seen.durable.length) early.push(`${name} left at ${seen.durable.length} of ${needed} facts`)
      if (missing !== undefined) early.push(`${name} left without ${missing}`)
    }
    const options: MountManagerOptions = {
      settings: SETTINGS,
      timers: virtualTimers(),
      journal,
      host: {
        run: async (effect) => {
          mayLeave(`effect ${effect.effect}`, missingFor(seen.durable, effect))
          left.effects += 1
          await scheduler.schedule(Promise.resolve(), effect._tag)
          return host.run(effect)
        },
      },
      observer: {
        onDecision: (_input, { append, then: { effects, answers } }) => {
          decided += append.length
          for (const { effect } of effects) factsUpTo.set(`effect ${effect}`, decided)
          for (const { request } of answers) factsUpTo.set(`answer ${request}`, decided)
        },
      },
    }
    const manager = await managerOf(options)
    const ask = async (request: Request, index: number): Promise<void> => {
      await scheduler.schedule(Promise.resolve(), `request ${index}`)
      const answer = await manager.submit(request)
      if (!answer.ok && answer.error._tag === 'Stopped') return
      left.answers += 1
      // Another one of the same pair may have been decided, and become durable, in the same moment.
      const isAlone = wanted.filter((other) => samePair(other, request)).length === 1
      mayLeave(`answer ${answer.request}`, isAlone ? missingIn(seen.durable, answer, request) : undefined)
    }
    const up = manager.hostUp()()
    const asked = wanted.map(ask)
    await scheduler.waitFor(Promise.all([up, ...asked]))
    await settled()
    expect(early).toEqual([])
    expect(decided).toBe(appended.length)
    if (seen.failed) {
      left.failures += 1
      expect(await manager.ended).toMatchObject({ _tag: 'JournalFailed' })
    }
  }
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      requests.map((all) => all.map(requestOf)),
      fc.option(fc.nat({ max: 8 })),
      property,
    ),
    { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 200) },
  )
  expect(Math.min(...Object.values(left))).toBeGreaterThan(0)
})

const managerOf = async (options: MountManagerOptions): Promise<MountManager> => {
  const created = await createMountManager(options)()
  if (created._tag === 'Left') throw new Error(created.left.why)
  return created.right
}

const samePair = (one: Request, other: Request): boolean =>
  'consumer' in one && 'consumer' in other && one.consumer === other.consumer
