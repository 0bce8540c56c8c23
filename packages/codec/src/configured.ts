// All that is configured, and what has to hold of it as a whole, wherever its parts come from.

import type { Settings } from '@mountkeeper/core'
import { patternFault } from '@mountkeeper/types'
import type { DecodeError } from './decode-error.js'
import { indexStep, keyStep, pathOf, quoted, shownValue } from './rendering.js'
import { isWithin } from './form.js'
import type { SocketSettings } from './sockets.js'

/** Which libvirt is asked who uses what, and how patiently. */
export interface LibvirtSettings {
  readonly uri: string
  readonly limitMs: number
  readonly keepaliveSeconds: number
  readonly retryFirstMs: number
  readonly retryCeilingMs: number
}

/** The outside authority on who uses what: none, or libvirt. */
export type InventorySettings = null | { readonly libvirt: LibvirtSettings }

/** What adapters need and core does not. */
export interface AdapterSettings {
  /** The directory for the journal and the lock of the manager; without it, records are lost when the process ends. */
  readonly stateDirectory?: string
  /** From so many facts on the journal is made shorter. */
  readonly journalFactsMax: number
  /** The same from so many bytes on. */
  readonly journalBytesMax: number
  /** How often the mount table is read where the kernel's word that it has changed cannot be had, ms. */
  readonly watchIntervalMs: number
  /** By the path of a root: users beside root and the manager who may own directories above and below it. */
  readonly trustedOwners: Readonly<Record<string, readonly number[]>>
  /** Words before mount and umount, and before the kill of their process group, such as `sudo -n --`. */
  readonly prefix: readonly string[]
  /** Starts mountkeeper-exec, which then makes all changes as root; empty: the manager makes them. */
  readonly exec: readonly string[]
  readonly inventory: InventorySettings
  /** Where `mountkeeper serve` listens. */
  readonly sockets: readonly SocketSettings[]
}

/** All that is configured. */
export interface Configuration {
  readonly settings: Settings
  readonly adapter: AdapterSettings
}

const unfit = (path: string, expected: string, got: unknown): DecodeError => ({
  _tag: 'Unfit',
  path,
  expected,
  got: shownValue(got),
})

const overlap = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a)

const rootFaults = ({ settings: { roots }, adapter: { stateDirectory } }: Configuration): readonly DecodeError[] => [
  ...roots.flatMap(({ path }, index) => {
    const other = roots.slice(0, index).find((earlier) => overlap(path, earlier.path))
    if (other === undefined) return []
    return [unfit(`roots${indexStep(index)}`, `a directory apart from the root ${quoted(other.path)}`, path)]
  }),
  ...roots.flatMap(({ path }) => {
    if (stateDirectory === undefined || !overlap(path, stateDirectory)) return []
    return [unfit('stateDirectory', `a directory apart from the root ${quoted(path)}`, stateDirectory)]
  }),
]

// What is mounted below a root would hide the secrets, and a tenant would be asked for their files.
const secretFaults = ({ settings: { roots, secrets } }: Configuration): readonly DecodeError[] =>
  (secrets?.directories ?? []).flatMap((directory, index) => {
    const root = roots.find(({ path }) => overlap(path, directory))
    if (root === undefined) return []
    const expected = `a directory apart from the root ${quoted(root.path)}`
    return [unfit(`secretDirectories${indexStep(index)}`, expected, directory)]
  })

// What a pattern can never match would look as if it allowed something.
const patternFaults = ({ settings: { types } }: Configuration): readonly DecodeError[] =>
  Object.entries(types).flatMap(([name, rule]) =>
    rule.sources.flatMap((pattern, index) => {
      const expected = patternFault(rule, pattern)
      if (expected === undefined) return []
      return [unfit(pathOf(['.types', keyStep(name), '.sources', indexStep(index)]), expected, pattern)]
    }),
  )

const delayFaults = ({ settings: { delaysMs } }: Configuration): readonly DecodeError[] =>
  delaysMs.backOffFirst <= delaysMs.backOffCeiling
    ? []
    : [unfit('delays.backOffFirstMs', `at most backOffCeilingMs (${delaysMs.backOffCeiling})`, delaysMs.backOffFirst)]

const inventoryFaults = ({ adapter: { inventory } }: Configuration): readonly DecodeError[] => {
  if (inventory === null) return []
  const { retryFirstMs, retryCeilingMs } = inventory.libvirt
  if (retryFirstMs <= retryCeilingMs) return []
  return [unfit('inventory.libvirt.retryFirstMs', `at most retryCeilingMs (${retryCeilingMs})`, retryFirstMs)]
}

// With mountkeeper-exec no command of the manager's own needs a right: a prefix would be a second way to be root.
const privilegeFaults = ({ adapter: { prefix, exec } }: Configuration): readonly DecodeError[] =>
  prefix.length > 0 && exec.length > 0 ? [unfit('exec', 'an empty list, or no prefix beside it', exec)] : []

// What is mounted below a root would hide the socket.
const socketFaults = ({ settings: { roots }, adapter: { sockets } }: Configuration): readonly DecodeError[] =>
  sockets.flatMap(({ path }, index) => {
    const at = `sockets${indexStep(index)}.path`
    if (sockets.slice(0, index).some((earlier) => earlier.path === path)) return [unfit(at, 'a path of its own', path)]
    const root = roots.find((each) => overlap(path, each.path))
    return root === undefined ? [] : [unfit(at, `a path apart from the root ${quoted(root.path)}`, path)]
  })

/** What contradicts itself in a configuration. */
export const configurationFaults = (configuration: Configuration): readonly DecodeError[] => [
  ...rootFaults(configuration),
  ...secretFaults(configuration),
  ...patternFaults(configuration),
  ...delayFaults(configuration),
  ...privilegeFaults(configuration),
  ...inventoryFaults(configuration),
  ...socketFaults(configuration),
]
