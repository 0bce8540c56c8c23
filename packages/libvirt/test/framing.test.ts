// How the answers of one process are distinguished.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerOf, createCutter, linesFor } from '../src/framing.js'

const WORD = '0123456789abcdef'

test('each command is followed by an echo, the last by one on stderr too; none says its own mark', () => {
  const lines = linesFor(WORD, 3, ['one', 'two'])
  expect(lines).toBe(
    [
      'one',
      "echo '01234567''89abcdef-3;'",
      'two',
      "echo '01234567''89abcdef-4;'",
      "echo --err '01234567''89abcdef-5;'",
      "echo '01234567''89abcdef-5;'",
      '',
    ].join('\n'),
  )
  expect(lines).not.toContain(WORD)
})

test('an answer is cut at its marks, wherever the chunks end', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.nat(40)), (texts, steps) => {
      const whole = texts.map((text, index) => `${text}${WORD}-${index};`).join('') + 'rest'
      const cutter = createCutter(WORD, 0)
      const cut: string[] = []
      let from = 0
      for (const step of steps) {
        cut.push(...cutter.push(whole.slice(from, from + step)))
        from += step
      }
      cut.push(...cutter.push(whole.slice(from)))
      expect(cut).toEqual(texts)
      expect(cutter.waiting()).toBe('rest'.length)
    }),
  )
})

test.each([
  ["virsh > list\nx\ny\nvirsh > echo '01234567''89abcdef-1;'\n", 'x\ny\n'],
  ["virsh # list\nvirsh # echo '01234567''89abcdef-1;'\n", ''],
  ['virsh > x\nvirsh > ', 'x\n'],
  ['virsh > virsh > ', ''],
  ["virsh > list\n  virsh > x\nvirsh > echo '01234567''89abcdef-1;'\n", '  virsh > x\n'],
])('%j is %j', (between, answer) => {
  expect(answerOf(between, WORD, 1, 'list')).toEqual({ _tag: 'Right', right: answer })
})

test.each(['', 'x', 'virsh > ', 'virsh > list\nx', 'x\nvirsh > ', "virsh > list\nx\necho '01234567''89abcdef-1;'\n"])(
  '%j is no answer',
  (between) => {
    expect(answerOf(between, WORD, 1, 'list')._tag).toBe('Left')
  },
)
