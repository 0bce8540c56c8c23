// A scenario file: a header of `#` lines, then blocks. A line that begins with `> ` is a directive, the indented lines after
// it are the output it is to produce; blank lines and `#` lines between blocks are prose and stay as they are.

import { fail } from './words.js'

/** One directive with what is expected of it. */
export interface Block {
  readonly line: number
  readonly directive: string
  readonly expected: readonly string[]
  /** The prose that stands before it. */
  readonly before: readonly string[]
}

export interface Scenario {
  readonly file: string
  readonly blocks: readonly Block[]
  readonly after: readonly string[]
}

interface Open {
  line: number
  directive: string
  expected: string[]
  before: string[]
}

/** Where something is wrong: `4-look-directory.txt:12: …`. */
export const at = (file: string, line: number, message: string): string => `${file}:${line}: ${message}`

const isProse = (line: string): boolean => line === '' || line.startsWith('#')

/** Reads a scenario; a line that belongs nowhere fails with its file and number. */
export const parseScenario = (file: string, text: string): Scenario => {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (!lines[0]?.startsWith('# ')) fail(at(file, 1, 'a scenario begins with # lines that say what it shows'))
  const blocks: Open[] = []
  let prose: string[] = []
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('> ')) {
      blocks.push({ line: index + 1, directive: line.slice(2), expected: [], before: prose })
      prose = []
    } else if (isProse(line)) {
      prose.push(line)
    } else if (line.startsWith('  ') && prose.length === 0 && blocks.length > 0) {
      blocks.at(-1)!.expected.push(line)
    } else {
      fail(at(file, index + 1, `neither a directive ("> "), nor output ("  "), nor prose ("# "): ${line}`))
    }
  }
  return { file, blocks, after: prose }
}

/** The scenario as a file, with the output that each directive produced. */
export const writeScenario = ({ blocks, after }: Scenario, output: readonly (readonly string[])[]): string => {
  const lines = blocks.flatMap(({ before, directive }, index) => [
    ...before,
    `> ${directive}`,
    ...(output[index] ?? []),
  ])
  return `${[...lines, ...after].join('\n')}\n`
}
