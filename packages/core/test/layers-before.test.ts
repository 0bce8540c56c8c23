// A claim that was made on a mountpoint where layers were already. No decision claims there today, but a journal may say so: what
// was there before is never treated as what the claim has mounted, and never taken off.

import { describe, expect, test } from 'vitest'
import type { Effect } from '../src/index.js'
import type { Intent } from '../src/index.js'
import { NOTHING_DURABLE } from '../src/durable.js'
import { evolve } from '../src/evolve.js'
import { layersOf } from '../src/index.js'
import { perform } from './transcript/directive.js'
import { layerNamed } from './transcript/layers.js'
import { expectedAt } from './transcript/outcome.js'
import type { Story } from './transcript/story.js'
import { hostOf, newStory } from './transcript/story.js'

const AT = '/srv/mounts/a'

interface Case {
  readonly filesystem: string
  readonly before: readonly string[]
  readonly found: readonly string[]
  /** The layer that becomes ours, if one does. */
  readonly ours: string | undefined
  /** Those that are there when all is done, top first. */
  readonly left: readonly string[]
}

// `old` looks exactly as ours would; how `grow` appears is unknown.
const CASES: readonly Case[] = [
  { filesystem: 'tmpfs:scratch', before: ['old'], found: ['old'], ours: undefined, left: ['old'] },
  { filesystem: 'tmpfs:scratch', before: ['old'], found: ['new', 'old'], ours: 'new', left: ['old'] },
  { filesystem: 'tmpfs:scratch', before: ['old'], found: ['old', 'new'], ours: 'new', left: ['old', 'new'] },
  { filesystem: 'tmpfs:scratch', before: ['old', 'older'], found: ['older'], ours: undefined, left: ['older'] },
  {
    filesystem: 'tmpfs:scratch',
    before: ['old', 'foreign'],
    found: ['new', 'old', 'foreign'],
    ours: 'new',
    left: ['old', 'foreign'],
  },
  { filesystem: 'grow:x', before: ['old'], found: ['new', 'old'], ours: 'new', left: ['old'] },
  {
    filesystem: 'grow:x',
    before: ['old'],
    found: ['new', 'newer', 'old'],
    ours: undefined,
    left: ['new', 'newer', 'old'],
  },
  { filesystem: 'grow:x', before: ['old', 'older'], found: ['new', 'old'], ours: undefined, left: ['new', 'old'] },
  { filesystem: 'grow:x', before: ['old'], found: ['new'], ours: undefined, left: ['new'] },
  { filesystem: 'grow:x', before: ['old'], found: ['new', 'newer'], ours: undefined, left: ['new', 'newer'] },
  // Of two that look like ours the lower one: it comes off last.
  {
    filesystem: 'tmpfs:scratch',
    before: ['old'],
    found: ['newer', 'new', 'old'],
    ours: 'new',
    left: ['newer', 'new', 'old'],
  },
  { filesystem: 'tmpfs:scratch', before: [], found: ['new'], ours: 'new', left: [] },
  { filesystem: 'grow:x', before: [], found: ['new'], ours: 'new', left: [] },
  { filesystem: 'grow:x', before: [], found: ['new', 'newer'], ours: undefined, left: ['new', 'newer'] },
]

const named = (story: Story, name: string) => layerNamed(story.layers, name, expectedAt(story, AT))

/** A journal that ends in the middle of a mount, over these layers. */
const claimedOver = ({ filesystem, before }: Case): Story => {
  const story = newStory()
  perform(story, 'types grow=*')
  for (const directive of ['auto quiet', 'up', 'auto off', `attach a ${filesystem} vol-1 vm-1`])
    perform(story, directive)
  perform(story, 'outcome Look Directory')
  const layersBefore = before.map((name) => named(story, name))
  const facts = story.facts.map((fact) =>
    fact._tag === 'Claimed'
      ? { ...fact, found: { _tag: 'Mounted' as const, layers: layersBefore }, layersBefore }
      : fact,
  )
  story.facts.splice(0, story.facts.length, ...facts)
  return story
}

const unmounted = (story: Story): readonly number[] =>
  [...story.emitted.values()].flatMap(({ effect }: { effect: Effect }) =>
    effect._tag === 'Unmount' ? [effect.identity.mountId] : [],
  )

const titled = CASES.map((each) => ({
  ...each,
  title: `${each.filesystem} over ${each.before.join(' ') || 'nothing'}, found ${each.found.join(' ')}: ${each.ours ?? 'none'} is ours`,
}))

describe('L20 L34: layers that were there before a claim', () => {
  test.each(titled)('$title', (each) => {
    const story = claimedOver(each)
    const ids = new Map([...each.before, ...each.found].map((name) => [name, named(story, name).mountId]))
    perform(story, 'crash')
    perform(story, 'host-up')
    perform(story, `discovered a Mounted ${each.found.join(' ')}`)
    perform(story, 'auto on')

    const recorded = story.facts.flatMap((fact) => (fact._tag === 'Mounted' ? [fact.identity.mountId] : []))
    const ours = each.ours === undefined ? [] : [ids.get(each.ours)]
    expect(recorded).toEqual(ours)
    const isTakenOff = !each.left.includes(each.ours ?? '')
    expect(unmounted(story)).toEqual(isTakenOff ? ours : [])
    expect(layersOf(story.there.get(AT)!).map(({ mountId }) => mountId)).toEqual(each.left.map((name) => ids.get(name)))
    expect(hostOf(story).mountpoints.get(AT)?.record.claim).toBeUndefined()
  })
})

test('of a directory that was made for a claim and is gone, an intent says that it was there before', () => {
  const made = { found: { _tag: 'NoDirectory' }, layersBefore: [] } as const
  const removed = (intent: Intent | undefined) =>
    evolve({ ...NOTHING_DURABLE, intent }, 0, { _tag: 'DirectoryRemoved', at: 0, mountpoint: AT })?.intent
  expect(removed(made)).toEqual({ found: { _tag: 'Directory' }, layersBefore: [] })
  const before = { found: { _tag: 'Obstacle', kind: 'file' }, layersBefore: [] } as const
  expect(removed(before)).toBe(before)
  expect(removed(undefined)).toBe(undefined)
})
