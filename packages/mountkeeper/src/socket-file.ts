// The file of a socket: made with no right for others before it gets its owner and mode, in a directory where no other user could put
// something else in its place.

import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:net'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { SocketSettings } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from './failure.js'
import { fileProblem, stopFailure } from './failure.js'

/** The longest path that a socket can have: `sun_path` of unix(7), without its end. */
const PATH_BYTES_MAX = 107
const OWNER_ONLY = 0o177
const OTHERS = 0o077
/** Connections that the kernel keeps until they are accepted; Node accepts one in each turn of its loop. */
const WAITING_MAX = 1_024

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

const unsafeDirectory = async (path: string): Promise<string | undefined> => {
  const { safePath, trustFor } = await import('@mountkeeper/linux')
  const safe = safePath(dirname(path), trustFor(process.geteuid?.() ?? 0))
  if (E.isRight(safe)) return undefined
  if (safe.left._tag === 'Unreached') return `its directory cannot be reached: ${safe.left.why}`
  const { why, command } = safe.left.unsafe
  return `its directory is not safe: ${why}; fix it with: ${command}`
}

/** Removes what a server that was killed has left; why it may not be removed. */
const removeStale = async (path: string): Promise<string | undefined> => {
  try {
    if (!lstatSync(path).isSocket()) return 'is there and is no socket; move it away'
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : fileProblem(error)
  }
  if (await isAnswered(path)) return 'is answered by another process; stop that one, or configure another path'
  unlinkSync(path)
  return undefined
}

const listening = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', resolve)
    // The file is made before listen returns, so that no other code runs under this mask.
    const mask = process.umask(OWNER_ONLY)
    try {
      server.listen({ path, backlog: WAITING_MAX })
    } finally {
      process.umask(mask)
    }
  })

const failing =
  (path: string) =>
  (why: string): E.Either<Failure, never> =>
    E.left(stopFailure(`the socket ${path} ${why}`))

/** Gives the file its owner and mode: none that it had before may be opened by others meanwhile. */
export const setOwner = ({ path, mode, owner, group }: SocketSettings): E.Either<Failure, void> => {
  try {
    chmodSync(path, mode & ~OTHERS)
    chownSync(path, owner ?? process.geteuid?.() ?? 0, group ?? process.getegid?.() ?? 0)
    chmodSync(path, mode)
    return E.right(undefined)
  } catch (error) {
    return failing(path)(fileProblem(error))
  }
}

/** Listens on a socket file; or why not. */
export const listenOn = async (server: Server, settings: SocketSettings): Promise<E.Either<Failure, void>> => {
  const { path } = settings
  const failed = failing(path)
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return failed(`is longer than ${PATH_BYTES_MAX} bytes`)
  const unsafe = (await unsafeDirectory(path)) ?? (await removeStale(path))
  if (unsafe !== undefined) return failed(unsafe)
  try {
    await listening(server, path)
  } catch (error) {
    server.close()
    return failed(fileProblem(error))
  }
  const set = setOwner(settings)
  if (E.isLeft(set)) server.close()
  return set
}
