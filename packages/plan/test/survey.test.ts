// A survey shows what a start would, and begins nothing: checked against the table of recovery.

import type { Discovered } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { perform } from '../../core/test/transcript/directive.js'
import { discoveredNow } from '../../core/test/transcript/discovery.js'
import { RECORDED } from '../../core/test/transcript/recorded.js'
import type { Story } from '../../core/test/transcript/story.js'
import { hostOf, newStory } from '../../core/test/transcript/story.js'
import { prepareSurvey } from '../src/index.js'

const AT = '/srv/mounts/a'
const FOUND = ['NoDirectory', 'Directory', 'Mounted t1', 'Mounted foreign', 'Mounted foreign t1', 'Unknown Unreadable']

const recorded = (script: readonly string[]): Story => {
  const story = newStory()
  for (const directive of [...script, 'crash']) perform(story, directive)
  return story
}

const foundNow = (story: Story, found: string, discover: ReturnType<typeof prepareSurvey>['discover']): Discovered => {
  hostOf(story)
  return discoveredNow(story, { effect: discover, state: 'open' }, `a ${found}`)
}

/** What the start itself reports: the drift of host-up, and the phase when nothing that it emitted has ended. */
const started = (script: readonly string[], found: string): readonly string[] => {
  const story = recorded(script)
  perform(story, 'host-up')
  const came = perform(story, `discovered a ${found}`).find((line) => line.startsWith('  ->')) ?? ''
  return [...(/ drift (.*)$/.exec(came)?.[1] ?? '').matchAll(/(?:^|; )([a-z-]+) \/srv/g)].map((match) => match[1] ?? '')
}

describe.each(RECORDED)('$name', ({ script }) => {
  test.each(FOUND)('found %s', (found) => {
    const story = recorded(script)
    const { discover, conclude } = prepareSurvey(story.settings, story.facts)
    const { status, differences } = conclude(story.at, foundNow(story, found, discover))
    expect(differences.map(({ _tag }) => _tag)).toEqual(started(script, found))
    expect(status.generation).toBe(hostOf(story).generation)
    const phases = status.mountpoints.map(({ phase }) => phase)
    // None of them is at work.
    const resting = ['mounted', 'lost', 'vacant', 'leftover', 'uncertain']
    expect(phases.filter((phase) => !resting.includes(phase))).toEqual([])
    expect(status.mountpoints.every(({ mountpoint }) => mountpoint === AT)).toBe(true)
  })
})

test('a layer without a holder is shown as vacant, and stays', () => {
  const story = recorded(['auto quiet', 'up', 'attach a tmpfs:scratch vol-1 vm-1', 'auto off', 'detach a vol-1 vm-1'])
  const { discover, conclude } = prepareSurvey(story.settings, story.facts)
  const { status } = conclude(story.at, foundNow(story, 'Mounted t1', discover))
  expect(status.mountpoints.map(({ phase }) => phase)).toEqual(['vacant'])
})
