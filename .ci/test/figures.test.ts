// The closing figures of npm test come from tests that passed, and say so when they do not come at all.
import { expect, test } from 'vitest'
import { collect, noFigures, tell } from '../figures.mjs'
import { unreported } from '../unreported.mjs'

const passed = (fullName: string, figures?: object) => ({ status: 'passed', fullName, meta: { figures } })

test('add up what passed tests say', () => {
  const figures = collect(noFigures(), [
    passed('L1 L2: x', { mutantsKilled: 1 }),
    passed('L2 and L10', { mutantsKilled: 1, mutantsPlanted: 3 }),
    { status: 'failed', fullName: 'L3', meta: { figures: { mutantsKilled: 1 } } },
    { status: 'pending', fullName: 'L4' },
    passed('without'),
  ])
  const { lines } = tell(figures)
  expect(lines.find((line) => line.includes('mutants'))).toMatch(/ 2 of 3$/)
  expect(lines.find((line) => line.includes('test names'))).toMatch(/ 3 of 48 laws, /)
})

test('are missing, not none, when they were not reported', () => {
  const { lines, missing } = tell(noFigures())
  expect(missing).toEqual(['laws', 'states explored', 'mutants killed', 'fidelity', 'differential', 'field failures'])
  expect(lines.filter((line) => line.endsWith('MISSING: not reported'))).toHaveLength(missing.length)
  expect(lines.join('\n')).not.toMatch(/\b0\b(?! of 48)/)
})

test('a suite without a report has failed, but where no namespace can be had', () => {
  const suite = { ok: true, output: '', files: ['a.test.ts'], name: 'host linux' }
  expect(unreported(suite)).toEqual({ passed: 0, failed: 1, skipped: [] })
  expect(unreported({ ...suite, ok: false })).toEqual({ passed: 0, failed: 1, skipped: [] })
  const refused = { ...suite, output: 'SKIPPED: namespaces are refused on this machine' }
  expect(unreported(refused)).toEqual({ passed: 0, failed: 0, skipped: ['host linux: all of a.test.ts'] })
})
