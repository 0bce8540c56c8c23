// A manager that is up, or none at all: the way to begin for who embeds it.

import type { Up } from '@mountkeeper/core'
import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { MountManager, MountManagerOptions } from './manager.js'
import { createMountManager } from './manager.js'

/** A manager that is up, and what it found when it came up. */
export interface Started {
  readonly manager: MountManager
  readonly up: Up
}

/** Why there is no manager that is up; nothing of it is left. */
export interface NotStarted {
  readonly _tag: 'NotStarted'
  /** One sentence. */
  readonly why: string
}

/**
 * Makes a manager and brings its host up. One that does not come up is stopped before this resolves: it does nothing more, and
 * the same roots and the same journal may be tried again.
 */
export const startMountManager =
  (options: MountManagerOptions): TaskEither<NotStarted, Started> =>
  async () => {
    const notStarted = (why: string): Either<NotStarted, never> => left({ _tag: 'NotStarted', why })
    const created = await createMountManager(options)()
    if (created._tag === 'Left') {
      const { left: refusal } = created
      return notStarted(refusal._tag === 'Invalid' ? `${refusal.field}: ${refusal.why}` : refusal.why)
    }
    const manager = created.right
    const up = await manager.hostUp()()
    if (up._tag === 'Right') return right({ manager, up: up.right })
    await manager.stop({ hard: true })
    const { left: refusal } = up
    return notStarted(`the host did not come up: ${'reason' in refusal ? refusal.reason : refusal._tag}`)
  }
