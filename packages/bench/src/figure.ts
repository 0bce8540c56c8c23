// A figure is the median of several rounds with its spread: a machine with other work on it shows in the spread.

/** What several rounds came to. */
export interface Figure {
  readonly median: number
  readonly least: number
  readonly most: number
  readonly rounds: number
}

/** The middle one; of an even number the upper of the two in the middle. */
export const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[values.length >> 1] ?? NaN

/** Median and spread of the rounds of one thing. */
export const figureOf = (values: readonly number[]): Figure => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
  rounds: values.length,
})

/** The ratio of two things that were measured in the same rounds: its median, and its spread over the rounds. */
export const ratioOf = (values: readonly number[], to: readonly number[]): Figure =>
  figureOf(values.map((value, round) => value / (to[round] ?? NaN)))
