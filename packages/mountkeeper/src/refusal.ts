// What a keeper refuses with, and what each refusal means for its caller: a sentence, whether the same request may succeed
// later, and what to do. The refusals of the core, and those that only a keeper has.

import type { Refusal } from '@mountkeeper/core'
import type { Operation, Refusals } from '@mountkeeper/runtime'
import { refusalWords } from './answer-words.js'

/** The server of a socket gave no answer in time; whether the request was served is unknown. */
export interface Unreachable {
  readonly _tag: 'Unreachable'
  /** One sentence. */
  readonly why: string
}

/** There is no keeper: its configuration, its locks, its journal or its host is not as it has to be. */
export interface NotOpened {
  readonly _tag: 'NotOpened'
  /** One sentence. */
  readonly why: string
  /** `usage`: what was asked for is wrong, and stays so. `stop`: the state of this host was in the way. */
  readonly by: 'usage' | 'stop'
}

/** A task was awaited and not called. */
export interface NotCalled {
  readonly _tag: 'NotCalled'
}

/** What only a keeper refuses with. */
export type KeeperRefusal = Unreachable | NotOpened | NotCalled

/** All that an operation of a keeper can be refused with. */
export type RefusalOf<Op extends Operation> = Refusals[Op] | Unreachable

/** Anything that a keeper refuses with. */
export type AnyRefusal = Refusal | KeeperRefusal

/** What a refusal means for its caller. */
export interface Explained {
  /** Why; one sentence without an end. */
  readonly sentence: string
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean
  /** What to do. */
  readonly advice: string
}

const ADVICE: Readonly<Record<AnyRefusal['_tag'], string>> = {
  Invalid: 'change the field that is named',
  NotManaged: 'use a path below a managed root, or add the root to the configuration',
  HostDown: 'wait until the host is up, then repeat the request',
  DiscoveryFailed: 'remove the reason; the host comes up by itself or with a host-up',
  Overloaded: 'repeat the request later, with fewer at the same time',
  Conflict: 'use another mountpoint, or wait until the holders of the other filesystem have detached',
  Foreign: 'unmount it by hand, or allow its adoption by the policy foreign: adopt',
  MountFailed: 'read the message of the command, remove the reason, then repeat the request',
  Broken: 'repair the server or the device behind the mountpoint, then repeat the request',
  Uncertain: 'nothing was destroyed: repeat the request, and read status where it stays so',
  Maintenance: 'wait until the maintenance has ended (allow-new)',
  InUse: 'detach its holders first, or force it',
  Cancelled: 'nothing was done: repeat the request if it is wanted again',
  Stopped: 'repeat the request after the restart of the manager',
  Superseded: 'bring the host up again if it is wanted',
  TooLate: 'wait for the answer of the request itself',
  NotFound: 'check the name; there may be nothing to do',
  InFlight: 'wait until the operation has ended, then repeat the request',
  Unreachable: 'check that the server runs; then repeat the request, which is safe',
  NotOpened: 'change what the sentence names, then open it again',
  NotCalled: 'call the task: await keeper.task.attach(request)()',
}

const RETRYABLE: ReadonlySet<AnyRefusal['_tag']> = new Set<AnyRefusal['_tag']>([
  'HostDown',
  'DiscoveryFailed',
  'Overloaded',
  'Broken',
  'Uncertain',
  'Maintenance',
  'Stopped',
  'InFlight',
  'Unreachable',
])

/** A mount that failed by its command may succeed later; one without its helper or its source does not by itself. */
const isRetryable = (refusal: AnyRefusal): boolean => {
  if (refusal._tag === 'MountFailed') return refusal.step === 'mount'
  if (refusal._tag === 'NotOpened') return refusal.by === 'stop'
  return RETRYABLE.has(refusal._tag)
}

const sentenceOf = (refusal: AnyRefusal): string => {
  switch (refusal._tag) {
    case 'Unreachable':
    case 'NotOpened':
      return refusal.why
    case 'NotCalled':
      return 'a task was awaited, and not called, so that nothing was asked'
    default:
      return refusalWords(refusal).text
  }
}

/** What a refusal means for its caller. */
export const explain = (refusal: AnyRefusal): Explained => ({
  sentence: sentenceOf(refusal),
  retryable: isRetryable(refusal),
  advice: ADVICE[refusal._tag],
})
