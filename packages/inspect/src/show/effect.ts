// Renderings of effects.

import type { Effect } from '@mountkeeper/core'
import { showFilesystem, showIdentity, showOptions } from './found.js'
import { counted, line, word } from './line.js'

// The root's identity is the same in all effects below it; only its absence changes what a runner does.
const unrooted = (effect: { readonly root: unknown }): string | undefined =>
  effect.root === undefined ? 'below no known root' : undefined

const within = (effect: { readonly deadlineMs: number }): string => `within ${effect.deadlineMs} ms`

const work = (effect: Effect): string => {
  switch (effect._tag) {
    case 'Look': {
      const source = effect.filesystem === undefined ? undefined : `for ${showFilesystem(effect.filesystem)}`
      return line(word(effect.mountpoint), source, unrooted(effect), within(effect))
    }
    case 'MakeDirectory':
    case 'RemoveDirectory':
      return line(word(effect.mountpoint), unrooted(effect), within(effect))
    case 'Mount': {
      const bare = showFilesystem({ ...effect.filesystem, options: [] })
      return line(word(effect.mountpoint), bare, showOptions(effect.options), unrooted(effect), within(effect))
    }
    case 'Unmount':
      return line(
        word(effect.mountpoint),
        effect.how,
        showIdentity(effect.identity),
        effect.mayHang ? 'that may hang' : undefined,
        unrooted(effect),
        within(effect),
      )
    case 'Probe':
      return `${word(effect.mountpoint)} ${showFilesystem(effect.filesystem)} ${within(effect)}`
    case 'Wait':
      return `${effect.mountpoint === undefined ? 'host' : word(effect.mountpoint)} ${effect.why} ${effect.delayMs} ms`
    case 'Discover': {
      const known = effect.known.map(({ mountpoint, filesystem }) =>
        line(word(mountpoint), filesystem === undefined ? undefined : `for ${showFilesystem(filesystem)}`),
      )
      const roots = effect.roots.map(word).join(' ')
      const head = `below ${roots} ${within(effect)}, ${counted(known.length, 'mountpoint')} known`
      return known.length === 0 ? head : `${head}: ${known.join('; ')}`
    }
  }
}

/** What is to be done: `#3 Mount /srv/mounts/a tmpfs:scratch size=1m,nosuid,nodev within 120000 ms`. */
export const showEffect = (effect: Effect): string => `#${effect.effect} ${effect._tag} ${work(effect)}`
