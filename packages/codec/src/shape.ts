// The pieces that codecs are made of. A codec's name is what a message says after `expected`. All of them are strict, and
// typed so that a field that core gains, loses or changes is a compile error here.

import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Codec, Knowing } from './decode-error.js'
import { grouped, indexStep, keyStep } from './rendering.js'

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

type Attributes = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const codecOf = <A>(name: string, validate: t.Validate<unknown, A>, encode: t.Encode<A, unknown>): Codec<A> =>
  new t.Type(name, (value): value is A => E.isRight(validate(value, [])), validate, encode)

/** A codec whose values are the same on both sides of the border. */
export const plain = <A>(name: string, is: t.Is<A>): Codec<A> =>
  codecOf(name, (value, context) => (is(value) ? t.success(value) : t.failure(value, context)), t.identity)

/** Values of a codec that meet one more condition, which `name` states. */
export const refined = <A>(codec: Codec<A>, name: string, holds: (value: A) => boolean): Codec<A> =>
  codecOf(
    name,
    (value, context) => {
      const decoded = codec.validate(value, context)
      return E.isRight(decoded) && !holds(decoded.right) ? t.failure(value, context) : decoded
    },
    codec.encode,
  )

/** A number that only one constructor makes: an id. */
export const branded = <A extends number>(codec: Codec<number>, brand: (value: number) => A): Codec<A> =>
  codecOf(codec.name, (value, context) => E.map(brand)(codec.validate(value, context)), t.identity)

/** A codec whose values are changed as they come in; what goes out has been changed already. */
export const mapped = <A>(codec: Codec<A>, change: (value: A) => A): Codec<A> =>
  codecOf(codec.name, (value, context) => E.map(change)(codec.validate(value, context)), codec.encode)

/** A codec under another name. */
export const named = <A>(codec: Codec<A>, name: string): Codec<A> => codecOf(name, codec.validate, codec.encode)

/** Any string. */
export const text: Codec<string> = plain('a string', (value): value is string => typeof value === 'string')

/** A boolean. */
export const truth: Codec<boolean> = plain('true or false', (value): value is boolean => typeof value === 'boolean')

/** A moment of the wall clock, in ms. */
export const moment: Codec<number> = plain('a number', (value): value is number => Number.isFinite(value))

/** A whole number between two bounds, both included; `unit` follows the words `a whole number`. */
export const between = (least: number, most: number, unit = ''): Codec<number> =>
  plain(
    `a whole number${unit} from ${grouped(least)} to ${grouped(most)}`,
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  )

/** A count, a number of a thing, or a time in ms: not negative. */
export const wholeNumber: Codec<number> = plain(
  'a whole number',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
)

/** One value and no other. */
export const literal = <A extends string | number | boolean | null>(
  only: A,
  name: string = JSON.stringify(only),
): Codec<A> => plain(name, (value): value is A => value === only)

const choice = (names: readonly string[]): string => {
  const all = names.map((name) => JSON.stringify(name))
  const last = all.at(-1) ?? ''
  return all.length < 2 ? last : `${all.slice(0, -1).join(', ')} or ${last}`
}

/** One of a closed set of names. The set is written as keys, so that the compiler sees that none is left out. */
export const oneOf = <Names extends Readonly<Record<string, true>>>(
  names: Names,
): Codec<string & keyof Names> & Knowing => {
  const known = Object.keys(names)
  const is = (value: unknown): value is string & keyof Names => typeof value === 'string' && known.includes(value)
  return Object.assign(plain(choice(known), is), { known })
}

/** A value that JSON leaves out where it is `undefined`. */
export const maybe = <A>(codec: Codec<A>): Codec<A | undefined> =>
  codecOf(
    codec.name,
    (value, context) => (value === undefined ? t.success(undefined) : codec.validate(value, context)),
    (value) => (value === undefined ? undefined : codec.encode(value)),
  )

/** A list of values of one kind. */
export const list = <A>(item: Codec<A>, name = 'a list'): Codec<readonly A[]> =>
  codecOf(
    name,
    (value, context) => {
      if (!Array.isArray(value)) return t.failure(value, context)
      const errors: t.ValidationError[] = []
      const items: A[] = []
      for (const [index, element] of (value as readonly unknown[]).entries()) {
        const decoded = item.validate(element, t.appendContext(context, indexStep(index), item, element))
        if (E.isRight(decoded)) items.push(decoded.right)
        else for (const error of decoded.left) errors.push(error)
      }
      return errors.length > 0 ? t.failures(errors) : t.success(items)
    },
    (items) => items.map((element) => item.encode(element)),
  )

/** Values of one kind by name. */
export const dictionary = <A>(key: Codec<string>, item: Codec<A>): Codec<Readonly<Record<string, A>>> =>
  codecOf(
    'an object',
    (value, context) => {
      if (!isObject(value)) return t.failure(value, context)
      const errors: t.ValidationError[] = []
      const items: [string, A][] = []
      for (const [name, element] of Object.entries(value)) {
        const called = key.validate(name, t.appendContext(context, keyStep(name), key, name))
        const decoded = item.validate(element, t.appendContext(context, keyStep(name), item, element))
        for (const { left } of [called, decoded].filter(E.isLeft)) for (const error of left) errors.push(error)
        if (E.isRight(decoded)) items.push([name, decoded.right])
      }
      return errors.length > 0 ? t.failures(errors) : t.success(Object.fromEntries(items))
    },
    (items) => Object.fromEntries(Object.entries(items).map(([name, element]) => [name, item.encode(element)])),
  )

/** A field that may be left out. */
export interface Optional<A> {
  readonly optional: Codec<A>
}

/** A field that may be left out. */
export const optional = <A>(codec: Codec<A>): Optional<A> => ({ optional: codec })

type Field<A, K extends keyof A> =
  Partial<Pick<A, K>> extends Pick<A, K> ? Optional<Exclude<A[K], undefined>> : Codec<A[K]>

/** A codec for every field of `A`, in the order in which they are written; `Tag` is seen to by `tagged`. */
export type Fields<A, Tag extends keyof A = never> = { readonly [K in Exclude<keyof A, Tag>]: Field<A, K> }

type AnyField = Codec<unknown> | Optional<unknown>

// Fields are checked one by one by their type; below that, all of them are codecs of anything.
const untyped = (fields: object): Readonly<Record<string, AnyField>> => fields as Readonly<Record<string, AnyField>>

const unknownKey = (known: readonly string[]): Codec<never> & Knowing =>
  Object.assign(
    plain('no such key', (_value): _value is never => false),
    { known, unknownKey: true as const },
  )

const attribute = (value: Attributes, key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined)

const objectOf = (name: string, fields: Readonly<Record<string, AnyField>>): Codec<Attributes> => {
  const all = Object.entries(fields).map(([key, field]) => ({
    key,
    step: keyStep(key),
    codec: 'optional' in field ? field.optional : field,
    mayBeAbsent: 'optional' in field,
  }))
  const keys = all.map(({ key }) => key)
  const known = new Set(keys)
  const stray = unknownKey(keys)

  const validate = (value: unknown, context: t.Context): t.Validation<Attributes> => {
    if (!isObject(value)) return t.failure(value, context)
    const errors: t.ValidationError[] = []
    const decoded: Record<string, unknown> = {}
    for (const { key, step, codec, mayBeAbsent } of all) {
      const part = attribute(value, key)
      if (part === undefined && mayBeAbsent) continue
      const result = codec.validate(part, t.appendContext(context, step, codec, part))
      if (E.isRight(result)) decoded[key] = result.right
      else for (const error of result.left) errors.push(error)
    }
    for (const key of Object.keys(value)) {
      if (known.has(key)) continue
      errors.push({ value: attribute(value, key), context: t.appendContext(context, keyStep(key), stray, key) })
    }
    return errors.length > 0 ? t.failures(errors) : t.success(decoded)
  }

  const encode = (value: Attributes): unknown => {
    const encoded: Record<string, unknown> = {}
    for (const { key, codec } of all) {
      const part = attribute(value, key)
      if (part !== undefined) encoded[key] = codec.encode(part)
    }
    return encoded
  }

  return codecOf(name, validate, encode)
}

/** An object with fields that are known only as data; the caller vouches for `A`. */
export const recordOf = <A extends object>(name: string, fields: Readonly<Record<string, AnyField>>): Codec<A> =>
  objectOf(name, fields) as unknown as Codec<A>

/** An object with exactly these fields. */
export const record = <A extends object>(name: string, fields: NoInfer<Fields<A>>): Codec<A> =>
  recordOf(name, untyped(fields))

/** For each value of the tag: the other fields of that member, or the codec of all of it. */
export type Members<A extends Readonly<Record<Tag, string>>, Tag extends string & keyof A> = {
  readonly [T in A[Tag]]:
    Fields<Extract<A, Readonly<Record<Tag, T>>>, Tag> | Codec<Extract<A, Readonly<Record<Tag, T>>>>
}

/** A union distinguished by the field `tag`. Errors are those of the member whose tag is there. */
export const tagged = <Tag extends string, A extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  name: string,
  members: NoInfer<Members<A, Tag & keyof A>>,
): Codec<A> => {
  const codecs = new Map(
    Object.entries(members as Readonly<Record<string, object>>).map(([value, member]) => [
      value,
      member instanceof t.Type
        ? (member as Codec<unknown>)
        : objectOf(name, untyped({ [tag]: literal(value), ...member })),
    ]),
  )
  const tags = oneOf(Object.fromEntries([...codecs.keys()].map((value) => [value, true])))

  const validate = (value: unknown, context: t.Context): t.Validation<A> => {
    if (!isObject(value)) return t.failure(value, context)
    const found = attribute(value, tag)
    const member = typeof found === 'string' ? codecs.get(found) : undefined
    if (member !== undefined) return member.validate(value, context) as t.Validation<A>
    return t.failure(found, t.appendContext(context, keyStep(tag), tags, found))
  }

  return codecOf(name, validate, (value) => codecs.get(value[tag])?.encode(value))
}

/** A codec that also reads what an earlier form of it has written; it writes the new one. */
export const reading = <A, B>(
  codec: Codec<A>,
  earlier: Codec<B>,
  isEarlier: (value: unknown) => boolean,
  now: (value: B) => A,
): Codec<A> =>
  codecOf(
    codec.name,
    (value, context) =>
      isEarlier(value) ? E.map(now)(earlier.validate(value, context)) : codec.validate(value, context),
    codec.encode,
  )

/** One of two kinds of value; `which` sees without decoding which of them it is meant to be. */
export const either = <A, B>(
  name: string,
  first: Codec<A>,
  second: Codec<B>,
  which: (value: unknown) => 'first' | 'second' | 'neither',
): Codec<A | B> =>
  codecOf<A | B>(
    name,
    (value, context) => {
      const kind = which(value)
      if (kind === 'neither') return t.failure(value, context)
      return kind === 'first' ? first.validate(value, context) : second.validate(value, context)
    },
    (value) => (which(value) === 'first' ? first.encode(value as A) : second.encode(value as B)),
  )
