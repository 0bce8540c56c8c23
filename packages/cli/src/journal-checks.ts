// What `doctor` says of the journal, and its repair: the only thing that a doctor ever writes, and never beside a manager.

import type { JournalFailed } from '@mountkeeper/runtime'
import type { Examined, LostLine, Repaired } from '@mountkeeper/journal'
import type { Check } from '@mountkeeper/linux'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from 'mountkeeper/parts'
import { counted, stopFailure } from 'mountkeeper/parts'

/** More lost lines than this are only counted: they are in the file that is kept. */
const LOST_SHOWN_MAX = 20

const sized = ({ head, bytes, facts }: Examined): string =>
  `format ${head?.format ?? 'unknown'}, ${bytes} bytes, ${counted(facts, 'fact')}`

const faultCheck = (seen: Examined, directory: string): Check => {
  const { path: name, fault } = seen
  if (fault === undefined) return { name, ok: 'ok', text: sized(seen) }
  const where = `line ${fault.line}: ${fault.why}`
  if (fault._tag === 'Newer') return { name, ok: 'fail', text: where, mend: 'start that version' }
  if (fault._tag === 'Damaged') {
    const mend = `mountkeeper doctor --state-dir ${directory} --repair keeps the damaged file and saves every readable line`
    return { name, ok: 'fail', text: where, mend }
  }
  const torn = seen.bytes - seen.wholeBytes
  const text = `${sized(seen)}, and ${torn} bytes of an incomplete last write (${where})`
  return {
    name,
    ok: 'warn',
    text,
    mend: 'nothing to do: either a running manager is writing them, or the next start truncates them',
  }
}

const unreadable = (directory: string, { why }: JournalFailed): Check => ({
  name: `${directory}/journal`,
  ok: 'fail',
  text: why,
})

/** How the journal of a state directory is; changes nothing. */
export const journalChecks = async (directory: string): Promise<readonly Check[]> => {
  const { examineJournal, journalProblem } = await import('@mountkeeper/journal')
  const problem = await journalProblem(directory)
  if (problem !== undefined) return [unreadable(directory, problem)]
  const examined = await examineJournal(directory)()
  if (E.isLeft(examined)) return [unreadable(directory, examined.left)]
  const { right: seen } = examined
  if (seen !== undefined) return [faultCheck(seen, directory)]
  return [{ name: `${directory}/journal`, ok: 'ok', text: 'no journal yet; the first run creates it' }]
}

const lostText = (lost: readonly LostLine[]): string => {
  if (lost.length === 0) return 'every line is readable, but some are missing'
  const shown = lost.slice(0, LOST_SHOWN_MAX).map(({ line, why }) => `line ${line}: ${why}`)
  const more = lost.length > LOST_SHOWN_MAX ? `, and ${lost.length - LOST_SHOWN_MAX} more` : ''
  return `lost: ${shown.join(', ')}${more}`
}

const repairCheck = (repaired: Repaired): Check => {
  const name = 'repair'
  if (repaired._tag === 'NotNeeded') return { name, ok: 'ok', text: 'the journal is not damaged; nothing was changed' }
  const { kept, facts, lost, knowsBoot } = repaired
  const saved = `the journal was rebuilt with ${counted(facts, 'fact')}; ${lostText(lost)}; the damaged file is kept as ${kept}`
  const coming =
    'run: at start the manager recovers what is missing from the mount table and the inventory; then compare its status'
  if (knowsBoot) return { name, ok: 'warn', text: saved, mend: coming }
  const text = `${saved}; it no longer records in which boot its mounts were made, so the manager treats none of them as its own`
  const mend = `${coming}, and where it shows lost although something is mounted, unmount that by hand, or forget the mountpoint and let the next attach adopt it`
  return { name, ok: 'warn', text, mend }
}

/** Rebuilds a damaged journal, under the lock of its directory. */
export const repair = async (directory: string): Promise<E.Either<Failure, Check>> => {
  const { linuxLocks } = await import('@mountkeeper/linux')
  const lock = await linuxLocks().acquire([directory])()
  if (E.isLeft(lock)) return E.left(stopFailure(lock.left.why))
  try {
    const { repairJournal } = await import('@mountkeeper/journal')
    const repaired = await repairJournal(directory)()
    return E.isLeft(repaired) ? E.left(stopFailure(repaired.left.why)) : E.right(repairCheck(repaired.right))
  } finally {
    await lock.right.release()
  }
}
