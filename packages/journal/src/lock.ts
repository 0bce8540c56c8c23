// The lock of a journal. flock(1) takes it on a descriptor that it is given and ends; the lock stays with the descriptor, which is
// ours and no child's, so that it ends with this process at the latest. Two in one process are two as well.

import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'

const OWN = 0o600
/** flock(1) ends with it when another one has the lock. */
const TAKEN = 75
/** Where the descriptor is in the child. */
const GIVEN = 3

const flock = (file: FileHandle): Promise<number> =>
  new Promise((resolve, reject) => {
    const args = ['-x', '-n', '-E', String(TAKEN), String(GIVEN)]
    const child = spawn('flock', args, { stdio: ['ignore', 'ignore', 'ignore', file.fd] })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? -1))
  })

/** See `Disk`. */
export const lockFile = async (path: string): Promise<(() => Promise<void>) | undefined> => {
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  const file = await open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, OWN)
  try {
    const code = await flock(file)
    if (code === 0) return () => file.close()
    if (code !== TAKEN) throw new Error(`flock ended with ${code}`)
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}
