// The smaller explorations of CI, and the page that they draw. UPDATE_DIAGRAM=1 writes it.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import * as explorer from '../../src/explore/index.js'
import { expectProgress, exploreAll } from './configurations.js'

const page = new URL('../../../core/docs/transitions.md', import.meta.url)
const diagram = explorer.emptyDiagram()

test.each([
  ['L28 L36: the table of the host', explorer.HOST],
  ['L48: without faults nothing is refused', explorer.FAULTLESS],
  ['L45 L47: releases, late slots, reboots', explorer.RELEASED],
  ['L16 L35: late and bare mounts, observations, directories of others', explorer.ODD],
])(
  '%s, to the fixed point',
  (_, configuration) => {
    expectProgress(exploreAll(configuration, explorer.drawInto(diagram)))
  },
  600_000,
)

test('L22: two mountpoints with one slot, to a stated depth', () => {
  exploreAll(explorer.BESIDE, explorer.drawInto(diagram))
}, 600_000)

test('the page of transitions is as the explorer draws it', () => {
  const drawn = explorer.showDiagram(diagram)
  if (process.env['UPDATE_DIAGRAM'] === '1') writeFileSync(page, drawn)
  expect(readFileSync(page, 'utf8'), 'UPDATE_DIAGRAM=1 draws it again').toBe(drawn)
})
