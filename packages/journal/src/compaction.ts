// Making the file shorter while it is being written to: what is durable now is read again and folded, its snapshot goes to a
// new file, what was appended meanwhile is copied behind it, and only the last bit of that holds up the appends. Everything is
// done in slices, so that the loop that decides is never kept waiting.

import { emptyMemory, remember, snapshotOf, snapshotSize } from '@mountkeeper/core'
import type { Disk, DiskFile } from './disk.js'
import type { Names } from './place.js'
import { readChunks } from './read.js'
import type { Fault } from './scan.js'
import { createScan } from './scan.js'
import { writeSnapshot } from './whole-file.js'

/** How a compaction is cut into steps. */
export interface CompactionLimits {
  /** So much is read, decoded and copied at once, in bytes. */
  readonly sliceBytes: number
  /** As little as this may be copied while appends wait, in bytes; more is copied before. */
  readonly heldBytesMax: number
}

/** A slice is some 2 ms of decoding. */
export const COMPACTION_LIMITS: CompactionLimits = { sliceBytes: 64 * 1024, heldBytesMax: 64 * 1024 }

/** The new file, all but the end of it: not in its place yet. */
export interface Shorter {
  readonly file: DiskFile
  readonly bytes: number
  /** How many lines its snapshot has. */
  readonly snapshot: number
  readonly snapshotBytes: number
  /** How much of the old file is in it. */
  readonly until: number
}

/** What a compaction came to. */
export type Compacted =
  | { readonly _tag: 'Ready'; readonly shorter: Shorter }
  /** The file does not hold what was written to it. */
  | { readonly _tag: 'Damaged'; readonly fault: Fault }
  | { readonly _tag: 'GivenUp' }

/** Copies a part of the journal behind what is in another file already. */
export const copyBehind = async (
  from: DiskFile,
  shorter: Shorter,
  until: number,
  { sliceBytes }: CompactionLimits,
): Promise<Shorter> => {
  let { bytes } = shorter
  const push = async (chunk: Uint8Array): Promise<void> => {
    await shorter.file.write(chunk, bytes)
    bytes += chunk.length
  }
  await readChunks(from, until, sliceBytes, push, shorter.until)
  return { ...shorter, bytes, until }
}

/** What a compaction works on. `durable`: how long the journal is now; it grows meanwhile. */
export interface CompactionOptions {
  readonly disk: Disk
  readonly names: Names
  readonly file: DiskFile
  readonly durable: () => number
  readonly goesOn: () => boolean
  readonly limits: CompactionLimits
}

/** Writes the shorter file. Rejects with what the system said; the journal is then as it was, and so is it after `GivenUp`. */
export const compact = async ({
  disk,
  names,
  file,
  durable,
  goesOn,
  limits,
}: CompactionOptions): Promise<Compacted> => {
  const memory = emptyMemory()
  const until = durable()
  const scan = createScan((fact) => remember(memory, fact))
  await readChunks(file, until, limits.sliceBytes, (chunk) => {
    if (goesOn()) scan.push(chunk)
  })
  if (!goesOn()) return { _tag: 'GivenUp' }
  const { fault } = scan.end()
  if (fault !== undefined) return { _tag: 'Damaged', fault }
  const snapshot = snapshotSize(memory)
  const next = await disk.open(names.next, 'create')
  try {
    const bytes = await writeSnapshot(next, snapshot, snapshotOf(memory), goesOn)
    let shorter: Shorter = { file: next, bytes, snapshot, snapshotBytes: bytes, until }
    while (goesOn() && durable() - shorter.until > limits.heldBytesMax) {
      shorter = await copyBehind(file, shorter, durable(), limits)
    }
    if (goesOn()) {
      // Most of it is durable before a caller has to wait for the rest.
      await next.flush()
      return { _tag: 'Ready', shorter }
    }
    await next.close()
    return { _tag: 'GivenUp' }
  } catch (error) {
    await next.close()
    throw error
  }
}
