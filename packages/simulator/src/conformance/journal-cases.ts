// The promises of a journal, one case each.

import type { Fact } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import type { Journal } from '@mountkeeper/runtime'
import { broken, CASE_LIMIT_MS, casesFor, shown } from './case.js'
import type { PortCase, Subject } from './case.js'
import type { PortTestOptions } from './host-cases.js'

/** A journal to be judged. */
export interface JournalSubject extends Subject {
  /** Empty, and not read yet. */
  readonly journal: Journal
  /** Ends that journal and gives one of the next life on what the first has made durable. */
  readonly reopen: () => Promise<Journal>
}

const held = (index: number): Fact => ({
  _tag: 'Held',
  at: index,
  mountpoint: `/srv/mounts/m${index}`,
  volume: `volume-${index}`,
  consumer: 'vm "\u{1F600}"\n',
  since: index,
  knowledge: 'request',
})

const released = (index: number): Fact => ({
  _tag: 'Left',
  at: index,
  mountpoint: `/srv/mounts/m${index}`,
  volume: `volume-${index}`,
  consumer: 'vm "\u{1F600}"\n',
})

const read = async (journal: Journal): Promise<readonly Fact[]> => {
  const all = await journal.read()
  return all._tag === 'Right' ? all.right : broken(`read failed: ${all.left.why}`)
}

const append = async (journal: Journal, facts: readonly Fact[]): Promise<void> => {
  const done = await journal.append(facts)()
  if (done._tag === 'Left') broken(`an append failed: ${done.left.why}`)
}

const same = (expected: readonly Fact[], found: readonly Fact[]): void => {
  const [asked, got] = [shown(snapshot(expected)), shown(snapshot(found))]
  if (asked !== got)
    broken(`${expected.length} facts were appended that say ${asked}, and those that are read say ${got}`)
}

const empty = async ({ journal }: JournalSubject): Promise<void> => {
  const all = await read(journal)
  if (all.length > 0) broken(`a new journal has ${shown(all)}`)
}

const survives = async ({ journal, reopen }: JournalSubject): Promise<void> => {
  await read(journal)
  const facts = [held(1), held(2), released(1)]
  for (const fact of facts) await append(journal, [fact])
  const next = await reopen()
  same(facts, await read(next))
  await append(next, [released(2)])
}

const ordered = async ({ journal, reopen }: JournalSubject): Promise<void> => {
  await read(journal)
  const writes = Array.from({ length: 50 }, (_, index) => [held(index), ...(index % 2 === 0 ? [released(index)] : [])])
  await Promise.all(writes.map((facts) => append(journal, facts)))
  same(writes.flat(), await read(await reopen()))
}

/**
 * The promises of a `Journal` as cases.
 *
 * @example for (const { name, law, run } of journalTests(make)) test(`${law} ${name}`, run)
 */
export const journalTests = (
  make: () => Promise<JournalSubject>,
  { limitMs = CASE_LIMIT_MS }: PortTestOptions = {},
): readonly PortCase[] => {
  const one = casesFor(make, limitMs)
  return [
    one('a new journal is empty', 'L30', empty),
    one('the next life reads what was appended, oldest first', 'L30', survives),
    one('appends that overlap keep the order of their calls', 'L46', ordered),
  ]
}
