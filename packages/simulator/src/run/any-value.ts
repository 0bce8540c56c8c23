// Values that are no requests, for the tests of programs that take requests from outside: any JSON, any JavaScript value, and
// requests that are nearly right. None of them concerns the host as a whole, so that others can be served between them.

import fc from 'fast-check'
import type { Arbitrary } from 'fast-check'
import { ROOT } from '../settings.js'

/** Where the nearly right ones want something: no other test should use it. */
export const STRANGE: string = `${ROOT}/strange`

const asked = { op: 'attach', mountpoint: STRANGE, volume: 'strange', consumer: 'strange' }
const tmpfs = { type: 'tmpfs', source: 't', options: [] }

const GOOD: readonly Readonly<Record<string, unknown>>[] = [
  { ...asked, filesystem: tmpfs },
  { ...asked, op: 'detach' },
  { op: 'release', consumer: 'strange' },
  { op: 'cancel', target: 'strange' },
  { op: 'status' },
  { op: 'reconcile', apply: false },
  { op: 'retry', mountpoint: STRANGE },
  { op: 'forget', mountpoint: STRANGE, force: false },
  { op: 'refuse-new', mountpoint: STRANGE },
  { op: 'allow-new', server: 'strange' },
]

/** Each makes something that only JavaScript can hold. They are made again for each use: some can be used once only. */
const HOSTILE: readonly (() => unknown)[] = [
  () => Symbol('strange'),
  () => 1n,
  () => () => 'strange',
  () => Number.NaN,
  () => new Date(Number.NaN),
  () => new Map([['op', 'attach']]),
  () => Object.create(null) as unknown,
  () => 'x'.repeat(70_000),
  () => '\ud800',
  () => 'nul\u0000',
  () => Array.from({ length: 70_000 }, () => ''),
  () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    return cycle
  },
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  () => {
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    return proxy
  },
  () =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('strange')
        },
        ownKeys: () => {
          throw new Error('strange')
        },
      },
    ),
  () => ({
    toString: () => {
      throw new Error('strange')
    },
  }),
  () => ({ toJSON: () => 1, then: (settle: (value: unknown) => void) => settle('strange') }),
]

/** Makes a value; fast-check itself looks into values, which some of these do not survive. */
export type Make = () => unknown

const made = <Value>(arbitrary: Arbitrary<Value>): Arbitrary<Make> => arbitrary.map((value) => () => value)

const part: Arbitrary<Make> = fc.oneof(
  { weight: 3, arbitrary: made(fc.anything({ maxDepth: 2, maxKeys: 4 })) },
  { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
)

const getter = (base: object, key: string, found: () => unknown): object =>
  Object.defineProperty({ ...base }, key, { get: found, enumerable: true })

const HOW = ['without', 'replaced', 'throws', 'added', 'inside'] as const

const FIELDS = ['op', 'id', 'deadlineMs', 'mountpoint', 'filesystem', 'volume', 'consumer', 'target', 'apply', 'force']

const damaged = fc
  .tuple(fc.constantFrom(...GOOD), fc.constantFrom(...FIELDS), fc.constantFrom(...HOW), part)
  .map(([good, key, how, make]): Make => () => {
    const value = make()
    switch (how) {
      case 'without':
        return Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))
      case 'replaced':
        return { ...good, [key]: value }
      case 'throws':
        return getter(good, key, () => {
          throw value
        })
      case 'added':
        return { ...good, strange: value }
      case 'inside':
        return { ...good, filesystem: { ...tmpfs, [key === 'op' ? 'options' : 'type']: value } }
    }
  })

/** A value of any shape, made when it is called. */
export const anyValue: Arbitrary<Make> = fc.oneof(
  { weight: 2, arbitrary: made(fc.jsonValue({ maxDepth: 3 })) },
  { weight: 2, arbitrary: part },
  { weight: 6, arbitrary: damaged },
)
