// Stands in for vitest where the law suites run as they are, but many times over and without a test runner: tests are
// collected, `attempt.ts` runs them. It knows what the law suites use; anything else ends the run of the core itself.
import { isDeepStrictEqual } from 'node:util'

export interface Collected {
  readonly name: string
  readonly run: () => unknown
}

/** The tests of all suites that were loaded, in their order. */
export const collected: Collected[] = []

type Run = () => unknown

const collect = (name: string, second: unknown, third?: unknown): void => {
  const run = typeof second === 'function' ? second : third
  if (typeof run === 'function') collected.push({ name, run: run as Run })
}

const each =
  (rows: readonly unknown[]) =>
  (name: string, run: (row: unknown) => unknown): void => {
    for (const row of rows) collected.push({ name: `${name} ${JSON.stringify(row)}`, run: () => run(row) })
  }

export const test = Object.assign(collect, { each })
export const it = test

export const describe = (_name: string, define: () => void): void => {
  define()
}

const nothing = (): void => undefined

export const beforeAll = nothing
export const afterAll = nothing

const withoutUndefined = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, withoutUndefined(each)]),
  )
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

type Matcher = (expected?: unknown) => void

/** A failed expectation says first what the suite says about it, then the value: a law is found in either. */
const matchers = (value: unknown, said: string | undefined): Readonly<Record<string, Matcher>> => {
  const holds = (is: boolean, what: string): void => {
    if (!is) throw new Error([...(said === undefined ? [] : [said]), text(value), `is not ${what}`].join('\n'))
  }
  const size = (): number => (value as { readonly length: number }).length
  return {
    toBe: (expected) => holds(Object.is(value, expected), text(expected)),
    toEqual: (expected) =>
      holds(isDeepStrictEqual(withoutUndefined(value), withoutUndefined(expected)), text(expected)),
    toBeUndefined: () => holds(value === undefined, 'undefined'),
    toBeDefined: () => holds(value !== undefined, 'defined'),
    toHaveLength: (expected) => holds(size() === expected, `of length ${text(expected)}`),
    toBeGreaterThan: (expected) => holds((value as number) > (expected as number), `above ${text(expected)}`),
    toBeLessThan: (expected) => holds((value as number) < (expected as number), `below ${text(expected)}`),
  }
}

export const expect = (value: unknown, said?: string): Readonly<Record<string, Matcher>> => matchers(value, said)
