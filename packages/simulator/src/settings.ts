// Settings and a host to begin with, for simulations and for the tests of services that embed the manager.

import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
} from '@mountkeeper/border'
import type { LadderPolicy, Policies, Settings } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'
import { makePath } from './model/directory.js'
import type { ModelHost } from './model/host.js'
import { newModelHost } from './model/host.js'

/** The managed root of a simulated host. */
export const ROOT = '/srv/mounts'

/** A directory below it, with mountpoints of its own. */
export const TENANT: string = `${ROOT}/tenant`

/** Where its bind sources are. */
export const EXPORTS = '/srv/exports'

/** What may differ from the defaults. */
export interface SimulatedSettings {
  readonly policies?: Partial<Policies>
  readonly ladder?: LadderPolicy
  readonly slots?: Partial<Settings['slots']>
  readonly limits?: Partial<Settings['limits']>
  readonly deadlinesMs?: Partial<Settings['deadlinesMs']>
  readonly delaysMs?: Partial<Settings['delaysMs']>
}

/** One root, `/srv/mounts`; tmpfs and nfs from any source, bind from below `/srv/exports`; the rest as by default. */
export const simulatedSettings = (own: SimulatedSettings = {}): Settings => ({
  roots: [{ path: ROOT, ladder: own.ladder ?? 'off' }],
  types: { tmpfs: typeRule('tmpfs', ['*']), nfs: typeRule('nfs', ['*']), bind: typeRule('bind', [`${EXPORTS}/`]) },
  policies: { ...DEFAULT_POLICIES, ...own.policies },
  limits: { ...DEFAULT_LIMITS, ...own.limits },
  slots: { ...DEFAULT_SLOTS, ...own.slots },
  deadlinesMs: { ...DEFAULT_DEADLINES_MS, ...own.deadlinesMs },
  delaysMs: { ...DEFAULT_DELAYS_MS, ...own.delaysMs },
})

/** The directory that a pattern of sources names, where it names one: `/srv/exports/`, or `/srv/image` alone. */
const directoryOf = (pattern: string): string | undefined =>
  pattern.startsWith('/') && !pattern.includes('*') ? pattern.replace(/\/+$/, '') : undefined

/** A host with the roots of these settings, empty, and with the directories that their lists of sources name. */
export const modelHostOf = (settings: Settings, propagation: 'private' | 'shared' = 'shared'): ModelHost => {
  const rules = Object.values(settings.types).filter(({ sourceIsPath }) => sourceIsPath)
  const listed = rules.flatMap(({ sources }) => sources.map(directoryOf))
  const paths = [...settings.roots.map(({ path }) => path), ...listed]
  const own = settings.roots.some(({ path }) => path === ROOT)
    ? simulatedModelHost(propagation)
    : newModelHost(propagation)
  return paths.reduce<ModelHost>(
    (host, path) => (path === undefined || path === '' ? host : makePath(host, host.own, path, 'others')),
    own,
  )
}

/** A host with the directories that these settings name, and `/srv/exports/f` and `/srv/exports/g` to bind. */
export const simulatedModelHost = (propagation: 'private' | 'shared' = 'shared'): ModelHost => {
  const paths = [TENANT, `${EXPORTS}/f`, `${EXPORTS}/g`]
  return paths.reduce((host, path) => makePath(host, host.own, path, 'others'), newModelHost(propagation))
}
