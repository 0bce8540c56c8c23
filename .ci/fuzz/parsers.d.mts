// What .ci/fuzz/parsers.mjs gives, for the tests that are in TypeScript.

import type { Arbitrary } from 'fast-check'

/** A parser under test; `parse` is what is measured, `check` says whether the input was accepted and throws where a law is broken. */
export interface FuzzedParser {
  readonly name: string
  readonly valid: Arbitrary<string>
  readonly format: object
  readonly parse: (text: string) => unknown
  readonly check: (parsed: unknown, text: string) => boolean
}

export const parsers: readonly FuzzedParser[]
