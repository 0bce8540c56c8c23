// Recovery: everything that can be recorded when a manager ends, against everything that can be found when the next one comes
// up. The rule for each combination stands in test-fixtures/tables/recovery.txt, how it goes on in test-fixtures/recovery.
// UPDATE_TRANSCRIPTS=1 rewrites both. What may follow in no case at all is asserted apart from them.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import type { Effect } from '../src/index.js'
import { layersOf } from '../src/index.js'
import { allHolders } from '../src/state.js'
import { perform } from './transcript/directive.js'
import type { Recorded } from './transcript/recorded.js'
import { RECORDED } from './transcript/recorded.js'
import type { Story } from './transcript/story.js'
import { hostOf, newStory } from './transcript/story.js'

const AT = '/srv/mounts/a'
const fixtures = join(import.meta.dirname, '../../../test-fixtures')
const rewrites = process.env['UPDATE_TRANSCRIPTS'] === '1'

const FOUND = [
  'NoDirectory',
  'Directory',
  'Obstacle file',
  'Mounted t1',
  'Mounted foreign',
  'Mounted foreign t1',
  'Mounted t1 foreign',
  'Unknown Unreadable',
  'Unknown CommandAlive',
] as const

const CRASH = 'crash'
const DAMAGE = 'crash lost=HostCameUp'

/** The circumstances of a start: boot, mount namespace, what an inventory shows, and whether the boot was lost by damage. */
const CIRCUMSTANCES = [
  { name: 'same boot', end: CRASH, segments: '' },
  { name: 'in use', end: CRASH, segments: '; inventory a vol-1 vm-1' },
  { name: 'not in use', end: CRASH, segments: '; inventory' },
  { name: 'other boot', end: CRASH, segments: '; boot boot-2' },
  { name: 'other namespace', end: CRASH, segments: '; namespace namespace-2' },
  { name: 'no known boot', end: DAMAGE, segments: '' },
] as const

interface Start {
  readonly recorded: Recorded
  readonly found: (typeof FOUND)[number]
  readonly circumstance: (typeof CIRCUMSTANCES)[number]
}

const STARTS: readonly Start[] = RECORDED.flatMap((recorded) =>
  FOUND.flatMap((found) => CIRCUMSTANCES.map((circumstance) => ({ recorded, found, circumstance }))),
)

const titleOf = ({ recorded, found, circumstance }: Start): string =>
  `${recorded.name}; found ${found}; ${circumstance.name}`

/** What a start led to, before anything that it emitted had its outcome, and when all of it had. */
interface Played {
  readonly story: Story
  readonly holdersBefore: number
  readonly came: readonly string[]
  readonly effects: readonly Effect[]
  readonly phase: string
  readonly wentOn: readonly string[]
  readonly later: readonly Effect[]
}

const entryOf = (story: Story) => hostOf(story).mountpoints.get(AT)

const phaseAt = (story: Story): string => entryOf(story)?.record.phase ?? 'no record'

const holdersAt = (story: Story): number =>
  [...allHolders(entryOf(story)?.holders ?? { count: 0, held: undefined })].length

const emittedSince = (story: Story, before: number): readonly Effect[] =>
  [...story.emitted.values()].map(({ effect }) => effect).filter(({ effect }) => effect > before)

const play = ({ recorded, found, circumstance }: Start): Played => {
  const story = newStory()
  for (const directive of recorded.script) perform(story, directive)
  perform(story, circumstance.end)
  const holdersBefore = holdersAt(story)
  perform(story, 'host-up')
  expect(emittedSince(story, 0).map(({ _tag }) => _tag)).toEqual(['Discover'])
  const came = perform(story, `discovered a ${found}${circumstance.segments}`)
  const phase = phaseAt(story)
  const last = Math.max(0, ...story.emitted.keys())
  const effects = emittedSince(story, 1)
  const wentOn = perform(story, 'auto on')
  return { story, holdersBefore, came, effects, phase, wentOn, later: emittedSince(story, last) }
}

const FACT = /^ {2}fact (\w+)/

const cells = (start: Start, { came, effects, phase, story }: Played): readonly string[] => {
  const facts = came.flatMap((line) => FACT.exec(line)?.[1] ?? []).filter((tag) => tag !== 'HostCameUp')
  const drift = /ok Up generation \d+ drift (.*)$/.exec(came.find((line) => line.startsWith('  ->')) ?? '')?.[1] ?? ''
  const classes = [...drift.matchAll(/(?:^|; )([a-z-]+) \/srv/g)].map((match) => match[1])
  return [
    start.found,
    start.circumstance.name,
    phase,
    facts.join(', ') || '–',
    effects.map((effect) => (effect._tag === 'Wait' ? `Wait ${effect.why}` : effect._tag)).join(', ') || '–',
    classes.join(', ') || '–',
    `${phaseAt(story)}${holdersAt(story) > 0 ? ', held' : ''}`,
  ]
}

const aligned = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd(),
  )
}

const COLUMNS = ['found', 'circumstances', 'phase', 'facts', 'emits', 'drift', 'at rest']

const of = (recorded: Recorded): readonly Start[] => STARTS.filter((start) => start.recorded === recorded)

const tableOf = (recorded: Recorded): string => {
  const rows = of(recorded).map((start) => cells(start, play(start)))
  const script = [...recorded.script, 'crash', 'host-up'].map((directive) => `> ${directive}`)
  return [`# ${recorded.name}`, ...script, '', ...aligned([COLUMNS, ...rows]), ''].join('\n')
}

const HEAD = [
  '# What is recorded when a manager ends, and what is found when the next one comes up: the phase that a mountpoint begins',
  '# its generation in, the facts and effects of the decision, the drift that host-up reports, and the phase when all effects',
  '# have succeeded. Before each table stands how the records came to be, in the language of the interactions. `t1` is our',
  '# layer, or one that looks as it would. Where no boot is known, damage of the journal has taken all `HostCameUp`.',
  '',
  '',
].join('\n')

const transcriptOf = (recorded: Recorded): string =>
  [
    `# ${recorded.name}`,
    '',
    ...recorded.script.map((directive) => `> ${directive}`),
    '> crash',
    '> host-up',
    '',
    ...of(recorded).flatMap((start) => {
      const { came, wentOn } = play(start)
      const { end, segments } = start.circumstance
      const again = end === CRASH ? [] : [`> ${end}`, '> host-up']
      return [...again, `> discovered a ${start.found}${segments}`, ...came, '> auto on', ...wentOn, '']
    }),
  ].join('\n')

const golden = (folder: string, name: string, is: string): void => {
  if (rewrites) {
    mkdirSync(join(fixtures, folder), { recursive: true })
    writeFileSync(join(fixtures, folder, name), is)
  }
  expect(is).toBe(readFileSync(join(fixtures, folder, name), 'utf8'))
}

const fileOf = ({ name }: Recorded): string => `${name.replaceAll(/[^a-z]+/g, '-')}.txt`

test('every combination has a rule', () => {
  golden('tables', 'recovery.txt', HEAD + RECORDED.map(tableOf).join('\n'))
})

describe('how it goes on', () => {
  test.each(RECORDED)('$name', (recorded) => {
    golden('recovery', fileOf(recorded), transcriptOf(recorded))
  })

  test('no transcript without a record', () => {
    expect(readdirSync(join(fixtures, 'recovery')).sort()).toEqual(RECORDED.map(fileOf).sort())
  })
})

const CHANGES: readonly string[] = ['MakeDirectory', 'Mount', 'Unmount', 'RemoveDirectory']

const tags = (effects: readonly Effect[]): readonly string[] => effects.map(({ _tag }) => _tag)

/** What would be wrong in any case, in words. */
const wrongIn = (start: Start): readonly string[] => {
  const { story, effects, later, holdersBefore } = play(start)
  const foreign = story.layers.byName.get('foreign')?.mountId
  const there = story.there.get(AT)
  const isThere = there !== undefined && layersOf(there).some(({ mountId }) => mountId === foreign)
  return [
    ...(tags(effects).some((tag) => CHANGES.includes(tag))
      ? ['something is changed before it was looked at again']
      : []),
    ...(tags(later).some((tag) => tag === 'Mount' || tag === 'MakeDirectory')
      ? ['something is mounted without a request']
      : []),
    ...(holdersBefore > 0 && tags(later).includes('Unmount') ? ['something is unmounted under a holder'] : []),
    ...(holdersAt(story) < holdersBefore ? ['a holder is lost'] : []),
    // The model of the host refuses to take off a layer that is not meant.
    ...(start.found.includes('foreign') && !isThere ? ['what a third party mounted is gone'] : []),
  ]
}

describe('L28 L30 L34: a start destroys nothing, mounts nothing and loses no holder', () => {
  test.each(RECORDED)('$name', (recorded) => {
    const wrong = of(recorded).flatMap((start) => wrongIn(start).map((what) => `${titleOf(start)}: ${what}`))
    expect(wrong).toEqual([])
  })
})
