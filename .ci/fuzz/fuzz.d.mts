// What .ci/fuzz/fuzz.mjs gives, for the tests that are in TypeScript.

/** How the fuzzing of one parser ended. */
export type Fuzzed =
  | {
      readonly _tag: 'Done'
      readonly done: number
      readonly accepted: number
      readonly slowestMs: number
      readonly slowest: string
      readonly growth: number
    }
  | { readonly _tag: 'Fault'; readonly done: number; readonly why: string; readonly input: string }

export const LIMIT_MS: number
export function fuzz(options: {
  readonly name: string
  readonly inputs: number
  readonly seed: number
  readonly module?: string
  readonly hangMs?: number
  readonly limitMs?: number
  readonly growthMegabytes?: number
}): Promise<Fuzzed>
