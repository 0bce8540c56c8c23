import * as E from 'fp-ts/lib/Either.js'
import type { Answer } from '@mountkeeper/core'
import { requestId } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { decodeAnswerLine, encodeAnswer, lineErrorText } from '../src/index.js'

const request = requestId(12)

test.each<readonly [Answer, string]>([
  [
    {
      request,
      id: '1',
      op: 'attach',
      ok: true,
      result: { _tag: 'Attached', holder: 'added', mount: 'mounted', instance: 1, generation: 1, warnings: [] },
    },
    '{"id":"1","op":"attach","ok":true,"result":{"_tag":"Attached","holder":"added","mount":"mounted","instance":1,"generation":1,"warnings":[]}}',
  ],
  [
    {
      request,
      id: '2',
      op: 'detach',
      ok: true,
      result: {
        _tag: 'Detached',
        holder: 'removed',
        holdersLeft: 0,
        mount: 'unmounted',
        directory: 'removed',
        warnings: [],
      },
    },
    '{"id":"2","op":"detach","ok":true,"result":{"_tag":"Detached","holder":"removed","holdersLeft":0,"mount":"unmounted","directory":"removed","warnings":[]}}',
  ],
  [
    {
      request,
      op: 'attach',
      ok: false,
      error: { _tag: 'Conflict', requested: { type: 'tmpfs', source: 'b', options: [] }, vacant: true },
    },
    '{"op":"attach","ok":false,"error":{"_tag":"Conflict","requested":{"type":"tmpfs","source":"b","options":[]},"vacant":true}}',
  ],
])('%j', (answer, line) => {
  expect(encodeAnswer(answer)).toBe(line)
})

test.each([
  ['{"op":"attach"}', 'ok: missing; expected true or false (and 1 more)'],
  ['{"op":"attach","ok":true}', 'result: missing; expected a result'],
  ['{"op":"attach","ok":true,"error":{"_tag":"Stopped"}}', 'result: missing; expected a result (and 1 more)'],
  ['{"op":"attach","ok":false,"error":{"_tag":"Stopped"},"request":1}', 'request: unknown key'],
  ['{"ok":false,"line":1,"error":{"_tag":"Stopped"}}', 'error._tag: expected "Invalid", got "Stopped" (and 2 more)'],
  ['7', 'expected an answer: an object with ok, got 7'],
])('%s is refused', (line, message) => {
  const decoded = decodeAnswerLine(line)
  expect(E.isLeft(decoded) && lineErrorText(decoded.left)).toBe(message)
})
