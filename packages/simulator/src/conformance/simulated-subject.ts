// The simulated host as a subject of the kit: the example to begin with, and what broken ports are made of.

import type { HostPort } from '@mountkeeper/runtime'
import { ROOT } from '../settings.js'
import type { SimulatedHost } from '../simulated-host.js'
import { createSimulatedHost } from '../simulated-host.js'
import type { HostSubject } from './watch.js'

const filesystem = { type: 'tmpfs', source: 'scratch', options: ['size=64k', 'nosuid', 'nodev'] }
const ENDS_AFTER_MS = 60_000

/** A fresh simulated host, behind the port that `wrap` makes of its own. */
export const simulatedSubject = (wrap: (host: SimulatedHost) => HostPort = (host) => host): Promise<HostSubject> => {
  const host = createSimulatedHost()
  return Promise.resolve({
    port: wrap(host),
    root: ROOT,
    filesystem,
    hanging: (mountpoint) => {
      host.inject({ effect: 'Mount', mountpoint, fault: { _tag: 'Hangs', worked: false, endsAfterMs: ENDS_AFTER_MS } })
      return filesystem
    },
    endHanging: () => host.timers.pass(ENDS_AFTER_MS),
    mountOnTop: (path) => {
      host.interfere({ _tag: 'Mounts', path, fstype: 'tmpfs', source: 'other', flags: ['rw'] })
      return Promise.resolve()
    },
    write: (path) => {
      host.interfere({ _tag: 'Writes', path: `${path}/file` })
      return Promise.resolve()
    },
    pass: host.timers.pass,
    close: () => Promise.resolve(),
  })
}
