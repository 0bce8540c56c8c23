// One setting of the configuration: the codec that checks it, its default, and what it means. The codecs of the
// configuration file and the table that documents it are both made of these, so that they cannot differ.

import type { Codec } from './decode-error.js'
import type { Json } from './shape.js'
import { optional, recordOf } from './shape.js'

/** One setting. */
export interface Setting<A> {
  readonly codec: Codec<A>
  readonly default: A
  readonly meaning: string
}

/** Settings that stand together under one key. */
export type Section<A> = { readonly [K in keyof A]: Setting<A[K]> }

/** One key of the configuration file, as documentation and `--help` show it. */
export interface ConfigurationKey {
  /** Such as `deadlines.requestMs`; `NAME` stands for a name of the reader's own, `[]` for each element of a list. */
  readonly key: string
  /** What it may be, in words. */
  readonly expected: string
  /** Absent where leaving it out is not the same as any value. */
  readonly default?: Json
  readonly meaning: string
}

const settingsOf = (section: object): readonly (readonly [string, Setting<unknown>])[] =>
  Object.entries(section as Readonly<Record<string, Setting<unknown>>>)

/** A section in the file: every setting may be left out. */
export const sectionCodec = <A extends object>(section: Section<A>): Codec<Partial<A>> =>
  recordOf<Partial<A>>(
    'an object',
    Object.fromEntries(settingsOf(section).map(([key, { codec }]) => [key, optional(codec)])),
  )

/** A section with its defaults where the file says nothing. */
export const withDefaults = <A extends object>(section: Section<A>, written: Partial<A> | undefined): A => {
  const defaults = Object.fromEntries(settingsOf(section).map(([key, setting]) => [key, setting.default]))
  return { ...(defaults as A), ...written }
}

/** The rows of the documented table for a section. */
export const keysOf = <A extends object>(under: string, section: Section<A>): readonly ConfigurationKey[] =>
  settingsOf(section).map(([key, setting]) => ({
    key: `${under}.${key}`,
    expected: setting.codec.name,
    default: setting.codec.encode(setting.default) as Json,
    meaning: setting.meaning,
  }))
