import { apply, decide, grantable } from '@mountkeeper/core'
import type { Answer, Host, Input } from '@mountkeeper/core'
import type { HostPort, Journal } from '@mountkeeper/runtime'

/** Serves one input to its end. No deadlines, no delays, nothing at the same time: see `createLoop` for all of it. */
export const serve = async (host: Host, port: HostPort, journal: Journal, first: Input): Promise<readonly Answer[]> => {
  const inbox = [first]
  const answers: Answer[] = []
  for (let input = inbox.shift(); input !== undefined; input = inbox.shift()) {
    const decision = decide(host, input) // 1. What is to be done? Nothing has changed yet.
    apply(host, decision) // 2. Now the host is as decided.
    const next = grantable(host) // 3. Whose turn is it for a slot?
    if (next !== undefined) inbox.push({ _tag: 'Granted', at: Date.now(), mountpoint: next })
    const kept = await journal.append(decision.append)() // 4. The facts are durable, or this is the end.
    if (kept._tag === 'Left') throw new Error(kept.left.why)
    answers.push(...decision.then.answers) // 5. Only now may a caller hear of it,
    for (const effect of decision.then.effects) {
      if (effect._tag === 'Wait') continue // (a timer, whose end is an outcome as well)
      const { found } = await port.run(effect) // 6. and the host be touched.
      const mountpoint = effect._tag === 'Discover' ? undefined : effect.mountpoint
      inbox.push({ _tag: 'Outcome', at: Date.now(), effect: effect.effect, mountpoint, found }) // 7. What was found?
    }
  }
  return answers
}
