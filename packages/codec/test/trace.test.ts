import * as E from 'fp-ts/lib/Either.js'
import { effectId, requestId } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import type { TraceLine } from '../src/index.js'
import {
  decodeTrace,
  defaultConfiguration,
  encodeTraceHeader,
  encodeTraceLine,
  settingsCodec,
  traceErrorText,
} from '../src/index.js'

const header = encodeTraceHeader({ format: 1, settings: defaultConfiguration.settings, facts: [] })

const observed = (n: number): TraceLine => ({
  n,
  input: { _tag: 'Observed', at: 5, mountpoint: '/srv/mounts/a' },
  decision: {
    facts: [],
    effects: [
      {
        _tag: 'Look',
        effect: effectId(1),
        mountpoint: '/srv/mounts/a',
        filesystem: undefined,
        root: undefined,
        deadlineMs: 9,
      },
    ],
    answers: [{ request: requestId(2), id: 'x', op: 'status', ok: false, error: { _tag: 'Stopped' } }],
  },
})

const faultOf = (...lines: readonly string[]): string => {
  const decoded = decodeTrace(lines.join('\n'))
  return E.isRight(decoded) ? 'read' : traceErrorText(decoded.left)
}

test('a line says all and nothing more', () => {
  expect(encodeTraceLine(observed(1))).toBe(
    '{"n":1,"input":{"_tag":"Observed","at":5,"mountpoint":"/srv/mounts/a"},"decision":{"facts":[],"effects":[{"_tag":"Look","effect":1,"mountpoint":"/srv/mounts/a","deadlineMs":9}],"answers":[{"request":2,"id":"x","op":"status","ok":false,"error":{"_tag":"Stopped"}}]}}',
  )
})

test('the changes of a decision are not written', () => {
  const line = observed(1)
  const decision = { ...line.decision, changes: [{ _tag: 'Refusing', target: 'nfs1' }] }
  expect(encodeTraceLine({ ...line, decision })).toBe(encodeTraceLine(line))
})

test('lines are numbered from one on', () => {
  expect(faultOf(header)).toBe('read')
  expect(faultOf(header, encodeTraceLine(observed(1)), encodeTraceLine(observed(2)), '')).toBe('read')
  expect(faultOf(header, encodeTraceLine(observed(2)))).toBe('line 2: n: expected 1, got 2')
  expect(faultOf(header, encodeTraceLine(observed(1)), encodeTraceLine(observed(1)))).toBe(
    'line 3: n: expected 2, got 1',
  )
})

test('what cannot be read is named with its line', () => {
  const line = encodeTraceLine(observed(1))
  expect(faultOf('')).toBe('line 1: not JSON at character 1: expected a value, got the end')
  expect(faultOf(line)).toBe('line 1: format: missing; expected 1 (and 5 more)')
  expect(faultOf(header, line.slice(0, 30))).toBe(
    'line 2: not JSON at character 31: expected the end of a string, got the end',
  )
  expect(faultOf(header, line, '', '')).toBe('line 3: not JSON at character 1: expected a value, got the end')
  expect(faultOf(header, line.replace('"deadlineMs":9', '"deadlineMs":"9"'))).toBe(
    'line 2: decision.effects[0].deadlineMs: expected a whole number, got "9"',
  )
  expect(faultOf(header, line.replace('"Observed"', '"Seen"'))).toBe(
    'line 2: input._tag: expected "Requested", "Outcome", "Ended", "Granted", "Deadline", "Observed" or "Stopped", got "Seen"',
  )
  const { slots: _, ...settings } = settingsCodec.encode(defaultConfiguration.settings) as Record<string, unknown>
  expect(faultOf(JSON.stringify({ format: 1, settings, facts: [] }))).toBe(
    'line 1: settings.slots: missing; expected slots',
  )
})
