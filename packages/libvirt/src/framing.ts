// How the answers of one virsh are distinguished. Commands go in on stdin, and after each an `echo` of a word that cannot
// guess; what comes out between two of these words is the answer of one command, and an answer whose word is missing is not
// complete. Exit codes cannot say it: there is one for all commands, that of the last.
//
// virsh writes a prompt before each command and repeats what it read. The word is written in two quoted halves, so that what is
// repeated is never mistaken for it.

import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'

/** A word of 16 hexadecimal digits, of this session alone. */
export type Word = string

/** No answer is longer than this, in characters; the XML of a domain has some 5,000. */
export const ANSWER_MAX = 16_777_216

const HALF = 8

const echoOf = (word: Word, number: number): string => `echo '${word.slice(0, HALF)}''${word.slice(HALF)}-${number};'`
const markOf = (word: Word, number: number): string => `${word}-${number};`

/** What is written to stdin for commands, the first of which has this number. Ends with a line that marks stderr. */
export const linesFor = (word: Word, first: number, commands: readonly string[]): string => {
  const marked = commands.flatMap((command, index) => [command, echoOf(word, first + index)])
  const last = first + commands.length
  return `${[...marked, echoOf(word, last).replace('echo', 'echo --err'), echoOf(word, last)].join('\n')}\n`
}

const PROMPT = /^virsh [>#] /
const PROMPT_AT_END = /virsh [>#] $/

const without = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, -end.length) : text)

/**
 * What a command wrote, out of all that came since the answer before it: the prompt, the command as it was repeated (a virsh
 * without readline does not), the answer, the prompt of the echo, and that repeated.
 */
export const answerOf = (between: string, word: Word, number: number, command: string): Either<string, string> => {
  const upToPrompt = without(between, `${echoOf(word, number)}\n`)
  const begin = PROMPT.exec(upToPrompt)
  const end = PROMPT_AT_END.exec(upToPrompt)
  if (begin === null || end === null || end.index < begin[0].length) {
    return left(`virsh gave no recognizable answer to ${command}`)
  }
  const answer = upToPrompt.slice(begin[0].length, end.index)
  return right(answer.startsWith(`${command}\n`) ? answer.slice(command.length + 1) : answer)
}

/** Cuts a stream at its marks, in order. */
export interface Cutter {
  /** What came before each mark that is complete by now. */
  readonly push: (text: string) => readonly string[]
  /** Characters that belong to no mark yet. */
  readonly waiting: () => number
}

/** Begins before the mark of this number. */
export const createCutter = (word: Word, first: number): Cutter => {
  let number = first
  let rest = ''
  let searched = 0
  return {
    push: (text) => {
      rest += text
      const cut: string[] = []
      for (;;) {
        const mark = markOf(word, number)
        const at = rest.indexOf(mark, searched)
        if (at < 0) {
          searched = Math.max(0, rest.length - mark.length)
          return cut
        }
        cut.push(rest.slice(0, at))
        rest = rest.slice(at + mark.length)
        searched = 0
        number += 1
      }
    },
    waiting: () => rest.length,
  }
}
