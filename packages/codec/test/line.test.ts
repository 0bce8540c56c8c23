// How long a line may be: its end does not count.

import { expect, test } from 'vitest'
import { decodeBoundedLine } from '../src/line.js'
import { text } from '../src/shape.js'

test.each(['', '\r', '\n', '\r\n'])('a line that is as long as it may be is read with the end %j', (end) => {
  expect(decodeBoundedLine(text, `"abc"${end}`, 5)).toMatchObject({ right: 'abc' })
  expect(decodeBoundedLine(text, `"abc"${end}`, 4)).toEqual({ _tag: 'Left', left: { _tag: 'TooLong', bytesMax: 4 } })
})
