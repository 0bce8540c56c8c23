// Phrases: operations that make sense together, so that what is rare by chance comes up: a mount on a mount, a hidden one, a
// bind whose source is gone. Lists are made of them, so that they get into each other's way.

import * as fc from 'fast-check'
import type { Flag, Operation } from './operation.js'

const among = (paths: Readonly<Record<string, number>>): fc.Arbitrary<string> =>
  fc.oneof(...Object.entries(paths).map(([path, weight]) => ({ weight, arbitrary: fc.constant(path) })))

// Few paths, so that operations meet.
const path = among({ a: 8, 'a/c': 5, b: 4, 'b/c': 2, l: 1, 'l/c': 1 })
const anyPath = fc.oneof(
  { weight: 7, arbitrary: path },
  { weight: 1, arbitrary: among({ d: 1, 'a/c/e': 1, 'b/f': 1, 'a/d': 1, nowhere: 1 }) },
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
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ _tag: fc.constant('Mount'), path: anyPath, source: fc.constantFrom('x', 'y'), flags }),
  },
  { weight: 6, arbitrary: fc.record({ _tag: fc.constant('Bind'), path: anyPath, source: anyPath }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('Move'), path: anyPath, to: anyPath }) },
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
      path: anyPath,
      uses: fc.constantFrom('working directory', 'open file'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Leave') }) },
)

const plainMount = (on: string): Operation => ({ _tag: 'Mount', path: on, source: 'x', flags: [] })
const unmountOf = (of: string, how: 'plain' | 'lazy'): Operation => ({ _tag: 'Unmount', path: of, how })

const parent = fc.constantFrom('a', 'b')
const how = fc.constantFrom<'plain' | 'lazy'>('plain', 'lazy')

const together: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  // Wrong twice: which is reported?
  fc.tuple(newPath, fc.boolean()).map(([made, reverse]): readonly Operation[] => {
    const [on, source] = reverse ? ['nowhere', `${made}/x`] : [`${made}/x`, 'nowhere']
    return [
      { _tag: 'MakeFile', path: made },
      { _tag: 'Bind', path: on, source },
    ]
  }),
  fc
    .tuple(parent, how)
    .map(([on, by]): readonly Operation[] => [
      plainMount(on),
      { _tag: 'MakeDirectory', path: `${on}/c` },
      plainMount(`${on}/c`),
      unmountOf(on, by),
    ]),
  fc
    .tuple(parent, fc.boolean())
    .map(([on, again]): readonly Operation[] => [
      plainMount(`${on}/c`),
      plainMount(on),
      ...(again ? [{ _tag: 'MakeDirectory', path: `${on}/c` } as const] : []),
      unmountOf(`${on}/c`, 'plain'),
    ]),
  fc
    .tuple(fc.constantFrom(['a', 'b/c', 'b'], ['b', 'a/c', 'a']), fc.boolean())
    .map(([[on = '', source = '', other = ''], again]): readonly Operation[] => [
      { _tag: 'Bind', path: on, source },
      { _tag: 'RemoveDirectory', path: source },
      again ? { _tag: 'Bind', path: other, source: on } : plainMount(on),
    ]),
  fc
    .tuple(newPath, fc.constantFrom<'working directory' | 'open file'>('working directory', 'open file'))
    .map(([made, uses]): readonly Operation[] => [
      { _tag: 'MakeFile', path: made },
      { _tag: 'Enter', path: made, uses },
      plainMount(made),
    ]),
  fc
    .tuple(path, how)
    .map(([on, by]): readonly Operation[] => [
      plainMount(on),
      { _tag: 'Enter', path: on, uses: 'open file' },
      unmountOf(on, by),
      { _tag: 'Leave' },
    ]),
)

const phrase: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  { weight: 4, arbitrary: operation.map((one) => [one]) },
  { weight: 1, arbitrary: together },
)

const LONGEST = 8

/** Two to eight operations. */
export const sequence: fc.Arbitrary<readonly Operation[]> = fc
  .array(phrase, { minLength: 2, maxLength: 5, size: 'max' })
  .map((phrases) => phrases.flat().slice(0, LONGEST))

/** One operation, as others do it between effects. */
export const anyOperation: fc.Arbitrary<Operation> = operation
