// Says where an attach was answered `Attached`, for who looks again a moment later.

import type { Answer, Request } from '@mountkeeper/core'

type Submit = (request: Request) => Promise<Answer>

/** A way to submit, and to hear of what was answered `Attached`. */
export interface Heard {
  readonly submit: Submit
  readonly onAttached: (listener: (mountpoint: string) => void) => () => void
}

/** Passes requests on, and hears their answers. A listener that throws is heard no more, and has no other effect. */
export const hearAttached = (submit: Submit): Heard => {
  const listeners = new Set<(mountpoint: string) => void>()
  const say = (mountpoint: string): void => {
    for (const listener of [...listeners]) {
      try {
        listener(mountpoint)
      } catch {
        listeners.delete(listener)
      }
    }
  }
  return {
    submit: (request) => {
      const answered = submit(request)
      if (listeners.size === 0 || request.op !== 'attach') return answered
      const { mountpoint } = request
      void answered.then((answer) => {
        if (answer.ok && answer.result._tag === 'Attached') say(mountpoint)
      })
      return answered
    },
    onAttached: (listener) => {
      const own = (mountpoint: string): void => listener(mountpoint)
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}
