// The conformance kit: the promises of the ports as cases for any test runner, for implementations of one's own.

import type { PortCase } from './case.js'
import { hostPortTests } from './host-cases.js'
import type { PortTestOptions } from './host-cases.js'
import { inventoryTests } from './inventory-cases.js'
import type { InventorySubject } from './inventory-cases.js'
import { journalTests } from './journal-cases.js'
import type { JournalSubject } from './journal-cases.js'
import type { HostSubject } from './watch.js'

export { CASE_LIMIT_MS } from './case.js'
export type { PortCase, Subject } from './case.js'
export { hostPortTests } from './host-cases.js'
export type { PortTestOptions } from './host-cases.js'
export { inventoryTests } from './inventory-cases.js'
export type { InventorySubject } from './inventory-cases.js'
export { journalTests } from './journal-cases.js'
export type { JournalSubject } from './journal-cases.js'
export { simulatedSubject } from './simulated-subject.js'
export type { HostSubject } from './watch.js'

/** What to judge: each function makes a fresh subject for one case. */
export interface PortsToTest {
  /** A host with an empty managed root. */
  readonly host?: () => Promise<HostSubject>
  /** An empty journal. */
  readonly journal?: () => Promise<JournalSubject>
  /** An inventory whose authority answers. */
  readonly inventory?: () => Promise<InventorySubject>
}

/**
 * The cases for all ports that are given, whose names begin with the port.
 *
 * @example for (const { name, run } of portTests({ host, journal })) test(name, run)
 */
export const portTests = (make: PortsToTest, options: PortTestOptions = {}): readonly PortCase[] => {
  const of = (port: string, cases: readonly PortCase[]): readonly PortCase[] =>
    cases.map((each) => ({ ...each, name: `${port}: ${each.name}` }))
  return [
    ...(make.host === undefined ? [] : of('host', hostPortTests(make.host, options))),
    ...(make.journal === undefined ? [] : of('journal', journalTests(make.journal, options))),
    ...(make.inventory === undefined ? [] : of('inventory', inventoryTests(make.inventory, options))),
  ]
}
