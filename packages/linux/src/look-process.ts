// The process that looks where a look might hang (prober.ts starts it). It takes one line of JSON at a time from stdin, a batch
// of questions, and writes one line, their answers. It blocks while it reads: the end of its manager, also by SIGKILL, is the
// end of its input, and so its own.

import { readSync, writeSync } from 'node:fs'
import type { LookRequest } from './look.js'
import { lookTogether } from './look.js'
import type { DirectoryQuestion, Question } from './question.js'
import { seeDirectory } from './roots.js'

const STDIN = 0
const STDOUT = 1
const CHUNK_BYTES = 65_536

const directory = ({ role, path, uid }: DirectoryQuestion): unknown => seeDirectory(role, path, uid)

const answer = (questions: readonly Question[]): readonly unknown[] => {
  const requests: readonly LookRequest[] = questions.flatMap((one) => (one._tag === 'Look' ? [one.request] : []))
  const seen = lookTogether(requests)
  let next = 0
  return questions.map((question) => (question._tag === 'Look' ? seen[next++] : directory(question)))
}

const answerSafely = (line: string): unknown => {
  try {
    return answer(JSON.parse(line) as readonly Question[])
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) }
  }
}

const write = (line: string): void => {
  const bytes = Buffer.from(`${line}\n`, 'utf8')
  for (let from = 0; from < bytes.length;) from += writeSync(STDOUT, bytes, from)
}

const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
let parts: Buffer[] = []
for (let size = readSync(STDIN, chunk); size > 0; size = readSync(STDIN, chunk)) {
  let rest = Buffer.from(chunk.subarray(0, size))
  for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
    write(JSON.stringify(answerSafely(Buffer.concat([...parts, rest.subarray(0, at)]).toString('utf8'))))
    parts = []
    rest = rest.subarray(at + 1)
  }
  if (rest.length > 0) parts.push(rest)
}
