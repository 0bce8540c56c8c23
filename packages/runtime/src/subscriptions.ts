// Who hears of events. Nothing is watched while no listener is there.

import type { EventWatch, HostEvent } from './events.js'
import { createEventWatch } from './events.js'
import type { Complain } from './guard.js'
import { guardedListener } from './guard.js'

/** The listeners of a loop. */
export interface Subscriptions {
  /** What finds events in decisions; absent while there is no listener. */
  readonly watch: () => EventWatch | undefined
  readonly subscribe: (listener: (event: HostEvent) => void) => () => void
  readonly deliver: (event: HostEvent) => void
}

/** No listener yet. */
export const createSubscriptions = (complain: Complain): Subscriptions => {
  const listeners = new Set<(event: HostEvent) => void>()
  let watch: EventWatch | undefined
  return {
    watch: () => watch,
    subscribe: (listener) => {
      if (typeof listener !== 'function') throw new TypeError('events.subscribe: expected a function')
      const unsubscribe = (): void => {
        listeners.delete(own)
        if (listeners.size === 0) watch = undefined
      }
      // Each subscription is its own, even of the same function.
      const own = guardedListener(listener, complain, unsubscribe)
      listeners.add(own)
      watch ??= createEventWatch()
      return unsubscribe
    },
    deliver: (event) => {
      for (const listener of [...listeners]) listener(event)
    },
  }
}
