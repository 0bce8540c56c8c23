// The words of a directive. A word may hold a JSON string (`"with blanks"`), `name=value` is a named word.

/** What is wrong with a directive; the interpreter adds the file and the line. */
export const fail = (message: string): never => {
  throw new Error(message)
}

/** A directive, taken apart. */
export interface Words {
  readonly plain: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

const WORD = /(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g
const NAMED = /^([A-Za-z][\w.-]*)=(.*)$/s

const unquoted = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"/g, (string) => JSON.parse(string) as string)

/** Takes a text apart; what is left over between words is a mistake. */
export const words = (text: string): Words => {
  const found = text.match(WORD) ?? []
  if (text.replaceAll(WORD, '').trim() !== '') fail(`a string does not end: ${text}`)
  const plain: string[] = []
  const named = new Map<string, string>()
  for (const each of found) {
    const [, name, value] = NAMED.exec(each) ?? []
    if (name === undefined || value === undefined) plain.push(unquoted(each))
    else if (named.has(name)) fail(`${name}= is said twice`)
    else named.set(name, unquoted(value))
  }
  return { plain, named }
}

/** Sees that a directive has as many words as it wants, and no names that it does not know. */
export const expectWords = (
  { plain, named }: Words,
  least: number,
  most: number,
  names: readonly string[] = [],
): void => {
  if (plain.length < least) fail(`words are missing: ${least} wanted, ${plain.length} given`)
  if (plain.length > most) fail(`too many words: ${plain.slice(most).join(' ')}`)
  for (const name of named.keys()) if (!names.includes(name)) fail(`${name}= means nothing here`)
}

/** A whole number. */
export const numeric = (text: string): number =>
  /^-?\d+$/.test(text) ? Number(text) : fail(`not a whole number: ${text}`)

/** One of a list of words. */
export const oneOf = <Choice extends string>(text: string | undefined, choices: readonly Choice[]): Choice =>
  choices.find((choice) => choice === text) ?? fail(`${text ?? 'nothing'} is none of ${choices.join(', ')}`)
