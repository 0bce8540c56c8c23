// What the promises of a keeper reject with.

import type { AnyRefusal } from './refusal.js'
import { explain } from './refusal.js'

/** What a request was about, for the message. */
export interface About {
  /** Such as `attach /srv/mounts/a`. */
  readonly subject?: string
  readonly cause?: unknown
}

/**
 * A request that was refused, as an Error. `code` is the tag of the refusal; `isMountkeeperError(error, 'Conflict')`
 * narrows `refusal` to the fields of that one.
 */
export class MountkeeperError<Refused extends AnyRefusal = AnyRefusal> extends Error {
  override readonly name = 'MountkeeperError'
  /** The tag of the refusal, such as `Conflict`. */
  readonly code: Refused['_tag']
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean
  /** What to do, one sentence. */
  readonly advice: string
  /** The refusal, with all that is known. */
  readonly refusal: Refused

  constructor(refusal: Refused, { subject, cause }: About = {}) {
    const { sentence, retryable, advice } = explain(refusal)
    const what = subject === undefined ? '' : `${subject}: `
    super(`${what}${refusal._tag}: ${sentence}; ${advice}`, cause === undefined ? {} : { cause })
    this.code = refusal._tag
    this.retryable = retryable
    this.advice = advice
    this.refusal = refusal
  }
}

/** The refusal with one tag. */
export type RefusalTagged<Tag extends AnyRefusal['_tag']> = Extract<AnyRefusal, { readonly _tag: Tag }>

/** Whether something that was caught is a refusal of a keeper; with a code, whether it is that one. */
export const isMountkeeperError = <Tag extends AnyRefusal['_tag'] = AnyRefusal['_tag']>(
  error: unknown,
  code?: Tag,
): error is MountkeeperError<RefusalTagged<Tag>> =>
  error instanceof MountkeeperError && (code === undefined || error.code === code)
