// The process that looks where a look might hang (prober.ts starts it). It takes one line of JSON at a time from stdin, a batch
// of questions, and writes one line, their answers. It blocks while it reads: the end of its manager, also by SIGKILL, is the
// end of its input, and so its own.

import { readFileSync, readSync, writeSync } from 'node:fs'
import type { LookRequest, Seen } from './look.js'
import { createKnownMounts } from './crossing.js'
import { answerInquiry } from './inquiry-process.js'
import { lookTogether } from './look.js'
import type { DirectoryQuestion, Question } from './question.js'
import { GREETING } from './question.js'
import { createRecentMounts } from './recent-mounts.js'
import { seeDirectory } from './roots.js'

const STDIN = 0
const STDOUT = 1
const CHUNK_BYTES = 65_536

/** Descriptors that a look may hold until the table is read; some are left for everything else. */
const DESCRIPTORS_EACH = 3
const DESCRIPTORS_LEFT = 64

/** Looks that may share one reading of the table: as many as this process may have descriptors for. */
const togetherMax = (): number => {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  const limit = soft === undefined ? Infinity : Number(soft)
  return Math.max(1, Math.floor((limit - DESCRIPTORS_LEFT) / DESCRIPTORS_EACH))
}

/** What the walks of this process have in common: the mounts above the roots. */
const known = createKnownMounts()
/** What its bursts have read of the table. */
const recent = createRecentMounts()

const lookAll = (requests: readonly LookRequest[]): readonly Seen[] => {
  const most = Math.min(requests.length, togetherMax())
  const slices = most === 0 ? 0 : Math.ceil(requests.length / most)
  return Array.from({ length: slices }, (_, slice) =>
    lookTogether(requests.slice(slice * most, (slice + 1) * most), { known, recent }),
  ).flat()
}

const directory = ({ role, path, trust }: DirectoryQuestion): unknown => seeDirectory(role, path, trust)

const answer = (questions: readonly Question[]): readonly unknown[] => {
  const requests: readonly LookRequest[] = questions.flatMap((one) => (one._tag === 'Look' ? [one.request] : []))
  const seen = lookAll(requests)
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

const serve = (): void => {
  write(GREETING)
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
}

// Started with a question, it answers that and ends.
const [, , question] = process.argv
if (question === undefined) serve()
else answerInquiry(question)
