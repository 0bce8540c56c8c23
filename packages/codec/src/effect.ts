// Effects as JSON, for traces.

import type { Effect, EffectId } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { filesystemCodec, mountOptionCodec } from './filesystem.js'
import { identityCodec, rootIdentityCodec } from './found.js'
import { branded, list, maybe, oneOf, optional, record, tagged, text, truth, wholeNumber } from './shape.js'

/** The number of an effect. */
export const effectIdCodec: Codec<EffectId> = branded(wholeNumber, effectId)

const there = { effect: effectIdCodec, mountpoint: text }
const bounded = { deadlineMs: wholeNumber }
const rooted = { root: maybe(rootIdentityCodec), ...bounded }

/** An effect. */
export const effectCodec: Codec<Effect> = tagged('_tag', 'an effect', {
  Look: { ...there, filesystem: maybe(filesystemCodec), layer: optional(identityCodec), ...rooted },
  MakeDirectory: { ...there, ...rooted },
  Mount: { ...there, filesystem: filesystemCodec, options: list(mountOptionCodec), ...rooted },
  Unmount: {
    ...there,
    filesystem: maybe(filesystemCodec),
    identity: identityCodec,
    how: oneOf({ plain: true, force: true, lazy: true }),
    mayHang: truth,
    ...rooted,
  },
  RemoveDirectory: { ...there, ...rooted },
  Probe: { ...there, filesystem: filesystemCodec, ...bounded },
  Wait: {
    effect: effectIdCodec,
    mountpoint: maybe(text),
    why: oneOf({
      settle: true,
      'unmount-retry': true,
      'back-off': true,
      'keep-mounted': true,
      'discovery-retry': true,
    }),
    delayMs: wholeNumber,
  },
  Discover: {
    effect: effectIdCodec,
    roots: list(text),
    known: list(
      record<Extract<Effect, { _tag: 'Discover' }>['known'][number]>('a mountpoint', {
        mountpoint: text,
        filesystem: maybe(filesystemCodec),
        layer: optional(identityCodec),
      }),
    ),
    ...bounded,
  },
})
