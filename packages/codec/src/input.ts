// Inputs as JSON, for traces: with them, a run can be folded again anywhere.

import type { Input, RequestId } from '@mountkeeper/core'
import { requestId } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { effectIdCodec } from './effect.js'
import { commandErrorCodec, effectFoundCodec, sourceSeenCodec } from './found.js'
import { requestCodec } from './request.js'
import { branded, list, maybe, moment, oneOf, optional, tagged, text, wholeNumber } from './shape.js'

/** The number that a driver gave to a request. */
export const requestIdCodec: Codec<RequestId> = branded(wholeNumber, requestId)

const ofEffect = { at: moment, effect: effectIdCodec, mountpoint: maybe(text) }

/** An input. */
export const inputCodec: Codec<Input> = tagged('_tag', 'an input', {
  Requested: { at: moment, request: requestIdCodec, body: requestCodec, stream: optional(text) },
  Outcome: {
    ...ofEffect,
    found: effectFoundCodec,
    error: optional(commandErrorCodec),
    source: optional(sourceSeenCodec),
    elsewhere: optional(text),
    submounts: optional(list(text)),
    missingHelper: optional(text),
  },
  Ended: ofEffect,
  Granted: { at: moment, mountpoint: text },
  Deadline: { at: moment, request: requestIdCodec },
  Observed: { at: moment, mountpoint: text },
  Stopped: { at: moment, how: oneOf({ drain: true, hard: true }) },
})
