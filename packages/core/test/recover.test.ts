// What is recorded is recovered: a record says after a crash what it said before, but for what only a running manager knows.

import { describe, expect, test } from 'vitest'
import type { Host } from '../src/index.js'
import { restore } from '../src/index.js'
import { perform } from './transcript/directive.js'
import { RECORDED } from './transcript/recorded.js'
import { hostOf, newStory } from './transcript/story.js'

/** What facts show of the records. */
const durable = (host: Host): unknown =>
  [...host.mountpoints.values()].map(({ record }) => {
    const { path, filesystem, layer, directory, instance, claim, intent } = record
    return { path, filesystem, layer, directory, instance, claim, intent }
  })

describe.each(RECORDED)('$name', ({ script }) => {
  test('says after a crash what it said before', () => {
    const story = newStory()
    for (const directive of script) perform(story, directive)
    expect(durable(restore(story.settings, story.facts))).toEqual(durable(hostOf(story)))
  })
})
