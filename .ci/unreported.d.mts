export declare const unreported: (suite: {
  readonly ok: boolean
  readonly output: string
  readonly files: readonly string[]
  readonly name: string
}) => { readonly passed: number; readonly failed: number; readonly skipped: readonly string[] }
