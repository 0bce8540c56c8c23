// What is wrong with a command line, in one line, with what was probably meant.

/** One mistake, as the parser reports it. */
export interface Mistake {
  readonly message: string
  readonly nodes: readonly { readonly type: string; readonly raw: string }[]
}

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** A third of the letters may be wrong; a beginning of three letters is close enough. */
const isClose = (name: string, known: string): boolean =>
  distance(name, known) <= Math.max(1, Math.floor(known.length / 3)) ||
  (name.replaceAll('-', '').length >= 3 && known.startsWith(name))

const LONGEST = 40

/** The known name that was probably meant. */
export const nearestName = (name: string, known: readonly string[]): string | undefined => {
  if (name.length > LONGEST) return undefined
  const [best] = known.filter((each) => isClose(name, each)).sort((a, b) => distance(name, a) - distance(name, b))
  return best
}

const meant = (name: string, known: readonly string[]): string => {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

const unknownArgument = (node: Mistake['nodes'][number], options: readonly string[]): string => {
  if (node.type === 'positionalArgument') return `${node.raw}: unexpected argument`
  const option = (node.type === 'shortOption' ? `-${node.raw}` : node.raw).replace(/[= ].*$/s, '')
  return `${option}: unknown option${meant(option, options)}`
}

const withoutRepetition = (message: string): string =>
  message
    .replace(/^Expected to get a value, found a flag$/, 'needs a value')
    .replace(/^Invalid value .* Expected/s, 'expected')

/** One mistake in a line, without what to do next. `commands` and `options` are the names that are known there. */
export const mistakeText = (mistake: Mistake, commands: readonly string[], options: readonly string[]): string => {
  const [node] = mistake.nodes
  if (mistake.message.startsWith('Not a valid subcommand name')) {
    const name = node?.raw ?? ''
    return `${name}: unknown command${meant(name, commands)}`
  }
  if (mistake.message === 'Unknown arguments' && node !== undefined) return unknownArgument(node, options)
  const missing = /^No value provided for (.*)$/.exec(mistake.message)?.[1]
  if (missing !== undefined) return `${missing} is missing`
  const message = withoutRepetition(mistake.message)
  return node === undefined ? message : `${node.raw}: ${message}`
}
