// Command lines for the long-lived shell. This is the only code that builds shell text, and `quoted` the only function that quotes:
// an argument that got out of its quotes would be run as root, and an unbalanced quote would swallow all that follows.

/** One argument as a word of sh(1): between single quotes everything but a single quote stands for itself (POSIX 2.2.2). */
export const quoted = (argument: string): string => `'${argument.replaceAll("'", `'\\''`)}'`

/** What no shell can pass on; a line with it is never built. */
export const isUnquotable = (vector: readonly string[]): boolean => vector.some((argument) => argument.includes('\0'))

/** What the shell does before its first command: it gives nothing on that this process would not. */
export const FIRST_LINE = 'umask 077;unset PWD OLDPWD SHLVL _\n'

/** What the shell writes around a command; `nonce` is what no command can know. */
export const beginMark = (nonce: string, number: number): string => `${nonce} b ${number}`
export const endMark = (nonce: string, number: number): string => `${nonce} e ${number}`

/**
 * The line that runs a command: it is said that it begins; it gets no standard input, its stderr goes where the marks go; its status is
 * said. Programs are looked for each time, as for a command that has a process of its own. The mark of the end begins a line.
 */
export const commandLine = (vector: readonly string[], nonce: string, number: number): string =>
  `hash -r;echo ${beginMark(nonce, number)};` +
  `${vector.map(quoted).join(' ')} </dev/null 2>&1 >/dev/null;` +
  `echo ${endMark(nonce, number)} $?\n`
