// Stands in for fast-check: the same, but the attempt says how many runs there are and with which seed, runs are counted, and
// a failure is shown as it was found, not made smaller.
import * as real from 'fast-check'
import type { IProperty, Parameters, RunDetails } from 'fast-check'

export * from 'fast-check'

/** What the attempt asks for, and the runs so far. */
export const budget = { runs: 1, seed: 1, used: 0 }

export const check = <Ts>(property: IProperty<Ts>, parameters?: Parameters<Ts>): RunDetails<Ts> => {
  const details = real.check(property, { ...parameters, numRuns: budget.runs, seed: budget.seed, endOnFailure: true })
  budget.used += details.numRuns
  return details
}

export const assert = <Ts>(property: IProperty<Ts>, parameters?: Parameters<Ts>): void => {
  const { failed, errorInstance } = check(property, parameters)
  if (!failed) return
  throw errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance))
}

const fc: typeof real.default = { ...real.default, check, assert } as typeof real.default
export default fc
