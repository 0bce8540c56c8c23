// The pieces that readers of values from outside are made of. A reader takes any JavaScript value (getters that throw,
// proxies and cycles too), looks at each part once, and gives a plain copy or what is wrong first: the caller's object is
// never kept, for it could change later. The words are those of codec, so that a value is refused alike on every way in.

import { maskText } from '@mountkeeper/types'

/** What is wrong with a value: where (`.options[2]`, empty for the whole) and why. */
export interface Wrong {
  readonly at: string
  readonly why: string
}

/** A plain copy, or what is wrong. */
export type Read<A> = { readonly value: A } | { readonly wrong: Wrong }

/** Copies a value of one kind; its `kind` reads well after `expected`. */
export interface Reader<A> {
  readonly kind: string
  readonly read: (value: unknown) => Read<A>
  /** Never there. It makes a reader of a part of `A` no reader of `A`: a name that core gains is a compile error. */
  readonly of?: (value: A) => void
}

/** Whether a value was refused. */
export const isWrong = <A>(read: Read<A>): read is { readonly wrong: Wrong } => 'wrong' in read

const wrongBecause = (why: string): { readonly wrong: Wrong } => ({ wrong: { at: '', why } })

const below = (step: string, { wrong }: { readonly wrong: Wrong }): { readonly wrong: Wrong } => ({
  wrong: { at: step + wrong.at, why: wrong.why },
})

const SHOWN_MAX = 60
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"\\]/gu

const escaped = (character: string): string => {
  if (character === '"' || character === '\\') return `\\${character}`
  return Array.from(character, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

const shownText = (given: string): string => {
  const text = maskText(given)
  const shown = text.slice(0, SHOWN_MAX).replaceAll(UNSHOWN, escaped)
  return text.length > SHOWN_MAX ? `${shown}…` : shown
}

/** A value as a message shows it; what is inside lists and objects may be a secret and is never shown (L38). */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return `"${shownText(value)}"`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return typeof value === 'object' ? 'an object' : typeof value
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/

const keyStep = (key: string): string =>
  NAME.test(key) && key.length <= SHOWN_MAX ? `.${key}` : `["${shownText(key)}"]`

const unfit = (kind: string, value: unknown): { readonly wrong: Wrong } =>
  wrongBecause(value === undefined ? `missing; expected ${kind}` : `expected ${kind}, got ${shown(value)}`)

const UNREADABLE = wrongBecause('cannot be read: reading it threw an error; give a plain value')

/** One part of a value. The getter behind it may throw. */
const partOf = (value: object, key: string | number): Read<unknown> => {
  try {
    return { value: (value as Readonly<Record<string | number, unknown>>)[key] }
  } catch {
    return UNREADABLE
  }
}

/** Reads a value from outside. Never throws, whatever the value is. */
export const readWith = <A>(reader: Reader<A>, value: unknown): Read<A> => {
  try {
    return reader.read(value)
  } catch {
    return UNREADABLE
  }
}

/** A value of a kind that has no parts. */
export const plain = <A>(kind: string, is: (value: unknown) => value is A): Reader<A> => ({
  kind,
  read: (value) => (is(value) ? { value } : unfit(kind, value)),
})

/** Any string. */
export const text: Reader<string> = plain('a string', (value): value is string => typeof value === 'string')

/** A boolean. */
export const truth: Reader<boolean> = plain('true or false', (value): value is boolean => typeof value === 'boolean')

/** A moment of the wall clock, in ms. */
export const moment: Reader<number> = plain('a number', (value): value is number => Number.isFinite(value))

const grouped = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')

/** A whole number between two bounds, both included. */
export const between = (least: number, most: number, unit = ''): Reader<number> =>
  plain(
    `a whole number${unit} from ${grouped(least)} to ${grouped(most)}`,
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  )

/** A count, a number of a thing, or a time in ms. */
export const wholeNumber: Reader<number> = plain(
  'a whole number',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
)

/** The same, and not 0. */
export const positive: Reader<number> = plain(
  'a whole number above 0',
  (value): value is number => Number.isSafeInteger(value) && Number(value) > 0,
)

/** One of a closed set of names, written as keys, so that the compiler sees that none is left out. */
export const oneOf = <Names extends Readonly<Record<string, true>>>(names: Names): Reader<string & keyof Names> => {
  const all = Object.keys(names).map((name) => JSON.stringify(name))
  const last = all.at(-1) ?? ''
  const kind = all.length < 2 ? last : `${all.slice(0, -1).join(', ')} or ${last}`
  return plain(kind, (value): value is string & keyof Names => typeof value === 'string' && Object.hasOwn(names, value))
}

/** A list of values of one kind. A longer one than `most` is refused before it is looked into. */
export const list = <A>(item: Reader<A>, most: number = Number.MAX_SAFE_INTEGER): Reader<readonly A[]> => ({
  kind: 'a list',
  read: (value) => {
    if (!Array.isArray(value)) return unfit('a list', value)
    const { length } = value
    if (length > most) return wrongBecause(`has more than ${grouped(most)} entries`)
    const draft: A[] = []
    for (let index = 0; index < length; index += 1) {
      const part = partOf(value, index)
      const read = isWrong(part) ? part : item.read(part.value)
      if (isWrong(read)) return below(`[${index}]`, read)
      draft.push(read.value)
    }
    return { value: draft }
  },
})

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values of one kind by name. */
export const dictionary = <A>(item: Reader<A>): Reader<Readonly<Record<string, A>>> => ({
  kind: 'an object',
  read: (value) => {
    if (!isObject(value)) return unfit('an object', value)
    const draft: [string, A][] = []
    for (const key of Object.keys(value)) {
      const part = partOf(value, key)
      const read = isWrong(part) ? part : item.read(part.value)
      if (isWrong(read)) return below(keyStep(key), read)
      draft.push([key, read.value])
    }
    return { value: Object.fromEntries(draft) }
  },
})

/** A field that may be left out. */
export interface Optional<A> {
  readonly optional: Reader<A>
}

/** A field that may be left out. */
export const optional = <A>(reader: Reader<A>): Optional<A> => ({ optional: reader })

type Field<A, K extends keyof A> =
  Partial<Pick<A, K>> extends Pick<A, K> ? Optional<Exclude<A[K], undefined>> : Reader<A[K]>

/** A reader for every field of `A`: one that core gains, loses or changes is a compile error here. */
export type Fields<A, Tag extends keyof A = never> = { readonly [K in Exclude<keyof A, Tag>]: Field<A, K> }

type AnyField = Reader<unknown> | Optional<unknown>

interface Member {
  readonly key: string
  readonly reader: Reader<unknown>
  readonly mayBeAbsent: boolean
}

const membersOf = (fields: object): readonly Member[] =>
  Object.entries(fields as Readonly<Record<string, AnyField>>).map(([key, field]) =>
    'optional' in field
      ? { key, reader: field.optional, mayBeAbsent: true }
      : { key, reader: field, mayBeAbsent: false },
  )

/** Keys that are left out of a copy; any other key that is no field is refused. */
export type Ignored = ReadonlySet<string> | 'all others'

const NONE: Ignored = new Set()

/** An object with these fields. */
export const record = <A extends object>(
  kind: string,
  fields: NoInfer<Fields<A>>,
  ignored: Ignored = NONE,
): Reader<A> => {
  const members = membersOf(fields)
  const known = ignored === 'all others' ? undefined : new Set([...members.map(({ key }) => key), ...ignored])
  return {
    kind,
    read: (value) => {
      if (!isObject(value)) return unfit(kind, value)
      const draft: Record<string, unknown> = {}
      for (const { key, reader, mayBeAbsent } of members) {
        const part = partOf(value, key)
        if (!isWrong(part) && part.value === undefined && mayBeAbsent) continue
        const read = isWrong(part) ? part : reader.read(part.value)
        if (isWrong(read)) return below(keyStep(key), read)
        draft[key] = read.value
      }
      if (known === undefined) return { value: draft as A }
      for (const key of Object.keys(value)) if (!known.has(key)) return below(keyStep(key), wrongBecause('unknown key'))
      // The fields are exactly those that the type of `fields` asks for.
      return { value: draft as A }
    },
  }
}

/** For each value of the tag: the other fields of that member, or the reader of all of it. */
export type Members<A extends Readonly<Record<Tag, string>>, Tag extends string & keyof A> = {
  readonly [T in A[Tag]]:
    Fields<Extract<A, Readonly<Record<Tag, T>>>, Tag> | Reader<Extract<A, Readonly<Record<Tag, T>>>>
}

const literal = (only: string): Reader<string> =>
  plain(JSON.stringify(only), (value): value is string => value === only)

/** A union distinguished by the field `tag`. */
export const tagged = <Tag extends string, A extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  kind: string,
  members: NoInfer<Members<A, Tag & keyof A>>,
  ignored: Ignored = NONE,
): Reader<A> => {
  const all = Object.entries(members as Readonly<Record<string, object>>)
  const readers = new Map(
    all.map(([name, member]) => [
      name,
      'read' in member ? (member as Reader<A>) : record<A>(kind, { [tag]: literal(name), ...member } as never, ignored),
    ]),
  )
  const tags = oneOf(Object.fromEntries(all.map(([name]) => [name, true] as const)))
  return {
    kind,
    read: (value) => {
      if (!isObject(value)) return unfit(kind, value)
      const found = partOf(value, tag)
      if (isWrong(found)) return below(keyStep(tag), found)
      const reader = typeof found.value === 'string' ? readers.get(found.value) : undefined
      return reader === undefined ? below(keyStep(tag), unfit(tags.kind, found.value)) : reader.read(value)
    },
  }
}

/** One of two kinds of value, distinguished by its type. */
export const either = <A, B>(
  kind: string,
  first: Reader<A>,
  second: Reader<B>,
  isSecond: (value: object) => boolean,
): Reader<A | B> => ({
  kind,
  read: (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const read = first.read(value)
      return isWrong(read) && read.wrong.at === '' ? unfit(kind, value) : read
    }
    return isSecond(value) ? second.read(value) : first.read(value)
  },
})
