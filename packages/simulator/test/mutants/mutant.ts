// A mutant: one mistake, planted into the sources of the core as they are loaded. The sources themselves are never written.

/** An exact replacement in one file below packages/core/src. What is to be found stands there exactly once. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Imports that the replacement needs. */
  readonly imports?: string
}

/** A kind of mistake, as it would look in the core. */
export interface Mutant {
  readonly name: string
  /** What is wrong about it, and who has made it before. */
  readonly mistake: string
  /** The laws that it breaks (laws.md of core). */
  readonly laws: string
  readonly edits: readonly Edit[]
}

/** A mutant of one replacement; `file` is below packages/core/src. */
export const mutant = (
  name: string,
  mistake: string,
  laws: string,
  file: string,
  find: string,
  replace: string,
  imports = '',
): Mutant => ({ name, mistake, laws, edits: [{ file, find, replace, imports }] })

/** A mutant that needs several. */
export const mutantOf = (name: string, mistake: string, laws: string, ...edits: readonly Edit[]): Mutant => ({
  name,
  mistake,
  laws,
  edits,
})

/** How often a text stands in a source. */
export const occurrences = (source: string, text: string): number => source.split(text).length - 1

/** The source with the mistake in it. */
export const plant = (source: string, { file, find, replace, imports = '' }: Edit): string => {
  const times = occurrences(source, find)
  if (times !== 1) throw new Error(`${file} has ${times} times, instead of once: ${find}`)
  return `${imports}\n${source.replace(find, () => replace)}`
}
