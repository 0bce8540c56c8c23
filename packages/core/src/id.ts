// The names by which things are distinguished. All of them are plain strings and numbers at run time; the brands only keep
// one kind from being passed for another. Values are checked once, at the border (see check.ts), and trusted from there on.

declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** One accepted or refused request in the life of a process. Given by the driver, strictly growing. */
export type RequestId = Branded<number, 'RequestId'>

/** One effect in the life of a process. Given by the core, strictly growing. */
export type EffectId = Branded<number, 'EffectId'>

/** Makes a request id out of a number that the driver never used before and that is larger than all earlier ones. */
export const requestId = (value: number): RequestId => value as RequestId

/** Makes an effect id; only the core hands them out, drivers and tests read them back from data. */
export const effectId = (value: number): EffectId => value as EffectId

/** A pair that uses a mountpoint: what is attached, and who uses it. */
export interface Attachment {
  readonly volume: string
  readonly consumer: string
}
