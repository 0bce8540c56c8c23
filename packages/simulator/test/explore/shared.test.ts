// The largest exploration of CI: two attachments and two filesystems on one mountpoint, every effect ending in every way, third
// parties, crashes, cancel, deadlines.
import { readFileSync } from 'node:fs'
import { notInTable } from '@mountkeeper/inspect'
import { expect, test } from 'vitest'
import * as explorer from '../../src/explore/index.js'
import { expectProgress, exploreAll } from './configurations.js'

const page = readFileSync(new URL('../../../core/docs/transitions.md', import.meta.url), 'utf8')

test('L1 L2 L3 L4 L5 L6 L7 L10 L11 L16 L20 L21 L22 L23 L25 L28 L30 L34 L35 L36 L41 L45 L47: in every state of a shared mountpoint', (context) => {
  const diagram = explorer.emptyDiagram()
  const exploration = exploreAll(context, explorer.SHARED, explorer.drawInto(diagram))
  expectProgress(exploration)
  expect(notInTable(diagram.cells)).toEqual([])
  const edges = (text: string): readonly string[] => text.match(/^ {4}\w+ --> \w+ /gm) ?? []
  const known = new Set(edges(page))
  expect(edges(explorer.showDiagram(diagram)).filter((edge) => !known.has(edge) && !edge.includes('[*]'))).toEqual([])
}, 900_000)
