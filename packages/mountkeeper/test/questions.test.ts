// Questions that are refused: what is no question, names no place, or is asked where the configuration does not list it. The inputs are
// data (test-fixtures/hostile/socket); `UPDATE_TRANSCRIPTS=1` writes the refusals again, and an input that is answered fails all the same.

import { readFileSync, writeFileSync } from 'node:fs'
import type { QuestionRequest } from '@mountkeeper/codec'
import { decodeQuestionLine, decodeRequestLine, invalidOf, socketOf } from '@mountkeeper/codec'
import { defaultSettings } from '@mountkeeper/border'
import { emptyHost } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test, vi } from 'vitest'
import { createGate } from '../src/domain.js'
import { answerQuestion, noQuestions } from '../src/questions.js'

const asked = vi.hoisted(() => ({ count: 0 }))
vi.mock('@mountkeeper/linux', () => ({
  QUESTIONS_MAX: 8,
  inspectMounts: () => void (asked.count += 1),
  whyBusy: () => void (asked.count += 1),
}))

const FILE = new URL('../../../test-fixtures/hostile/socket/question.json', import.meta.url)
interface Case {
  readonly request: unknown
  readonly refusal: unknown
}
const cases = JSON.parse(readFileSync(FILE, 'utf8')) as readonly Case[]

const manager = { state: emptyHost(defaultSettings('/srv/mounts')), recorded: () => undefined }
const LISTED = createGate({ ...socketOf({ path: '/s', operations: ['inspect', 'why'] }) })
const USUAL = createGate(socketOf({ path: '/s' }))

const refusalOf = async (request: unknown): Promise<unknown> => {
  const read = decodeQuestionLine(JSON.stringify(request))
  if (read === undefined) throw new Error('no question')
  if (E.isLeft(read)) return invalidOf(read.left)
  const { id } = read.right
  if (id !== undefined && id.length > 100) return { _tag: 'Invalid', field: 'id', why: 'is longer than 100 characters' }
  const answer = await answerQuestion(manager, read.right)
  return E.isLeft(answer) ? answer.left : answer
}

test.each(cases.map(({ request, refusal }) => [JSON.stringify(request).slice(0, 160), request, refusal] as const))(
  '%s',
  async (_, request, refusal) => {
    const answer = await refusalOf(request)
    expect(['Invalid', 'NotManaged']).toContain((answer as { readonly _tag: unknown })._tag)
    if (process.env['UPDATE_TRANSCRIPTS'] === undefined) expect(answer).toEqual(refusal)
    expect(asked.count).toBe(0)
    // A stream of requests knows no such operation.
    expect(E.isLeft(decodeRequestLine(JSON.stringify(request)))).toBe(true)
  },
)

test('the refusals are written again', async () => {
  if (process.env['UPDATE_TRANSCRIPTS'] === undefined) return
  const lines: string[] = []
  for (const { request } of cases) lines.push(`  ${JSON.stringify({ request, refusal: await refusalOf(request) })}`)
  writeFileSync(FILE, `[\n${lines.join(',\n')}\n]\n`)
})

test.each<QuestionRequest>([
  { op: 'inspect', path: '/srv/mounts/a' },
  { op: 'why', mountpoint: '/srv/mounts/a' },
])('%j is refused on a socket that does not list it, and asked on one that does', async (question) => {
  expect(USUAL(question)).toEqual({ _tag: 'Invalid', field: 'op', why: `${question.op} is not allowed on this socket` })
  expect(LISTED(question)).toBeUndefined()
  // Nothing is the answer of the adapter while too many questions hang.
  expect(await answerQuestion(manager, question)).toEqual(E.left({ _tag: 'Overloaded', limit: 'questions', value: 8 }))
  expect(asked.count).toBe(1)
  asked.count = 0
})

test('a simulated host is asked nothing', async () => {
  expect(await noQuestions()).toMatchObject(E.left({ _tag: 'Invalid', field: 'op' }))
})

test('a line that only has the word is no question', () => {
  for (const line of [
    '{"op":"attach","source":"\\"op\\":\\"why\\""}',
    '"op":"why"',
    '[{"op":"why"}]',
    '{"a":{"op":"why"}}',
  ])
    expect(decodeQuestionLine(line)).toBeUndefined()
})
