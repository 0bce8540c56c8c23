// A host to play on: `/m` for mountpoints, `/s/f` and `/s/g` to bind from.

import { done, makePath, newModelHost } from '../../src/index.js'
import type { Done, ModelHost } from '../../src/index.js'

export const scene = (propagation: 'private' | 'shared' = 'private'): ModelHost =>
  ['/m', '/s/f', '/s/g'].reduce(
    (host, path) => makePath(host, host.own, path, path === '/m' ? 'us' : 'others'),
    newModelHost(propagation),
  )

type Act = (host: ModelHost) => Done

/** Acts one after the other; the first that is refused ends it. */
export const after = (host: ModelHost, ...acts: readonly Act[]): Done =>
  acts.reduce<Done>((sofar, act) => (sofar.errno === undefined ? act(sofar.host) : sofar), done(host))

/** The same where all are to succeed. */
export const hostAfter = (host: ModelHost, ...acts: readonly Act[]): ModelHost => {
  const { host: end, errno } = after(host, ...acts)
  if (errno !== undefined) throw new Error(errno)
  return end
}
