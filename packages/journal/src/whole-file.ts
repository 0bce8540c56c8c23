// Putting a whole file in the journal's place: written under another name, made durable, renamed, and the rename made durable.
// Until the rename the old one is the journal, and from it on the new one is; a crash finds one of the two, whole.

import type { Fact } from '@mountkeeper/core'
import { encodeFact } from '@mountkeeper/codec'
import type { Disk, DiskFile } from './disk.js'
import { frame } from './frame.js'
import { encodeHead } from './head.js'
import type { Names } from './place.js'

/** How much is put together before it is written, in characters. */
const SLICE = 64 * 1024

/** Writes a head and these facts, as many as `length` says, from the beginning of a file; gives how many bytes that were. */
export const writeSnapshot = async (
  file: DiskFile,
  length: number,
  facts: Iterable<Fact>,
  goesOn: () => boolean = () => true,
): Promise<number> => {
  let at = 0
  let text = encodeHead(length)
  const put = async (): Promise<void> => {
    const bytes = Buffer.from(text)
    text = ''
    await file.write(bytes, at)
    at += bytes.length
  }
  for (const fact of facts) {
    text += frame(encodeFact(fact))
    if (text.length < SLICE) continue
    if (!goesOn()) return at
    await put()
  }
  await put()
  return at
}

/** Gives what was written under the other name its own, durably. */
export const takePlace = async (disk: Disk, { directory, journal, next }: Names): Promise<void> => {
  await disk.rename(next, journal)
  await disk.flushDirectory(directory)
}
