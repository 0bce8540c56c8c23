// Says where an attach was answered `Attached`, for who looks again a moment later.

import type { Complain } from './guard.js'
import { guardedListener } from './guard.js'
import type { SubmitRequest } from './loop.js'

/** A way to submit, and to hear of what was answered `Attached`. */
export interface Heard {
  readonly submit: SubmitRequest
  readonly onAttached: (listener: (mountpoint: string) => void) => () => void
}

/** Passes requests on, and hears their answers. */
export const hearAttached = (submit: SubmitRequest, complain: Complain): Heard => {
  const listeners = new Set<(mountpoint: string) => void>()
  const say = (mountpoint: string): void => {
    for (const listener of [...listeners]) listener(mountpoint)
  }
  return {
    submit: (request, stream) => {
      const answered = submit(request, stream)
      if (listeners.size === 0 || request.op !== 'attach') return answered
      const { mountpoint } = request
      void answered.then((answer) => {
        if (answer.ok && answer.result._tag === 'Attached') say(mountpoint)
      })
      return answered
    },
    onAttached: (listener) => {
      if (typeof listener !== 'function') throw new TypeError('onAttached: expected a function')
      const end = (): void => void listeners.delete(own)
      const own = guardedListener(listener, complain, end)
      listeners.add(own)
      return end
    },
  }
}
