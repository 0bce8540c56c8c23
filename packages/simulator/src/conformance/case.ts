// One case of the conformance kit, for any test runner: a name, the promise it is about, and a function that rejects with a
// sentence when the promise is broken.

/** One promise of a port, to be run by any test runner. */
export interface PortCase {
  /** What the port has to do, as the name of a test. */
  readonly name: string
  /** The law or rule that rests on it, such as `L45`: see the rule book of `@mountkeeper/core`. */
  readonly law: string
  /** Rejects with an `Error` whose message says what the port did and which promise that breaks. Settles within `limitMs`. */
  readonly run: () => Promise<void>
}

/** How long one case may take, ms, unless another limit is given. */
export const CASE_LIMIT_MS = 60_000

/** Fails the case that runs: what the port did instead. */
export const broken = (what: string): never => {
  throw new Error(what)
}

/** Any value, as text for a sentence. */
export const shown = (value: unknown): string => {
  try {
    // Undefined for what JSON does not have, whatever its type says.
    const text: unknown = JSON.stringify(value)
    return typeof text === 'string' ? text : String(value)
  } catch {
    return 'a value that cannot be shown'
  }
}

/** Resolves to `late` when the promise has not settled in real time. */
export const within = async <Value, Late>(
  limitMs: number,
  promise: PromiseLike<Value>,
  late: Late,
): Promise<Value | Late> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<Late>((settle) => {
    timer = setTimeout(() => settle(late), limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

const LATE = Symbol('late')

/** What every subject of the kit has. */
export interface Subject {
  /** Called at the end of its case: lets go of everything. */
  readonly close: () => Promise<void>
}

/** Makes cases that each begin with a fresh subject, and end with its `close`. */
export const casesFor =
  <Given extends Subject>(make: () => Promise<Given>, limitMs: number) =>
  (name: string, law: string, judge: (subject: Given) => Promise<void>): PortCase => ({
    name,
    law,
    run: async () => {
      const failed = (why: string, cause?: unknown): Error =>
        new Error(`${why}. It breaks the promise "${name}" (${law}).`, { cause })
      const subject = await make()
      try {
        const ended = await within(limitMs, judge(subject), LATE)
        if (ended === LATE) throw failed(`the port was not done after ${limitMs} ms`)
      } catch (error) {
        throw error instanceof Error && error.message.includes('It breaks the promise')
          ? error
          : failed(error instanceof Error ? error.message : shown(error), error)
      } finally {
        await subject.close()
      }
    },
  })
