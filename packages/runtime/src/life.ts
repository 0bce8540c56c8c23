// The life of a loop: it goes on until it ends, once, and defects are reported: one of the manager itself ends it.

import type { Complain, DefectOf } from './guard.js'
import { errorWords } from './guard.js'
import type { JournalFailed } from './ports.js'

/** A broken promise. One of the `manager` itself ends it, for nothing can be trusted then; any other has ended nothing. */
export interface Defect {
  readonly _tag: 'Defect'
  /** Who broke it: the core or the loop, a host port at one effect, an observer, a listener, the inventory, the timers. */
  readonly of: DefectOf
  /** One sentence: who broke which promise. */
  readonly why: string
  readonly cause: unknown
}

/** Why a loop has ended. */
export type Ending = { readonly _tag: 'Drained' } | { readonly _tag: 'StoppedHard' } | JournalFailed | Defect

export const crashOrWarn = ({ of, why, cause }: Defect): void => {
  if (of !== 'manager') {
    process.emitWarning(why, { type: 'MountkeeperDefect' })
    return
  }
  setImmediate(() => {
    throw new Error(why, { cause })
  })
}

/** A loop that goes on, or has ended. */
export interface Life {
  readonly isGoingOn: () => boolean
  readonly ended: Promise<Ending>
  /** The first end counts. */
  readonly end: (how: Ending) => void
  /** A defect of others: the manager goes on. */
  readonly complain: Complain
  /** Runs a part of the manager; what it throws is a defect that ends the loop. */
  readonly guarded: (what: string, act: () => void) => void
}

/** What an end does: `before` it is known, and `after`. */
export interface AtEnd {
  readonly before: () => void
  readonly after: () => void
}

/** A loop that has just begun. */
export const createLife = (onDefect: (defect: Defect) => void, atEnd: AtEnd): Life => {
  let ending: Ending | undefined
  let resolveEnded: (how: Ending) => void
  const ended = new Promise<Ending>((resolve) => {
    resolveEnded = resolve
  })

  const report = (found: Defect): void => {
    try {
      onDefect(found)
    } catch {
      crashOrWarn({ ...found, of: 'listener', why: `onDefect threw at: ${found.why}` })
    }
  }

  const end = (how: Ending): void => {
    if (ending !== undefined) return
    ending = how
    atEnd.before()
    resolveEnded(how)
    atEnd.after()
  }

  return {
    isGoingOn: () => ending === undefined,
    ended,
    end,
    complain: (of, why, cause) => {
      if (ending === undefined) report({ _tag: 'Defect', of, why, cause })
    },
    guarded: (what, act) => {
      try {
        act()
      } catch (error) {
        const found: Defect = { _tag: 'Defect', of: 'manager', why: `${what}: ${errorWords(error)}`, cause: error }
        end(found)
        report(found)
      }
    },
  }
}
