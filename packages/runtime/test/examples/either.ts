import * as TE from 'fp-ts/lib/TaskEither.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { AttachError, AttachRequest, DetachError } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'

/** Both filesystems or none; the answer is the generation in which both are mounted. */
export const both = (
  manager: MountManager,
  one: Omit<AttachRequest, 'op'>,
  other: Omit<AttachRequest, 'op'>,
): TE.TaskEither<AttachError | DetachError, number> =>
  pipe(
    manager.attach(one),
    TE.chain(({ holder }) =>
      pipe(
        manager.attach(other),
        TE.orElse((refusal) =>
          holder === 'added'
            ? pipe(
                manager.detach(one),
                TE.chain(() => TE.left(refusal)),
              )
            : TE.left(refusal),
        ),
      ),
    ),
    TE.map(({ generation }) => generation),
  )
