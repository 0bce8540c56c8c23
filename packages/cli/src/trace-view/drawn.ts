// What the page draws, as data: one lane for each mountpoint, and one for the host. It is written into the page as JSON, so its
// names are short, and each text is there once: a number in the place of a text is its place in `texts`.

/** A moment of the run: the number of an input, 0 before the first, and the wall clock then, ms. */
export interface Moment {
  readonly n: number
  readonly at: number
}

/** A request, from its arrival to its answer. */
export interface DrawnRequest {
  readonly from: Moment
  /** When it began to be served; absent where that did not happen before its answer. */
  served?: Moment
  /** When it was answered; absent where the trace ends before. */
  to?: Moment
  /** What its caller calls it, and what is asked. */
  readonly label: number
  readonly words: number
  /** How it ended, in a word and in a sentence. */
  verb?: number
  answer?: number
  more?: readonly number[]
  isRefused?: true
}

/** An effect, from its decision to what was found. */
export interface DrawnEffect {
  readonly from: Moment
  to?: Moment
  /** It passed its deadline; when its last process had ended. */
  ended?: Moment
  isOverdue?: true
  readonly kind: string
  /** The command, or what is waited for. */
  command: number
  found?: number
  error?: number
}

/** A change of the set of holders; `added: undefined` is the end of all of them. */
export interface DrawnHolder {
  readonly at: Moment
  readonly holder: number
  readonly added?: boolean
}

/** Something that happened without being asked for. */
export interface DrawnMark {
  readonly at: Moment
  readonly words: number
}

/** One mountpoint, or the host. */
export interface Lane {
  /** The path; absent for the host. */
  readonly path?: string
  readonly requests: DrawnRequest[]
  readonly effects: DrawnEffect[]
  readonly holders: DrawnHolder[]
  readonly marks: DrawnMark[]
}

/** A whole run. */
export interface Drawn {
  readonly name: string
  readonly inputs: number
  readonly from: number
  readonly to: number
  readonly roots: readonly string[]
  readonly lanes: readonly Lane[]
  readonly texts: readonly string[]
}
