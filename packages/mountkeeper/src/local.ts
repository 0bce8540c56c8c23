// A manager in this process as the one who serves a keeper.

import type { MountManager } from '@mountkeeper/runtime'
import type { Asks, Operation, Results } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import type { Backend } from './keeper.js'
import { answerQuestion } from './questions.js'
import type { RefusalOf } from './refusal.js'

type Asking = (request: unknown) => () => Promise<Either<RefusalOf<Operation>, Results[Operation]>>

/** Asks a manager; `close` ends it as its owner wants. */
export const localBackend = (
  manager: MountManager,
  close: Backend['close'],
  question: Backend['question'] = (asked) => answerQuestion(manager, asked),
): Backend => {
  const methods: Readonly<Record<Operation, unknown>> = {
    attach: manager.attach,
    detach: manager.detach,
    release: manager.release,
    cancel: manager.cancel,
    'host-up': manager.hostUp,
    'host-down': manager.hostDown,
    status: manager.status,
    reconcile: manager.reconcile,
    retry: manager.retry,
    forget: manager.forget,
    'refuse-new': manager.refuseNew,
    'allow-new': manager.allowNew,
  }
  return {
    // The table of the runtime gives each operation its own types; here they are taken together and given back.
    ask: <Op extends Operation>(op: Op, request: Asks[Op]) =>
      (methods[op] as Asking)(request)() as Promise<Either<RefusalOf<Op>, Results[Op]>>,
    plan: (requests) => manager.plan(requests)(),
    question,
    close,
  }
}
