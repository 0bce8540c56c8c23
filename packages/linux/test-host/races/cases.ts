// The races: parents, roots, and the sources of bind, overlay and bindfs. `trusted` is no race of ours but the proof that a race
// finds what it looks for: there the configuration trusts the tenant, which is the one thing that opens the gap again.

import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'
import { OUTSIDE, ROOT, SOURCE, linkOutside, nameOf, tenantContent, tenantDirectory } from './ground.js'
import type { Race } from './race.js'
import { TENANT } from './swapper.js'

const TMPFS: Filesystem = { type: 'tmpfs', source: 'one', options: ['size=64k'] }
const tmpfs = { tmpfs: typeRule('tmpfs', ['*']) }

const PARENT = `${ROOT}/tenant`

/** A directory below the root with a directory in it and a link, of which the tenant can exchange the names. */
const prepareParent = (): void => {
  tenantDirectory(PARENT)
  tenantDirectory(`${PARENT}/sub`)
  linkOutside(`${PARENT}/link`)
}

const belowParent = {
  root: ROOT,
  own: ROOT,
  types: tmpfs,
  pairs: [[`${PARENT}/sub`, `${PARENT}/link`]],
  mountpoint: (lane: number): string => `${PARENT}/sub/${nameOf(lane)}`,
  filesystem: () => TMPFS,
  signs: false,
} as const satisfies Partial<Race>

const parent: Race = { ...belowParent, name: 'a parent of the tenant', prepare: prepareParent }

/** Given to the tenant when all is mounted, and taken back: between the two nothing may be unmounted. */
const parentLater: Race = {
  ...belowParent,
  name: 'a parent that becomes the tenant’s',
  prepare: () => {
    prepareParent()
    for (const path of [PARENT, `${PARENT}/sub`]) chownSync(path, 0, 0)
  },
  between: { begin: () => chownSync(PARENT, TENANT, 0), end: () => chownSync(PARENT, 0, 0) },
}

/** mount(2) and umount2(2) follow a link as the last component. */
const lastComponent: Race = {
  ...belowParent,
  name: 'the last component',
  prepare: () => {
    tenantDirectory(PARENT)
    for (const lane of [0, 1, 2, 3, 4, 5]) {
      tenantDirectory(`${PARENT}/${nameOf(lane)}`)
      symlinkSync(`${OUTSIDE}/${nameOf(lane)}`, `${PARENT}/link-${lane}`)
    }
  },
  pairs: [0, 1, 2, 3, 4, 5].map((lane) => [`${PARENT}/${nameOf(lane)}`, `${PARENT}/link-${lane}`] as const),
  mountpoint: (lane) => `${PARENT}/${nameOf(lane)}`,
}

const ABOVE = '/srv/above'

/** Safe when the manager starts, and opened to all by a careless administrator while it runs. */
const root: Race = {
  ...belowParent,
  name: 'a root, its parent opened after the start',
  root: `${ABOVE}/mounts`,
  own: ABOVE,
  prepare: () => {
    mkdirSync(`${ABOVE}/mounts`, { recursive: true, mode: 0o755 })
    linkOutside(`${ABOVE}/link`)
  },
  pairs: [[`${ABOVE}/mounts`, `${ABOVE}/link`]],
  mountpoint: (lane) => `${ABOVE}/mounts/${nameOf(lane)}`,
  around: { begin: () => chmodSync(ABOVE, 0o777), end: () => chmodSync(ABOVE, 0o755) },
}

const TENANTS = `${SOURCE}/tenant`

const prepareSource = (): void => {
  tenantDirectory(TENANTS)
  writeFileSync(`${TENANTS}/who`, 'tenant')
  tenantContent(`${TENANTS}/one`)
  linkOutside(`${TENANTS}/link`)
  mkdirSync(`${SOURCE}/empty`)
}

const sources = {
  root: ROOT,
  own: ROOT,
  prepare: prepareSource,
  pairs: [[`${TENANTS}/one`, `${TENANTS}/link`]],
  mountpoint: (lane: number): string => `${ROOT}/${nameOf(lane)}`,
  signs: true,
} as const satisfies Partial<Race>

const sourceOf = (lane: number): string => `${TENANTS}/one${lane % 2 === 0 ? '' : '/deep'}`

const bind: Race = {
  ...sources,
  name: 'the source of a bind',
  knownByName: true,
  types: { bind: typeRule('bind', [`${SOURCE}/`]) },
  filesystem: (lane) => ({ type: 'bind', source: sourceOf(lane), options: [] }),
}

const overlay: Race = {
  ...sources,
  name: 'the layers of an overlay',
  types: { overlay: typeRule('overlay', ['overlay', `${SOURCE}/`]) },
  filesystem: (lane) => ({
    type: 'overlay',
    source: 'overlay',
    options: [`lowerdir=${SOURCE}/empty:${sourceOf(lane)}`],
  }),
}

const bindfs: Race = {
  ...sources,
  name: 'the source of bindfs',
  types: { 'fuse.bindfs': typeRule('fuse.bindfs', [`${SOURCE}/`]) },
  // A third of them begins at what only root can exchange, and shows how its content is exchanged.
  filesystem: (lane) => ({ type: 'fuse.bindfs', source: lane % 3 === 0 ? TENANTS : sourceOf(lane), options: [] }),
}

/** All that has to hold. */
export const RACES: readonly Race[] = [parent, parentLater, lastComponent, root, bind, overlay, bindfs]

/** The same as the last component, but that the tenant is trusted. */
export const TRUSTED: Race = {
  ...lastComponent,
  name: 'the last component, its owner trusted',
  isProof: true,
  trustedOwners: { [ROOT]: [TENANT] },
}
