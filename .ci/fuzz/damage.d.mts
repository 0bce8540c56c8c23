// What .ci/fuzz/damage.mjs gives, for the tests that are in TypeScript.

import type { Arbitrary } from 'fast-check'
import type { FuzzedParser } from './parsers.mjs'

export function damaged(format: object, text: string, seed: number): string
export function inputsOf(parser: FuzzedParser): Arbitrary<string>
