// What the manager says and what it is answered: one JSON object a line, each way. Effects are structured; no line holds the
// text of a command.

/** A change that the manager asks for. `mountpoint` is a canonical path below a root. */
export type Change =
  | { readonly do: 'make-directory'; readonly mountpoint: string }
  | { readonly do: 'remove-directory'; readonly mountpoint: string }
  | {
      readonly do: 'mount'
      readonly mountpoint: string
      readonly type: string
      readonly source: string
      readonly options: readonly string[]
      /** The one option that is a secret, and its value in base64. */
      readonly secret?: { readonly name: string; readonly value: string }
    }
  | { readonly do: 'unmount'; readonly mountpoint: string; readonly how: 'plain' | 'force' | 'lazy' }
  /** Ends a command that was started for the line with this id: TERM, 2 s, KILL. Has no answer of its own. */
  | { readonly do: 'end'; readonly of: number }

/** A line of the manager. `id` is greater than that of each line before. */
export type Line = Change & { readonly id: number }

/** A line to the manager. Each change but `end` is answered by exactly one `done` or `refused`. */
export type Answer =
  | { readonly _tag: 'ready'; readonly pid: number; readonly roots: readonly string[] }
  /** A command runs: its process, and its argument vector. */
  | { readonly _tag: 'started'; readonly id: number; readonly pid: number; readonly vector: readonly string[] }
  /** `status` is null where a signal ended it. `stderr` is its beginning. */
  | {
      readonly _tag: 'done'
      readonly id: number
      readonly status: number | null
      readonly signal: string | null
      readonly stderr: string
    }
  /** Nothing was done, and why. `id` is null where the line had none that could be read. */
  | { readonly _tag: 'refused'; readonly id: number | null; readonly why: string }

/** The only file that is read. A path that the manager could choose would hold lists of the manager's. */
export const LISTS_FILE = '/etc/mountkeeper/exec.json'

/** Longer lines end the conversation. */
export const LINE_BYTES_MAX = 262_144

const KEYS: Readonly<Record<Change['do'], readonly string[]>> = {
  'make-directory': ['do', 'id', 'mountpoint'],
  'remove-directory': ['do', 'id', 'mountpoint'],
  mount: ['do', 'id', 'mountpoint', 'options', 'source', 'type'],
  unmount: ['do', 'how', 'id', 'mountpoint'],
  end: ['do', 'id', 'of'],
}

/** Keys that may be left out. */
const OPTIONAL: readonly string[] = ['secret']

const isSecret = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).sort().join() === 'name,value' &&
  Object.values(value).every(isText)

const HOWS: readonly unknown[] = ['plain', 'force', 'lazy']
const OPTIONS_MAX = 64

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isFit: Readonly<Record<string, (value: unknown) => boolean>> = {
  do: isText,
  id: isNumber,
  of: isNumber,
  mountpoint: isText,
  type: isText,
  source: isText,
  secret: isSecret,
  how: (value) => HOWS.includes(value),
  options: (value) => Array.isArray(value) && value.length <= OPTIONS_MAX && value.every(isText),
}

/** Reads a line; a text says what is wrong with it. Exactly the keys of its kind, each of its type. */
export const readLine = (text: string): Line | { readonly id: number | null; readonly why: string } => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { id: null, why: 'the line is not JSON' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { id: null, why: 'not an object' }
  const fields = new Map<string, unknown>(Object.entries(value))
  const given = fields.get('id')
  const id = isNumber(given) ? given : null
  const kind: unknown = fields.get('do')
  if (!isText(kind) || !Object.hasOwn(KEYS, kind)) return { id, why: 'no such change' }
  const wanted = KEYS[kind as Change['do']]
  const keys = [...fields.keys()].sort()
  const needed = kind === 'mount' ? keys.filter((key) => !OPTIONAL.includes(key)) : keys
  if (needed.join() !== [...wanted].sort().join()) return { id, why: `${kind} has the keys ${wanted.join(', ')}` }
  const bad = keys.find((key) => isFit[key]?.(fields.get(key)) !== true)
  return bad === undefined ? (value as Line) : { id, why: `${bad} is not what it has to be` }
}
