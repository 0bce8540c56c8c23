// Recovery from a snapshot is recovery from the facts it stands for, wherever it was made; it is never longer, and as long as was said.

import { describe, expect, test } from 'vitest'
import type { Fact, Host } from '../src/index.js'
import { emptyMemory, remember, restore, snapshot, snapshotSize } from '../src/index.js'
import { perform } from './transcript/directive.js'
import { RECORDED } from './transcript/recorded.js'
import { newStory } from './transcript/story.js'

/** A host with the order in its maps, which recovery keeps as well. */
const inOrder = (host: Host): unknown =>
  JSON.parse(
    JSON.stringify(host, (_, value: unknown) => (value instanceof Map || value instanceof Set ? [...value] : value)),
  )

const MORE = [
  {
    name: 'a life with everything in it',
    script: [
      ...['auto quiet', 'up', 'attach a tmpfs:scratch vol-1 vm-1', 'attach b tmpfs:other vol-1 vm-1 id=x'],
      ...['attach a tmpfs:scratch vol-2 vm-2', 'detach a vol-1 vm-1', 'crash', 'up', 'detach b vol-1 vm-1'],
      ...['attach b tmpfs:scratch vol-1 vm-1', 'forget b force', 'auto off', 'attach c tmpfs:scratch vol-3 vm-3'],
    ],
  },
  { name: 'a host that never came up', script: ['auto off'] },
]

describe.each([...RECORDED, ...MORE])('$name', ({ script }) => {
  const story = newStory()
  for (const directive of script) perform(story, directive)
  const { facts, settings } = story

  test('is recovered as from its facts, cut anywhere', () => {
    const whole = inOrder(restore(settings, facts))
    for (let cut = 0; cut <= facts.length; cut += 1) {
      const short = snapshot(facts.slice(0, cut))
      expect(inOrder(restore(settings, [...short, ...facts.slice(cut)]))).toEqual(whole)
    }
  })

  test('says nothing that is not there', () => {
    expect(snapshot(facts).filter((fact) => Object.values(fact).includes(undefined))).toEqual([])
  })

  test('is as short as was said', () => {
    for (let cut = 0; cut <= facts.length; cut += 1) {
      const known: readonly Fact[] = facts.slice(0, cut)
      const memory = emptyMemory()
      for (const fact of known) remember(memory, fact)
      expect(snapshot(known)).toHaveLength(snapshotSize(memory))
    }
  })
})
