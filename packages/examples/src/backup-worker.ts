// A backup worker: many jobs use one remote at the same time. The first one mounts it, the last one unmounts it, and no job counts.

import { isMountkeeperError } from 'mountkeeper'
import type { Keeper } from 'mountkeeper'

/** Where backups go to. */
export interface Remote {
  readonly id: string
  readonly filesystem: Parameters<Keeper['attach']>[0]['filesystem']
}

/** How a remote is reached by its jobs. */
export interface Access {
  readonly keeper: Keeper
  readonly root: string
  /** Waits before the next attempt, ms. */
  readonly wait: (ms: number) => Promise<void>
}

const ATTEMPTS = 3
const PAUSE_MS = 5_000

/** Attaches; a server that does not answer now may answer later, a wrong option never does. */
const attach = async ({ keeper, wait }: Access, request: Parameters<Keeper['attach']>[0]): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await keeper.attach(request)
      return
    } catch (error) {
      if (attempt === ATTEMPTS || !isMountkeeperError(error) || !error.retryable) throw error
      await wait(PAUSE_MS)
    }
  }
}

/** Runs a job with its remote mounted, and gives what the job gives. */
export const withRemote = async <Result>(
  access: Access,
  remote: Remote,
  job: string,
  run: (directory: string) => Promise<Result>,
): Promise<Result> => {
  const attachment = { mountpoint: `${access.root}/${remote.id}`, volume: remote.id, consumer: job }
  await attach(access, { ...attachment, filesystem: remote.filesystem })
  try {
    return await run(attachment.mountpoint)
  } finally {
    await access.keeper.detach(attachment)
  }
}
