// The model behind `> auto on`: a host on which every effect succeeds at once. It answers all that is open, except the delays
// that wait for time to pass (back-off, keep-mounted, discovery-retry), which would never come to rest.

import { showInput } from '@mountkeeper/inspect'
import type { Effect, EffectFound, Found } from '../../src/index.js'
import { compareIdentity, layersOf } from '../../src/index.js'
import { discoveredNow } from './discovery.js'
import { newLayer } from './layers.js'
import type { Evidence } from './outcome.js'
import { outcomeOf } from './outcome.js'
import type { Emitted, Story } from './story.js'
import { feed, print } from './story.js'
import { fail } from './words.js'

const ANSWERS_MAX = 1_000

interface Ran {
  readonly found: EffectFound
  readonly evidence?: Evidence
}

const refused = (found: Found, command: readonly string[], stderr: string): Ran => ({
  found,
  evidence: { error: { command, exitStatus: 32, stderr } },
})

const stacked = (layers: readonly ReturnType<typeof newLayer>[]): Found =>
  layers.length === 0 ? { _tag: 'Directory' } : { _tag: 'Mounted', layers }

/** `t1`, `t2` … in the order of mounting, so that later directives can name what the model mounted. */
const freeName = ({ layers }: Story): string => {
  let number = 1
  while (layers.byName.has(`t${number}`)) number += 1
  return `t${number}`
}

const run = (story: Story, emitted: Emitted, effect: Effect): Ran => {
  const there = effect._tag === 'Discover' ? undefined : story.there.get(effect.mountpoint ?? '')
  const found: Found = there ?? { _tag: 'NoDirectory' }
  switch (effect._tag) {
    case 'Look':
      return { found }
    case 'Probe':
      return { found: { _tag: 'Alive' } }
    case 'Wait':
      return { found: { _tag: 'Elapsed' } }
    case 'Discover':
      return { found: discoveredNow(story, emitted, '') }
    case 'MakeDirectory':
      if (found._tag === 'NoDirectory') return { found: { _tag: 'Directory' } }
      return refused(found, ['mkdir', effect.mountpoint], 'File exists')
    case 'RemoveDirectory':
      if (found._tag === 'Directory') return { found: { _tag: 'NoDirectory' } }
      return refused(found, ['rmdir', effect.mountpoint], 'Device or resource busy')
    case 'Mount': {
      if (found._tag === 'NoDirectory')
        return refused(found, ['mount', effect.mountpoint], 'mount point does not exist.')
      const rule = story.settings.types[effect.filesystem.type]
      const layer = newLayer(story.layers, effect.filesystem, effect.options, rule)
      story.layers.byName.set(freeName(story), layer)
      return { found: stacked([layer, ...layersOf(found)]) }
    }
    case 'Unmount': {
      const [top, ...below] = layersOf(found)
      if (top === undefined) return refused(found, ['umount', effect.mountpoint], 'not mounted.')
      if (compareIdentity(effect.identity, top) !== 'same')
        fail(`#${effect.effect} would take off a layer that is not meant`)
      return { found: stacked(below) }
    }
  }
}

const AUTOMATIC_WAITS: readonly string[] = ['settle', 'unmount-retry']

const isAutomatic = ({ effect, state }: Emitted): boolean =>
  state === 'open' && (effect._tag !== 'Wait' || AUTOMATIC_WAITS.includes(effect.why))

/** Answers what is open until nothing is. */
export const answerAll = (story: Story): void => {
  for (let count = 0; count < ANSWERS_MAX; count += 1) {
    const emitted = [...story.emitted.values()].find(isAutomatic)
    if (emitted === undefined) return
    const outcome = outcomeOf(story, { emitted, ...run(story, emitted, emitted.effect) })
    print(story, showInput(outcome))
    feed(story, outcome)
  }
  fail('the effects never come to an end')
}
