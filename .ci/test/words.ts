// Words that this repository does not use, each with a plain one. The reader is an engineer, often not a native speaker.

/** What not to write, as a pattern of whole words, and what to write. */
export const WORDS: readonly (readonly [pattern: string, better: string])[] = [
  ['nobody', 'name the actor that does not: no holder, no caller, no process'],
  ['(some|any|every)body', 'name the actor: a caller, an operator, a process'],
  ['who(so)?ever', 'name the actor: the caller that, the process that'],
  ['mend(s|ed|ing)?', 'fix, repair'],
  ['told|tells?|telling', 'report, say, show, know; distinguish'],
  ['lie|lies|lay|lain', 'is, is mounted, is left'],
  ['anew', 'again'],
  ['there(of|by|upon)|hence|whence', 'of it, by it; so'],
  ['(take|takes|taken|took) for', 'treat as, mistake for, assume to be'],
  ['(hold|holds|held|holding)( it| them)? against', 'check against, compare with'],
  ['(come|comes|came) (to nothing|to the same|of it)', 'have no effect, give the same result, follow'],
  ['in vain', 'without success'],
]

/** A text that has one of these words for a technical reason. */
export const EXCEPTIONS: readonly { readonly path: string; readonly text: string }[] = [
  // The user of this name.
  { path: 'packages/linux/test-host/orphans.test.ts', text: "'nobody'" },
  // A value that `--faults` takes.
  { path: 'packages/cli/src/faults.ts', text: "'cannot-tell'" },
  { path: 'packages/simulator/src/run/generate.ts', text: "'cannot-tell'" },
  { path: 'packages/simulator/test/calm.test.ts', text: "'cannot-tell'" },
]

/** `path:line: "word": better words`, for each word of the list. */
export const findingsIn = (path: string, prose: string): readonly string[] =>
  prose
    .split('\n')
    .flatMap((line, index) =>
      WORDS.flatMap(([pattern, better]) =>
        [...line.matchAll(new RegExp(`\\b(?:${pattern})\\b`, 'gi'))]
          .filter((found) => !isException(path, line, found))
          .map(([word]) => `${path}:${index + 1}: "${word}": ${better}`),
      ),
    )

const isException = (path: string, line: string, { index, 0: word }: RegExpExecArray): boolean =>
  EXCEPTIONS.some((known) => {
    const at = known.path === path ? line.indexOf(known.text) : -1
    return at !== -1 && at <= index && index + word.length <= at + known.text.length
  })
