// The header of a field failure: its `#` lines up to the first blank one or `#` alone. A line `# name: …` begins an entry,
// `#   …` goes on with it.

/** What the header of one scenario says. */
export interface Header {
  readonly number: number
  readonly title: string
  readonly links: readonly string[]
  /** What users of another system saw, and why. */
  readonly saw: string
  readonly cause: string
  readonly laws: string
  /** Tests that show the case on a real kernel: `packages/…/x.test.ts "name of the test"`. */
  readonly realKernel: readonly string[]
  readonly cannotHappen: string | undefined
}

const NAMES = ['link', 'saw', 'cause', 'laws', 'real kernel', 'cannot happen']

const entriesOf = (lines: readonly string[]): readonly string[] => {
  const entries: string[] = []
  for (const line of lines) {
    if (line.startsWith('#   ') && entries.length > 0) entries.push(`${entries.pop()!} ${line.slice(4)}`)
    else entries.push(line.slice(2))
  }
  return entries
}

/** Reads the header of a file; what it has to say and does not is empty. */
export const readHeader = (text: string): Header => {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => line === '' || line === '#')
  const [first = '', ...entries] = entriesOf(lines.slice(0, end < 0 ? lines.length : end))
  const [, number = '0', title = ''] = /^(\d+)\. (.+)$/.exec(first) ?? []
  const all = (name: string): readonly string[] =>
    entries.filter((entry) => entry.startsWith(`${name}: `)).map((entry) => entry.slice(name.length + 2))
  return {
    number: Number(number),
    title,
    links: all('link'),
    saw: all('saw').join(' '),
    cause: all('cause').join(' '),
    laws: all('laws').join(', '),
    realKernel: all('real kernel'),
    cannotHappen: all('cannot happen')[0],
  }
}

/** The entries of a header that mean nothing. */
export const unreadable = (text: string): readonly string[] => {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => line === '' || line === '#')
  const [, ...entries] = entriesOf(lines.slice(0, end < 0 ? lines.length : end))
  return entries.filter((entry) => !NAMES.some((name) => entry.startsWith(`${name}: `)))
}
