// Deeds: effects of the core, run by an adapter, and what a third party does in between; as data, the same on both sides.

import * as fc from 'fast-check'
import type { Filesystem, MountpointEffect, UnmountHow } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import { at } from './model-side.js'
import type { Operation } from './operation.js'
import { operationText } from './operation.js'
import { anyOperation, sequence } from './phrase.js'
import type { Names, Place } from './snapshot.js'

/** One thing that is done. Unmounts name the layer to take off among all that there ever were, by a number that wraps. */
export type Deed =
  | { readonly _tag: 'Other'; readonly does: Operation }
  | { readonly _tag: 'Look' | 'MakeDirectory' | 'RemoveDirectory'; readonly path: string }
  | { readonly _tag: 'Mount'; readonly path: string; readonly filesystem: Filesystem }
  /** A mount whose helper exits 0 and goes on in the background; what it does there is the first `LaterComes` that is left. */
  | { readonly _tag: 'MountLater'; readonly path: string; readonly filesystem: Filesystem }
  | { readonly _tag: 'LaterComes' }
  | {
      readonly _tag: 'Unmount'
      readonly path: string
      readonly layer: number
      readonly how: UnmountHow
      readonly mayHang: boolean
    }

const path = fc.constantFrom('a', 'a/c', 'd', 'b/c', 'l')
const options = fc.subarray(['ro', 'nosuid', 'nodev', 'noexec'])

const filesystem: fc.Arbitrary<Filesystem> = fc.oneof(
  fc.record({ type: fc.constant('tmpfs'), source: fc.constantFrom('x', 'y'), options }),
  fc.record({ type: fc.constant('bind'), source: fc.constantFrom('a', 'b', 'b/c', 'l', 'none').map(at), options }),
)

const tmpfs = fc.record({ type: fc.constant('tmpfs'), source: fc.constantFrom('late', 'later'), options })

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('MountLater'), path, filesystem: tmpfs }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('LaterComes') }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('Other'), does: anyOperation }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Look'), path }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('MakeDirectory'), path }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('RemoveDirectory'), path }) },
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant('Mount'), path, filesystem }) },
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constant('Unmount'),
      path,
      layer: fc.nat(7),
      how: fc.constantFrom('plain', 'plain', 'force', 'lazy'),
      mayHang: fc.boolean(),
    }),
  },
)

/** Three to eight effects, and what others do in between. */
export const effects: fc.Arbitrary<readonly Deed[]> = fc.array(deed, { minLength: 3, maxLength: 8, size: 'max' })

/** Two to eight operations. */
export const operations: fc.Arbitrary<readonly Deed[]> = sequence.map((list) =>
  list.map((does): Deed => ({ _tag: 'Other', does })),
)

/** A deed on one line. */
export const deedText = (deed: Deed): string =>
  deed._tag === 'Other' ? operationText(deed.does) : `effect ${JSON.stringify(deed)}`

/** The effect of a deed on one side; none for a layer when there never was one. */
export const effectOf = (
  deed: Exclude<Deed, { readonly _tag: 'Other' | 'LaterComes' }>,
  { root }: Place,
  names: Names,
): MountpointEffect | undefined => {
  const common = { effect: effectId(1), mountpoint: at(deed.path), root, deadlineMs: 20_000 }
  switch (deed._tag) {
    case 'Look':
      return { ...common, _tag: deed._tag, filesystem: undefined }
    case 'MakeDirectory':
    case 'RemoveDirectory':
      return { ...common, _tag: deed._tag }
    case 'Mount':
    case 'MountLater':
      return { ...common, _tag: 'Mount', filesystem: deed.filesystem, options: deed.filesystem.options }
    case 'Unmount': {
      const layers = names.layers()
      const identity = layers[deed.layer % layers.length]
      const { how, mayHang } = deed
      return identity && { ...common, _tag: deed._tag, filesystem: undefined, identity, how, mayHang }
    }
  }
}
