// What .ci/figures.mjs gives, for the tests that are in TypeScript.

/** What is known so far. */
export interface Figures {
  readonly laws: Set<string>
  readonly sums: Map<string, number>
}

/** One test of a report by vitest's json reporter, as far as it is read. */
export interface ReportedTest {
  readonly status: string
  readonly fullName: string
  readonly meta?: object
}

export function noFigures(): Figures
export function collect(figures: Figures, tests: readonly ReportedTest[]): Figures
export function tell(figures: Figures): { readonly lines: readonly string[]; readonly missing: readonly string[] }
