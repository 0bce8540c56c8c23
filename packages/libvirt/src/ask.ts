// One inventory: one virsh, however many domains, and the limit that it is ended at.

import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { FilesInUse, InventoryFailed } from '@mountkeeper/runtime'
import type { LibvirtOptions } from './options.js'
import type { Read } from './read.js'
import { readAll } from './read.js'
import type { Session } from './session.js'
import { openSession } from './session.js'

/** Runs a conversation, and ends it at the limit whatever virsh does. */
const within = async <A>(
  options: LibvirtOptions,
  limitMs: number,
  talk: (session: Session) => Promise<Read<A>>,
): Promise<Read<A>> => {
  let timer: NodeJS.Timeout | undefined
  let late = false
  let open: Session | undefined
  const limit = new Promise<Read<A>>((settle) => {
    timer = setTimeout(() => {
      late = true
      const why = `virsh gave no answer within ${limitMs} ms`
      settle(left(why))
      open?.close(why)
    }, limitMs)
  })
  const conversation = async (): Promise<Read<A>> => {
    const session = await openSession({ uri: options.uri, program: options.program ?? 'virsh', options: [] })
    if (typeof session === 'string') return left(session)
    open = session
    // It was started too late to be asked.
    if (late) session.close('')
    return talk(session)
  }
  try {
    return await Promise.race([conversation(), limit])
  } finally {
    clearTimeout(timer)
    open?.close('')
  }
}

/** All files that domains use, wherever they are; all or nothing. */
export const askLibvirt = async (
  options: LibvirtOptions,
  limitMs: number,
): Promise<Either<InventoryFailed, FilesInUse>> => {
  const startedAt = Date.now()
  const read = await within(options, Math.min(options.limitMs, limitMs), readAll)
  return read._tag === 'Left'
    ? left({ _tag: 'InventoryFailed', why: `libvirt at ${options.uri}: ${read.left}` })
    : right({ startedAt, files: read.right })
}
