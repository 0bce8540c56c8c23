// Reading the file of a journal from its beginning to its end, changing nothing.

import type { Fact } from '@mountkeeper/core'
import type { DiskFile } from './disk.js'
import type { Scanned } from './scan.js'
import { createScan } from './scan.js'

/** How much is read at once where no caller waits, in bytes. */
const CHUNK_BYTES = 1024 * 1024

/** Gives the file to `push` in chunks, up to `until`; stops early where the file does. */
export const readChunks = async (
  file: DiskFile,
  until: number,
  chunkBytes: number,
  push: (chunk: Uint8Array) => void | Promise<void>,
  from = 0,
): Promise<void> => {
  for (let at = from; at < until;) {
    const chunk = await file.read(at, Math.min(chunkBytes, until - at))
    if (chunk.length === 0) return
    await push(chunk)
    at += chunk.length
  }
}

/** Reads all of it; `take` hears each fact. */
export const scanFile = async (file: DiskFile, take: (fact: Fact) => void): Promise<Scanned> => {
  const scan = createScan(take)
  await readChunks(file, await file.size(), CHUNK_BYTES, scan.push)
  return scan.end()
}
