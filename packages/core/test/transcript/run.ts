// Runs a scenario and compares it with what it expects.

import { perform } from './directive.js'
import type { Block } from './scenario.js'
import { at, parseScenario, writeScenario } from './scenario.js'
import { newStory } from './story.js'

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Sees each directive before it is carried out, and what it has produced. */
export interface Watcher {
  readonly before: (block: Block) => void
  readonly after: (output: readonly string[]) => void
}

const NO_WATCHER: Watcher = { before: () => undefined, after: () => undefined }

/** The scenario with the output that it produces now; a malformed directive fails with its file and line. */
export const rewritten = (file: string, text: string, watcher = NO_WATCHER): string => {
  const scenario = parseScenario(file, text)
  const story = newStory()
  const output = scenario.blocks.map((block) => {
    const { line, directive } = block
    watcher.before(block)
    try {
      const lines = perform(story, directive)
      watcher.after(lines)
      return lines
    } catch (error) {
      throw new Error(at(file, line, `${message(error)}\n  > ${directive}`), { cause: error })
    }
  })
  return writeScenario(scenario, output)
}

const CONTEXT = 2

interface Changed {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
  /** Line in the file as it is. */
  readonly line: number
}

/** Lengths of the longest common subsequences of what follows each pair of lines. */
const common = (was: readonly string[], is: readonly string[]): readonly (readonly number[])[] => {
  const lengths = Array.from({ length: was.length + 1 }, () => new Array<number>(is.length + 1).fill(0))
  for (let i = was.length - 1; i >= 0; i -= 1) {
    for (let j = is.length - 1; j >= 0; j -= 1) {
      const same = was[i] === is[j]
      lengths[i]![j] = same ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  return lengths
}

const changes = (was: readonly string[], is: readonly string[]): readonly Changed[] => {
  const lengths = common(was, is)
  const list: Changed[] = []
  let i = 0
  let j = 0
  while (i < was.length || j < is.length) {
    if (i < was.length && j < is.length && was[i] === is[j]) {
      list.push({ sign: ' ', text: was[i]!, line: i + 1 })
      i += 1
      j += 1
    } else if (j >= is.length || (i < was.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      list.push({ sign: '-', text: was[i]!, line: i + 1 })
      i += 1
    } else {
      list.push({ sign: '+', text: is[j]!, line: i + 1 })
      j += 1
    }
  }
  return list
}

/**
 * How a scenario differs from what it produces now, for people: the first line that differs, and each change with the lines
 * around it. Nothing where it does not.
 */
export const difference = (file: string, was: string, is: string): string | undefined => {
  if (was === is) return undefined
  const all = changes(was.trimEnd().split('\n'), is.trimEnd().split('\n'))
  const places = all.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]))
  const first = all[places[0] ?? 0]
  const near = (index: number): boolean => places.some((place) => Math.abs(place - index) <= CONTEXT)
  const shown = all.flatMap(({ sign, text }, index) => {
    if (near(index)) return [`${sign} ${text}`.trimEnd()]
    return near(index - 1) ? ['  …'] : []
  })
  const head = at(file, first?.line ?? 1, 'the scenario expects the lines marked -, and produces the lines marked +')
  return [head, ...shown].join('\n')
}
