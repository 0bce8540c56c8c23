// The smaller explorations of CI, and the page that they draw. UPDATE_DIAGRAM=1 writes it.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { notInTable, notSeen } from '@mountkeeper/inspect'
import { expect, test } from 'vitest'
import * as explorer from '../../src/explore/index.js'
import { expectProgress, exploreAll } from './configurations.js'

const page = new URL('../../../core/docs/transitions.md', import.meta.url)
const diagram = explorer.emptyDiagram()

test.for([
  { name: 'L28 L36: the table of the host', configuration: explorer.HOST },
  { name: 'L48: without faults nothing is refused', configuration: explorer.FAULTLESS },
  { name: 'L22 L35 L45: a server that may hang, probed at reconcile', configuration: explorer.PROBED },
  { name: 'L17 L34 L45: what only a person can remove', configuration: explorer.OBSTRUCTED },
  { name: 'L45 L47: releases, late slots, reboots', configuration: explorer.RELEASED },
  { name: 'L16 L35: late and bare mounts, observations, directories of others', configuration: explorer.ODD },
  { name: 'L16 L20: sources spelled differently, flags that others take', configuration: explorer.SPELLED },
  { name: 'L25 L32: two servers that hang, one slot in all', configuration: explorer.SERVERS },
])('$name, to the fixed point', { timeout: 600_000 }, ({ configuration }, context) => {
  expectProgress(exploreAll(context, configuration, explorer.drawInto(diagram)))
})

test('L22: two mountpoints with one slot, to a stated depth', (context) => {
  exploreAll(context, explorer.BESIDE, explorer.drawInto(diagram))
}, 600_000)

// No configuration explores the ladder, or a policy that keeps what is vacant: scenarios of the core show these cells.
const NOT_EXPLORED = [
  'queued Elapsed never leads to queued',
  'running Elapsed never leads to running',
  'blocked Reported never leads to blocked',
  'blocked Elapsed never leads to blocked',
  'blocked Ended never leads to running',
  'blocked Ended never leads to blocked',
]

test('the table of the core and the explorations show the same', () => {
  const differences = { notInTable: notInTable(diagram.cells), notSeen: notSeen(diagram.cells) }
  expect(differences).toEqual({ notInTable: [], notSeen: NOT_EXPLORED })
})

test('the page of transitions is as the explorer draws it', () => {
  const drawn = explorer.showDiagram(diagram)
  if (process.env['UPDATE_DIAGRAM'] === '1') writeFileSync(page, drawn)
  expect(readFileSync(page, 'utf8'), 'UPDATE_DIAGRAM=1 draws it again').toBe(drawn)
})
