// What the doctor says of one thing.

/** One line of the doctor. `warn`: it works, with a limit or a risk; `fail`: it does not. */
export interface Check {
  readonly name: string
  readonly ok: 'ok' | 'warn' | 'fail'
  readonly text: string
  /** What to do; present unless `ok`. */
  readonly mend?: string
}
