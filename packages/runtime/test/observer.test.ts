import type { Input } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import type { Observer } from '../src/index.js'
import { ask, delay, good, look, settled, world } from './world.js'
import type { Part } from './world.js'

const script = (input: Input): Part => {
  if (input._tag === 'Requested')
    return { facts: ['f'], effects: [look(1), delay(2, 50, undefined)], answers: [good(input.request)] }
  return {}
}

test('sees decisions, answers, starts and reports in the order in which they happen', async () => {
  const seen: string[] = []
  const observer: Observer = {
    onBegin: (host) => seen.push(`begin ${host.phase}`),
    onDecision: (input, { append }) => seen.push(`decide ${input._tag} ${append.length}`),
    onEffectStarted: (effect) => seen.push(`start ${effect._tag}`),
    onReport: (effect, { found }, startedAt, endedAt) =>
      seen.push(`report ${effect._tag} ${found._tag} ${endedAt - startedAt}`),
    onAnswer: ({ request }) => seen.push(`answer ${request}`),
  }
  const { loop, journal, port, timers } = world(script, { observer, journal: 'by hand' })
  void loop.submit(ask('1'))
  await settled()
  expect(seen).toEqual(['begin down', 'decide Requested 1'])
  await journal.keep()
  await timers.advance(20)
  port.running.get(1)!.report({ found: { _tag: 'Directory' } })
  await settled()
  await timers.advance(50)
  expect(seen.slice(2)).toEqual([
    'answer 1',
    'start Look',
    'start Wait',
    'report Look Directory 20',
    'decide Outcome 0',
    'decide Outcome 0',
  ])
})

test('sees the answer before its caller goes on', async () => {
  const seen: string[] = []
  const { loop } = world(script, { observer: { onAnswer: () => seen.push('observer') } })
  await loop.submit(ask('1')).then(() => seen.push('caller'))
  expect(seen).toEqual(['observer', 'caller'])
})
