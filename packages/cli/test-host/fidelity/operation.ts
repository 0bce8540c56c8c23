// Operations: what is done to a place, as data, the same on the model and on the kernel. Paths are relative to the place.

import * as fc from 'fast-check'

/** One thing that is done. */
export type Operation =
  | { readonly _tag: 'MakeDirectory'; readonly path: string }
  | { readonly _tag: 'RemoveDirectory'; readonly path: string }
  | { readonly _tag: 'MakeFile'; readonly path: string }
  | { readonly _tag: 'RemoveFile'; readonly path: string }
  | { readonly _tag: 'Link'; readonly path: string; readonly target: string }
  | { readonly _tag: 'Rename'; readonly path: string; readonly to: string }
  | { readonly _tag: 'Mount'; readonly path: string; readonly source: string; readonly flags: readonly Flag[] }
  | { readonly _tag: 'Bind'; readonly path: string; readonly source: string }
  | { readonly _tag: 'Unmount'; readonly path: string; readonly how: 'plain' | 'lazy' }
  | { readonly _tag: 'Enter'; readonly path: string; readonly uses: 'working directory' | 'open file' }
  /** The process that entered first ends. */
  | { readonly _tag: 'Leave' }

/** The flags of a mount that the model knows. */
export type Flag = 'ro' | 'nosuid' | 'nodev' | 'noexec'

/** What is there at the beginning: directories of the place, and a link to one of them. */
export const BEGINNING: readonly Operation[] = [
  ...['a', 'a/c', 'b', 'b/c'].map((path) => ({ _tag: 'MakeDirectory', path }) as const),
  { _tag: 'Link', path: 'l', target: 'b' },
]

/** Where something is looked for after every step. */
export const LOOKED_AT: readonly string[] = ['a', 'a/c', 'b', 'b/c', 'd', 'l', 'l/c']

const among = (paths: Readonly<Record<string, number>>): fc.Arbitrary<string> =>
  fc.oneof(...Object.entries(paths).map(([path, weight]) => ({ weight, arbitrary: fc.constant(path) })))

// Few paths, so that operations meet.
const path = among({ a: 8, 'a/c': 5, b: 4, 'b/c': 2, l: 1, 'l/c': 1 })
const anyPath = fc.oneof(
  { weight: 7, arbitrary: path },
  { weight: 1, arbitrary: among({ d: 1, 'a/c/e': 1, 'b/f': 1 }) },
)
const newPath = among({ d: 4, 'a/d': 3, 'b/f': 2, 'a/c': 2, a: 1, 'l/c': 1 })
const target = among({ a: 2, 'a/c': 2, b: 1, l: 1, 'b/f': 1, nowhere: 1 })
const flags = fc.oneof(
  { weight: 4, arbitrary: fc.constant<readonly Flag[]>([]) },
  { weight: 1, arbitrary: fc.subarray<Flag>(['ro', 'nosuid', 'nodev', 'noexec']) },
)

const on = <Tag extends Operation['_tag']>(tag: Tag, paths: fc.Arbitrary<string>) =>
  fc.record({ _tag: fc.constant(tag), path: paths })

const unmount = (how: 'plain' | 'lazy'): fc.Arbitrary<Operation> =>
  fc.record({ _tag: fc.constant('Unmount'), path, how: fc.constant(how) })

/** Mounting and unmounting most of all; the rest often enough to be in the way of it. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ _tag: fc.constant('Mount'), path: anyPath, source: fc.constantFrom('x', 'y'), flags }),
  },
  { weight: 6, arbitrary: fc.record({ _tag: fc.constant('Bind'), path, source: path }) },
  { weight: 5, arbitrary: unmount('plain') },
  { weight: 1, arbitrary: unmount('lazy') },
  { weight: 2, arbitrary: on('MakeDirectory', newPath) },
  { weight: 3, arbitrary: on('RemoveDirectory', anyPath) },
  { weight: 1, arbitrary: on('MakeFile', newPath) },
  { weight: 1, arbitrary: on('RemoveFile', newPath) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Link'), path: newPath, target }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Rename'), path, to: newPath }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('Enter'),
      path,
      uses: fc.constantFrom('working directory', 'open file'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Leave') }) },
)

/** An operation on one line. */
export const operationText = ({ _tag, ...rest }: Operation): string => [_tag, ...Object.values(rest).flat()].join(' ')
