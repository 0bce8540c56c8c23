// A simulated host in the place of this machine, for `run --host simulator`: the configured roots, empty, and a server that
// always answers. Time is real; nothing is locked, nothing needs a privilege, and all of it ends with the run.

import type { Configuration } from '@mountkeeper/codec'
import type { Effect } from '@mountkeeper/core'
import type { HostPort, Locks } from '@mountkeeper/runtime'
import { createSystemTimers } from '@mountkeeper/runtime'
import { createSimulatedHost } from '@mountkeeper/simulator'
import * as E from 'fp-ts/lib/Either.js'
import type { Machine } from './machine.js'
import { forgetfulJournal } from './machine.js'

const nobodyElse: Locks = {
  acquire: () => () =>
    Promise.resolve(E.right({ release: () => Promise.resolve(), lost: new Promise<void>(() => undefined) })),
}

/** The directory that an effect binds, if it binds one. */
const boundBy = (effect: Effect): string | undefined =>
  'filesystem' in effect && effect.filesystem?.type === 'bind' ? effect.filesystem.source : undefined

/** `/srv`, `/srv/exports`, … of a canonical path. */
const withAncestors = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map((_, index, names) => `/${names.slice(0, index + 1).join('/')}`)

/** A simulated host with the configured roots. Whatever a bind mount is asked for from is there: only lists forbid. */
export const simulatedMachine = ({ settings }: Configuration): Machine => {
  const host = createSimulatedHost({ settings })
  const run: HostPort['run'] = (effect) => {
    const source = boundBy(effect)
    if (source !== undefined) {
      for (const path of withAncestors(source)) host.interfere({ _tag: 'MakesDirectory', path })
    }
    return host.run(effect)
  }
  return { host: { run }, locks: nobodyElse, timers: createSystemTimers(), journal: forgetfulJournal }
}
