// The inbox of a loop: inputs in their order, taken in turns. A turn is a microtask, and after many inputs in a row a macrotask, so that
// everything else in the process has its chance.

import type { Input } from '@mountkeeper/core'

/** Inputs that are taken in a row before everything else in the process has its chance. */
export const INPUTS_PER_RUN_MAX = 1_024

/** What is still to be decided. */
export interface Inbox {
  readonly put: (input: Input) => void
  /** Puts an observation in, unless one of this mountpoint is there: one look will do for all of them. */
  readonly observed: (mountpoint: string, at: number) => void
  readonly size: () => number
  /** Hands out inputs while the budget of this run lasts; the others have a turn of their own. */
  readonly take: (step: (input: Input) => void) => void
  /** Each decision counts, also one that no input of the inbox led to. */
  readonly spend: () => void
  readonly clear: () => void
}

/** An empty inbox. `turn` is called when there is something to take. */
export const createInbox = (turn: () => void): Inbox => {
  let inputs: Input[] = []
  const seen = new Set<string>()
  let scheduled = false
  let budget = INPUTS_PER_RUN_MAX

  const begin = (): void => {
    scheduled = false
    turn()
  }

  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    if (budget > 0) {
      queueMicrotask(begin)
      return
    }
    setImmediate(() => {
      budget = INPUTS_PER_RUN_MAX
      begin()
    })
  }

  const put = (input: Input): void => {
    inputs.push(input)
    schedule()
  }

  return {
    put,
    observed: (mountpoint, at) => {
      if (seen.has(mountpoint)) return
      seen.add(mountpoint)
      put({ _tag: 'Observed', at, mountpoint })
    },
    size: () => inputs.length,
    take: (step) => {
      let taken = 0
      for (let input = inputs[0]; input !== undefined && budget > 0; input = inputs[taken]) {
        taken += 1
        if (input._tag === 'Observed') seen.delete(input.mountpoint)
        step(input)
      }
      inputs = taken === inputs.length ? [] : inputs.slice(taken)
      if (inputs.length > 0) schedule()
    },
    spend: () => {
      budget -= 1
    },
    clear: () => {
      inputs = []
    },
  }
}
