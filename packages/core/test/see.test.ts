// What an open intent says of the layers at a mountpoint. Nothing here mounts onto a mount; a journal may say that it was so all
// the same, and then what lay there before is never taken for ours (L20, L34).

import { describe, expect, test } from 'vitest'
import type { Identity } from '../src/index.js'
import { withoutDirectory } from '../src/host.js'
import { perform } from './transcript/directive.js'
import { declareLayer, layerNamed } from './transcript/layers.js'
import type { Story } from './transcript/story.js'
import { newStory } from './transcript/story.js'
import { words } from './transcript/words.js'

const claimedOn = (type: string, before: readonly string[]): Story => {
  const story = newStory()
  perform(story, 'types strange=*')
  for (const name of ['old', 'older', 't1', 't2']) declareLayer(story.layers, words(`${name} ${type} scratch`))
  const layersBefore = before.map((name): Identity => layerNamed(story.layers, name, undefined))
  const mountpoint = '/srv/mounts/a'
  story.facts.push(
    { _tag: 'HostCameUp', at: 0, generation: 1, boot: 'boot-1', mountNamespace: 'namespace-1' },
    {
      _tag: 'Claimed',
      at: 0,
      mountpoint,
      filesystem: { type, source: 'scratch', options: [] },
      volume: 'vol-1',
      consumer: 'vm-1',
      found: { _tag: 'Mounted', layers: layersBefore },
      layersBefore,
    },
  )
  perform(story, 'crash')
  return story
}

/** The layers that discovery takes for ours, by name. */
const ours = (type: string, before: readonly string[], found: readonly string[]): readonly string[] => {
  const story = claimedOn(type, before)
  perform(story, 'host-up')
  const seen = story.facts.length
  perform(story, `discovered a Mounted ${found.join(' ')}`)
  return story.facts
    .slice(seen)
    .flatMap((fact) => (fact._tag === 'Mounted' ? [fact.identity] : []))
    .map((identity) => [...story.layers.byName].find(([, each]) => each === identity)?.[0] ?? 'none of them')
}

describe('of what was claimed where something lay', () => {
  test.each([
    ['tmpfs', ['old'], ['t1', 'old'], ['t1']],
    ['tmpfs', ['old'], ['old'], []],
    ['tmpfs', ['old', 'older'], ['t1', 'old', 'older'], ['t1']],
    ['tmpfs', ['old'], ['t2', 't1', 'old'], ['t1']],
    ['tmpfs', ['old'], ['old', 't1'], ['t1']],
    ['tmpfs', [], ['t1'], ['t1']],
    ['strange', ['old'], ['t1', 'old'], ['t1']],
    ['strange', ['old'], ['t2', 't1', 'old'], []],
    ['strange', ['old'], ['t1'], []],
    ['strange', ['old'], ['t2', 't1'], []],
    ['strange', [], ['t1'], ['t1']],
    ['strange', [], ['t2', 't1'], []],
  ])('%s on %j, found %j: ours is %j', (type, before, found, is) => {
    expect(ours(type, before, found)).toEqual(is)
  })
})

test('of a directory that was made for a claim and is gone, an intent says that it was there before', () => {
  const made = { found: { _tag: 'NoDirectory' }, layersBefore: [] } as const
  expect(withoutDirectory(made)).toEqual({ found: { _tag: 'Directory' }, layersBefore: [] })
  const before = { found: { _tag: 'Obstacle', kind: 'file' }, layersBefore: [] } as const
  expect(withoutDirectory(before)).toBe(before)
  expect(withoutDirectory(undefined)).toBe(undefined)
})
