// What news of the inventory leads to. An authority that is lost may lose consumers unseen, so the host goes down, and comes
// up by a new discovery when it is back; unless the last wish of the callers was down (L36).
//
// That a consumer came, went or changed leads to nothing by itself: attaching and detaching is for the service that starts and stops
// it, a host-up would make every request wait for all others, and a look cannot show who uses a mount. The next discovery
// asks again, and so does a reconcile, which is the way to see what became stale in between.

import type { Host } from '@mountkeeper/core'
import type { Complain } from './guard.js'
import { errorWords } from './guard.js'
import type { SubmitRequest } from './loop.js'
import type { Observer } from './observer.js'
import type { InventoryNews, InventoryPort } from './ports.js'

/** What is followed for. */
export interface FollowOptions {
  readonly inventory: InventoryPort
  readonly submit: SubmitRequest
  readonly host: Host
  readonly observer: Observer | undefined
  readonly complain: Complain
}

/** A manager whose host follows the inventory. */
export interface Follower {
  /** For what callers ask; theirs is the wish that news of the inventory never overrules. */
  readonly submit: SubmitRequest
  readonly stop: () => void
}

/** Characters of the reason: at most 1,024 bytes of UTF-8 in any script. */
const REASON_MAX = 340

/** A reason for a host-down that the core accepts. */
export const downReason = (why: string): string => why.slice(0, REASON_MAX).replaceAll(/\p{C}/gu, ' ')

const isNews = (news: unknown): news is InventoryNews => {
  if (typeof news !== 'object' || news === null) return false
  const { _tag, why } = news as Readonly<Record<'_tag' | 'why', unknown>>
  return _tag === 'Back' || _tag === 'Changed' || (_tag === 'Lost' && typeof why === 'string')
}

/** Begins to watch at the first wish to be up: a manager that is never up needs no authority. */
export const followInventory = ({ inventory, submit, host, observer, complain }: FollowOptions): Follower => {
  let wish: 'up' | 'down' = 'down'
  let unwatch: (() => void) | undefined
  let stopped = false
  /** The host was taken down for a loss, and no caller has wished otherwise since. */
  let takenDown = false

  const broken = (what: string, cause: unknown): void =>
    complain('inventory', `the watch of the inventory ${what}: ${errorWords(cause)}`, cause)

  const watch = (): (() => void) => {
    try {
      const end: unknown = inventory.watch((news) => {
        if (isNews(news)) heard(news)
        else broken('gave an invalid report', news)
      })
      if (typeof end === 'function') return end as () => void
      broken('returned no function to end it', end)
    } catch (error) {
      broken('threw', error)
    }
    return () => undefined
  }

  const heard = (news: InventoryNews): void => {
    if (stopped) return
    observer?.onInventory?.(news)
    if (wish === 'down') return
    // A host that waits for its next discovery is down, and asks the authority by itself.
    const isDown = host.phase === 'down' || host.phase === 'retrying'
    if (news._tag === 'Lost' && !isDown) {
      takenDown = true
      void submit({ op: 'host-down', reason: downReason(`the inventory was lost: ${news.why}`) })
    }
    if (news._tag === 'Back' && (isDown || takenDown)) {
      takenDown = false
      void submit({ op: 'host-up' })
    }
  }

  return {
    submit: (request, stream) => {
      if (request.op === 'host-down') wish = 'down'
      if (request.op === 'host-up') {
        wish = 'up'
        takenDown = false
        if (!stopped) unwatch ??= watch()
      }
      return submit(request, stream)
    },
    stop: () => {
      stopped = true
      try {
        unwatch?.()
      } catch (error) {
        broken('threw at its end', error)
      }
      unwatch = undefined
    },
  }
}
