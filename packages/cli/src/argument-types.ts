// What the values of options are, for the command table.

import type { FaultKind } from '@mountkeeper/simulator'
import type { Type } from 'cmd-ts'
import { array, extendType, string } from 'cmd-ts'
import { readFaults } from './faults.js'

/** Any text, called so in the help. */
export const named = (displayName: string): Type<string, string> => ({ ...string, displayName })

/** An option that may be given once, and never without its value. */
export const once = <A>(type: Type<string, A>): Type<string[], A | undefined> => ({
  ...extendType(array(type), {
    from: (values) =>
      values.length > 1
        ? Promise.reject(new Error('is given more than once; give it once'))
        : Promise.resolve(values[0]),
  }),
  displayName: type.displayName ?? 'VALUE',
})

/** An option that may be repeated. */
export const many = (displayName: string): Type<string[], string[]> => ({ ...array(string), displayName })

/** A number in decimal digits, from `least` to `most`. */
export const wholeNumber = (displayName: string, least: number, most: number): Type<string, number> => ({
  displayName,
  from: (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    return value >= least && value <= most
      ? Promise.resolve(value)
      : Promise.reject(new Error(`expected a whole number from ${least} to ${most}`))
  },
})

/** Kinds of faults, with commas between them. */
export const faults: Type<string, readonly FaultKind[]> = {
  displayName: 'KIND,…',
  from: (text) => {
    const read = readFaults(text)
    return 'unknown' in read
      ? Promise.reject(
          new Error(
            `${read.unknown === '' ? 'an empty word' : read.unknown} is not a kind of fault; see mountkeeper simulate --help`,
          ),
        )
      : Promise.resolve(read)
  },
}
