import { right } from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { effectId, emptyHost } from '@mountkeeper/core'
import type { Answer, Effect, Host, Input, RequestId } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { createLoop } from '../src/index.js'
import type { Core } from '../src/index.js'
import { SETTINGS } from './settings.js'
import { ask, factOf, good, settled, virtualTimers } from './world.js'

// The rules of the driver, judged from outside: by what the journal, the port and the callers see.

/** What the core is to do with a request: `steps` effects one after the other, and at which steps a fact is made. */
interface Plan {
  readonly steps: number
  readonly facts: readonly boolean[]
}

const plans = fc.array(
  fc.record({ steps: fc.nat({ max: 3 }), facts: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }) }),
  {
    minLength: 1,
    maxLength: 8,
  },
)

/** Each decision gets a number; all that leaves carries the number of the decision it comes from. */
const numbering = (wanted: readonly Plan[]) => {
  let decisions = 0
  const factsUpTo: number[] = []
  let facts = 0
  const decisionOf = { answer: new Map<RequestId, number>(), effect: new Map<number, number>() }
  const progress = new Map<number, { readonly request: RequestId; readonly plan: Plan; readonly step: number }>()
  const next = (input: Input) => {
    if (input._tag === 'Requested') return { request: input.request, plan: wanted[Number(input.body.id)]!, step: 0 }
    return input._tag === 'Outcome' ? progress.get(input.effect) : undefined
  }
  const decide: Core['decide'] = (_host: Host, input: Input) => {
    const number = decisions
    decisions += 1
    const at = next(input)
    const answers: Answer[] = []
    const effects: Effect[] = []
    const made = at?.plan.facts[at.step] === true ? [factOf(`${facts}`)] : []
    facts += made.length
    factsUpTo[number] = facts
    if (at !== undefined && at.step < at.plan.steps) {
      const id = number + 1
      progress.set(id, { ...at, step: at.step + 1 })
      decisionOf.effect.set(id, number)
      effects.push({
        _tag: 'RemoveDirectory',
        effect: effectId(id),
        mountpoint: `/srv/mounts/${at.request}`,
        root: undefined,
        deadlineMs: 1,
      })
    } else if (at !== undefined) {
      decisionOf.answer.set(at.request, number)
      answers.push(good(at.request))
    }
    return { changes: [], append: made, then: { answers, effects } }
  }
  return { core: { decide, apply: () => undefined, grantable: () => undefined }, factsUpTo, decisionOf }
}

test('facts are durable before answers and effects, and each request has one answer, in any order of events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, fc.option(fc.nat({ max: 6 })), async (scheduler, wanted, failAt) => {
      const { core, factsUpTo, decisionOf } = numbering(wanted)
      let appends = 0
      let appended = 0
      let durable = 0
      let failed = false
      const early: string[] = []
      const mayLeave = (decision: number, what: string): void => {
        if (failed) early.push(`${what} left after the journal had failed`)
        if (factsUpTo[decision]! > durable) early.push(`${what} left at ${durable} of ${factsUpTo[decision]!} facts`)
      }
      const loop = createLoop({
        host: emptyHost(SETTINGS),
        core,
        timers: virtualTimers(),
        journal: {
          append: (facts) => async () => {
            appended += facts.length
            const upTo = appended
            const number = appends
            appends += 1
            await scheduler.schedule(Promise.resolve(), `append ${number}`)
            if (failed || number === failAt) {
              failed = true
              return { _tag: 'Left', left: { _tag: 'JournalFailed', why: 'planned' } } as const
            }
            // What is durable is a prefix of the facts: an append that ends has all before it on the disk.
            durable = Math.max(durable, upTo)
            return right(undefined)
          },
        },
        port: {
          run: async (effect) => {
            mayLeave(decisionOf.effect.get(effect.effect)!, `effect ${effect.effect}`)
            await scheduler.schedule(Promise.resolve(), `effect ${effect.effect}`)
            return { found: { _tag: 'NoDirectory' } }
          },
        },
      })
      const answers: Answer[] = []
      const asked = wanted.map(async (_, index) => {
        await scheduler.schedule(Promise.resolve(), `request ${index}`)
        const answer = await loop.submit(ask(`${index}`))
        if (answer.ok) mayLeave(decisionOf.answer.get(answer.request)!, `answer ${index}`)
        answers.push(answer)
      })
      await scheduler.waitFor(Promise.all(asked))
      await settled()
      expect(early).toEqual([])
      expect(answers).toHaveLength(wanted.length)
      expect(new Set(answers.map(({ request }) => request)).size).toBe(wanted.length)
      if (answers.some(({ ok }) => !ok)) expect(await loop.ended).toMatchObject({ _tag: 'JournalFailed' })
    }),
    { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 200) },
  )
})
