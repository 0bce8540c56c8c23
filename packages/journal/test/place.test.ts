// Where a journal is: a file or a directory that another user has, or could have put there, is refused before anything of it is
// believed, with the command that puts it right.

import { describe, expect, test } from 'vitest'
import type { Disk, Place } from '../src/index.js'
import { createFileJournal, encodeHead, encodeWrite, repairJournal } from '../src/index.js'
import { held } from './facts.js'
import { createModelDisk, systemError } from './model-disk.js'

const DIRECTORY = '/state'
const FILE = `${DIRECTORY}/journal`

/** A disk with a journal, of which one look finds something else. */
const seeing = async (path: string, seen: Partial<Place> | Error) => {
  const model = createModelDisk()
  const file = await model.open(FILE, 'create')
  await file.write(Buffer.from(encodeHead(0) + encodeWrite([held(1)])), 0)
  await file.flush()
  await model.flushDirectory(DIRECTORY)
  const done = model.done.length
  const disk: Disk = {
    ...model,
    uid: () => 7,
    look: async (looked) => {
      if (looked !== path) return { ...(await model.look(looked)), uid: 7 }
      if (seen instanceof Error) throw seen
      return { ...(await model.look(looked)), uid: 7, ...seen }
    },
  }
  return { disk, done: () => model.done.slice(done).filter((what) => !what.startsWith('remove')) }
}

const refusal = async (disk: Disk): Promise<string> => {
  const journal = createFileJournal({ directory: DIRECTORY, disk })
  const read = await journal.read()
  await journal.close('drain')
  return read._tag === 'Left' ? read.left.why : `read ${read.right.length}`
}

const IF_BELIEVED = 'if what is in it is to be believed:'

describe('the file of a journal', () => {
  test.each<readonly [Partial<Place>, string]>([
    [{ uid: 8 }, `${FILE} belongs to user 8, not to 7; ${IF_BELIEVED} chown 7 ${FILE}`],
    [{ mode: 0o620 }, `${FILE} can be written by others (mode 620); ${IF_BELIEVED} chmod 0600 ${FILE}`],
    [{ mode: 0o602 }, `${FILE} can be written by others (mode 602); ${IF_BELIEVED} chmod 0600 ${FILE}`],
  ])('%j is refused, and neither read nor changed', async (seen, why) => {
    const { disk, done } = await seeing(FILE, seen)
    expect(await refusal(disk)).toBe(why)
    expect(await repairJournal(DIRECTORY, disk)()).toMatchObject({ left: { why } })
    expect(done()).toEqual([])
  })

  test.each<Partial<Place>>([{ mode: 0o644 }, { mode: 0o600 }, { isFile: false, uid: 8, mode: 0o777 }])(
    '%j is opened, which says what it is',
    async (seen) => {
      const { disk } = await seeing(FILE, seen)
      expect(await refusal(disk)).toBe('read 1')
    },
  )

  test('that is not there is made', async () => {
    const { disk } = await seeing(FILE, systemError('ENOENT'))
    expect(await refusal(disk)).toBe('read 1')
  })

  test('that cannot be looked at is refused with what the system said', async () => {
    const { disk, done } = await seeing(FILE, systemError('EIO'))
    expect(await refusal(disk)).toMatch(new RegExp(`^${FILE} cannot be looked at: the device failed \\(EIO\\); `))
    expect(done()).toEqual([])
  })
})

describe('the state directory', () => {
  test.each<readonly [Partial<Place> | Error, string]>([
    [{ isDirectory: false }, 'is no directory; name the directory itself'],
    [{ uid: 8 }, `belongs to user 8, not to 7; chown 7 ${DIRECTORY}`],
    [{ mode: 0o701 }, `is open to others (mode 701); chmod 0700 ${DIRECTORY}`],
    [{ mode: 0o740 }, `is open to others (mode 740); chmod 0700 ${DIRECTORY}`],
    [systemError('ENOENT'), `does not exist; create it: install -d -m 0700 ${DIRECTORY}`],
    [systemError('EACCES'), 'cannot be looked at (EACCES); make it accessible'],
  ])('%j is refused', async (seen, why) => {
    const { disk, done } = await seeing(DIRECTORY, seen)
    expect(await refusal(disk)).toBe(`the state directory ${DIRECTORY} ${why}`)
    expect(done()).toEqual([])
  })
})
