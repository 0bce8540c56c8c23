// Who looks when: the looks of one turn of the event loop are done together, in slices, so that they share one reading of the
// table and the loop is never held for long.

import type { LookRequest, Seen } from './look.js'
import { LOST, lookTogether } from './look.js'
import type { MountTable } from './mount-table.js'
import { unknown } from './reach.js'

/**
 * Looks at a mountpoint. Never rejects. One that runs elsewhere than in this process has to keep the deadline; the caller of
 * it gives up at the deadline all the same.
 */
export type Looker = (request: LookRequest) => Promise<Seen>

/** Looks that share one slice of the event loop and one reading of the table. */
const LOOKS_TOGETHER_MAX = 64

const lookSafely = (requests: readonly LookRequest[], table: MountTable | undefined): readonly Seen[] => {
  try {
    return lookTogether(requests, table === undefined ? {} : { table })
  } catch (error) {
    return requests.map(() => ({ found: unknown('Unreadable', String(error)) }))
  }
}

/** A look that waits for the end of the turn. */
export interface WaitingLook {
  readonly request: LookRequest
  readonly tell: (seen: Seen | Promise<Seen>) => void
}

/** Gathers the looks of one turn of the event loop, and serves them in slices, so that the loop is never held for long. */
export const gathering = (serve: (slice: readonly WaitingLook[]) => void): Looker => {
  let waiting: WaitingLook[] = []
  const next = (): void => {
    const slice = waiting.slice(0, LOOKS_TOGETHER_MAX)
    waiting = waiting.slice(LOOKS_TOGETHER_MAX)
    if (waiting.length > 0) setImmediate(next)
    serve(slice)
  }
  return (request) =>
    new Promise((tell) => {
      if (waiting.length === 0) setImmediate(next)
      waiting.push({ request, tell })
    })
}

/** Does these looks in this process. `table` was read after they were asked for. */
export const serveHere = (slice: readonly WaitingLook[], table?: MountTable): void => {
  const seen = lookSafely(
    slice.map(({ request }) => request),
    table,
  )
  slice.forEach(({ tell }, index) => {
    tell(seen[index] ?? { found: LOST })
  })
}

/**
 * A looker in this process, for where nothing can hang: it waits with every caller that mounted a type that asks its server when opened
 * (NFS, 9p) where a quiet one is expected, if that server hangs.
 */
export const createLooker = (): Looker => gathering((slice) => serveHere(slice))
