// Every phase of a mountpoint, and every kind of input: what follows stands, row by row, in test-fixtures/tables/phase-input.txt.
// UPDATE_TRANSCRIPTS=1 rewrites it. And what belongs to nothing changes nothing, in every phase.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import type { Effect, EffectFound, Input } from '../src/index.js'
import { decide, effectId, requestId } from '../src/index.js'
import { perform } from './transcript/directive.js'
import type { Reached } from './transcript/phases.js'
import { PHASES } from './transcript/phases.js'
import type { Story } from './transcript/story.js'
import { feed, hostOf, newStory, tick } from './transcript/story.js'

const AT = '/srv/mounts/a'
const folder = join(import.meta.dirname, '../../../test-fixtures/tables')
const file = join(folder, 'phase-input.txt')

const reach = ({ script }: Reached): Story => {
  const story = newStory()
  for (const directive of script) perform(story, directive)
  return story
}

const phaseAt = (story: Story): string => hostOf(story).mountpoints.get(AT)?.record.phase ?? 'no record'

interface Row {
  readonly input: string
  readonly give: (story: Story) => void
}

const said = (input: string, directive: string): Row => ({
  input,
  give: (story) => {
    perform(story, directive)
  },
})

const ALWAYS: readonly Row[] = [
  said('attach, same filesystem', 'attach a tmpfs:scratch vol-9 vm-9'),
  said('attach, same attachment', 'attach a tmpfs:scratch vol-1 vm-1'),
  said('attach, other filesystem', 'attach a tmpfs:other vol-9 vm-9'),
  said('detach', 'detach a vol-1 vm-1'),
  said('detach by a stranger', 'detach a vol-9 vm-9'),
  said('release', 'release vm-1'),
  said('cancel', 'cancel x'),
  said('retry', 'retry a'),
  said('forget', 'forget a'),
  said('forget force', 'forget a force'),
  said('observed', 'observed a'),
  said('granted', 'grant a'),
]

const ENDS: readonly Row[] = [
  said('host-down', 'host-down'),
  said('host-up', 'host-up'),
  said('stop drain', 'stop drain'),
  said('stop hard', 'stop hard'),
]

const NOTHING = effectId(999)

const strangers = (story: Story): readonly Input[] => {
  const at = tick(story)
  const outcome = { _tag: 'Outcome', at, effect: NOTHING, mountpoint: AT } as const
  return [
    { ...outcome, found: { _tag: 'Directory' } },
    { ...outcome, found: { _tag: 'Elapsed' } },
    { _tag: 'Ended', at, effect: NOTHING, mountpoint: AT },
    { _tag: 'Deadline', at, request: requestId(999) },
  ]
}

const waitingAt = (story: Story): number | undefined => hostOf(story).mountpoints.get(AT)?.record.waiting[0]?.request

const rowsOf = (reached: Reached): readonly Row[] => {
  const story = reach(reached)
  const wait = hostOf(story).mountpoints.get(AT)?.record.wait
  const waiting = waitingAt(story)
  const foreign = (story: Story): void => {
    for (const input of strangers(story)) feed(story, input)
  }
  return [
    ...ALWAYS,
    ...(waiting === undefined ? [] : [said('deadline', `deadline ${waiting}`)]),
    ...(wait === undefined ? [] : [said('elapsed', `elapsed #${wait.effect}`)]),
    ...reached.outcomes.map((each) => said(each, each)),
    { input: 'what belongs to nothing', give: foreign },
    ...ENDS,
  ]
}

const emits = (effect: Effect): string => {
  const here = effect._tag === 'Discover' || effect.mountpoint === AT ? '' : ` at ${effect.mountpoint ?? 'host'}`
  if (effect._tag === 'Wait') return `Wait ${effect.why} ${effect.delayMs}${here}`
  return `${effect._tag}${effect._tag === 'Unmount' ? ` ${effect.how}` : ''}${here}`
}

const cells = (reached: Reached, { input, give }: Row): readonly string[] => {
  const story = reach(reached)
  const before = Math.max(0, ...story.emitted.keys())
  story.output = []
  give(story)
  const effects = [...story.emitted.values()].filter(({ effect }) => effect.effect > before)
  const answered = story.output.filter((line) => line.startsWith('  -> ')).map((line) => line.slice(5))
  return [
    input,
    phaseAt(story),
    effects.map(({ effect }) => emits(effect)).join(', ') || '–',
    answered.join('; ') || '–',
  ]
}

const aligned = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd(),
  )
}

const section = (reached: Reached): string => {
  const rows = rowsOf(reached).map((row) => cells(reached, row))
  const table = aligned([['input', 'phase', 'emits', 'answers'], ...rows])
  return [`# ${reached.name}`, ...reached.script.map((directive) => `> ${directive}`), '', ...table, ''].join('\n')
}

const HEAD = [
  '# Every phase of a mountpoint and every kind of input: the phase after it, the effects it leads to, and the answers.',
  '# Before each table stands the way into the phase, in the language of the interactions.',
  '',
  '',
].join('\n')

test('L43: every phase and every kind of input', () => {
  const is = HEAD + PHASES.map(section).join('\n')
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, is)
  }
  expect(is).toBe(readFileSync(file, 'utf8'))
})

describe('the way into a phase', () => {
  test.each(PHASES)('$name', (reached) => {
    expect(phaseAt(reach(reached))).toBe(reached.phase)
  })

  test('is known for every phase', () => {
    const phases = new Set(PHASES.map(({ phase }) => phase))
    expect(phases.size).toBe(12)
  })
})

const FOUND: readonly EffectFound[] = [
  { _tag: 'NoDirectory' },
  { _tag: 'Directory' },
  { _tag: 'Obstacle', kind: 'file' },
  { _tag: 'Mounted', layers: [] },
  { _tag: 'Unknown', why: 'TimedOut' },
  { _tag: 'Alive' },
  { _tag: 'Broken', errno: 'ESTALE' },
  { _tag: 'Elapsed' },
  { _tag: 'NotDiscovered', reason: 'x' },
]

const EMPTY = { changes: [], append: [], then: { answers: [], effects: [] } }

describe('what belongs to nothing changes nothing', () => {
  test.each(PHASES)('$name', (reached) => {
    const story = reach(reached)
    const host = hostOf(story)
    const record = host.mountpoints.get(AT)?.record
    const awaited = [record?.inFlight?.effect, record?.wait?.effect, host.discovery]
    const overdue = record?.overdue.map(({ effect }) => effect) ?? []
    const at = tick(story)
    for (let number = 0; number <= host.nextEffect + 1; number += 1) {
      const effect = effectId(number)
      for (const mountpoint of [AT, '/srv/mounts/nowhere', undefined]) {
        const strange = awaited.includes(effect) ? [] : FOUND
        for (const found of strange) {
          expect(decide(host, { _tag: 'Outcome', at, effect, mountpoint, found })).toEqual(EMPTY)
        }
        if (overdue.includes(effect)) continue
        expect(decide(host, { _tag: 'Ended', at, effect, mountpoint })).toEqual(EMPTY)
      }
    }
    for (const request of [0, story.lastRequest + 1]) {
      expect(decide(host, { _tag: 'Deadline', at, request: requestId(request) })).toEqual(EMPTY)
    }
    if (record?.slot !== 'wanted') expect(decide(host, { _tag: 'Granted', at, mountpoint: AT })).toEqual(EMPTY)
  })

  test.each(PHASES)('$name: nor does what the effect in flight cannot find', (reached) => {
    const story = reach(reached)
    const host = hostOf(story)
    const record = host.mountpoints.get(AT)?.record
    const [effect, impossible] =
      record?.inFlight === undefined
        ? [record?.wait?.effect, FOUND.slice(0, 7)]
        : [record.inFlight.effect, FOUND.slice(5)]
    if (effect === undefined) return
    for (const found of impossible) {
      expect(decide(host, { _tag: 'Outcome', at: tick(story), effect, mountpoint: AT, found })).toEqual(EMPTY)
    }
  })
})
