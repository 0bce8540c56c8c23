// What `doctor` says of the journal, and its repair: the only thing that a doctor ever writes, and never beside a manager.

import type { JournalFailed } from '@mountkeeper/runtime'
import type { Examined, LostLine, Repaired } from '@mountkeeper/journal'
import type { Check } from '@mountkeeper/linux'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from './exit.js'
import { stopFailure } from './exit.js'
import { counted } from './transcript/words.js'

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
    const mend = `mountkeeper doctor --state-dir ${directory} --repair keeps it aside and saves what can be read`
    return { name, ok: 'fail', text: where, mend }
  }
  const torn = seen.bytes - seen.wholeBytes
  const text = `${sized(seen)}, and ${torn} bytes of a write that is not whole (${where})`
  return {
    name,
    ok: 'warn',
    text,
    mend: 'none is needed: the next start cuts them, a manager that runs is writing them',
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
  return [{ name: `${directory}/journal`, ok: 'ok', text: 'none yet; the first run makes it' }]
}

const lostText = (lost: readonly LostLine[]): string => {
  if (lost.length === 0) return 'no line of it is unreadable, but some are missing'
  const shown = lost.slice(0, LOST_SHOWN_MAX).map(({ line, why }) => `line ${line}: ${why}`)
  const more = lost.length > LOST_SHOWN_MAX ? `, and ${lost.length - LOST_SHOWN_MAX} more` : ''
  return `lost: ${shown.join(', ')}${more}`
}

const repairCheck = (repaired: Repaired): Check => {
  const name = 'repair'
  if (repaired._tag === 'NotNeeded') return { name, ok: 'ok', text: 'the journal needs none; nothing was changed' }
  const { kept, facts, lost, knowsBoot } = repaired
  const saved = `the journal was rebuilt with ${counted(facts, 'fact')}; ${lostText(lost)}; the damaged one is ${kept}`
  const coming = 'run: coming up settles what is missing by the mount table and the inventory; compare its status then'
  if (knowsBoot) return { name, ok: 'warn', text: saved, mend: coming }
  const text = `${saved}; it no longer says in which boot its mounts were made, and none of them counts as ours`
  const mend = `${coming}, and unmount by hand what it calls lost although it is mounted, or forget it and have it adopted`
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
