// The first host-up of a manager. The core tries a discovery that failed again by itself; a manager that its owner has given up
// for that failure would come up later, beside the one that the owner tries instead. So it is taken down, unless it is kept.

import type { Answer, Host } from '@mountkeeper/core'
import { downReason } from './follow.js'
import type { SubmitRequest } from './loop.js'

/** Passes requests on; takes the host down after a host-up that failed, as long as none has succeeded. */
export const downUnlessUp = (submit: SubmitRequest, host: Host): SubmitRequest => {
  let hasBeenUp = false
  const seen = (answer: Answer): void => {
    if (answer.ok) hasBeenUp = true
    // Another host-up that came meanwhile is discovering already, and has its own answer.
    else if (!hasBeenUp && answer.error._tag === 'DiscoveryFailed' && host.phase === 'retrying') {
      void submit({ op: 'host-down', reason: downReason(`discovery failed: ${answer.error.reason}`) })
    }
  }
  return (request, stream) => {
    const answered = submit(request, stream)
    if (request.op === 'host-up' && !hasBeenUp) void answered.then(seen)
    return answered
  }
}
