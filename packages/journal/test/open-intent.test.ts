// An open intent that explains only the directory, in a journal that was made shorter: were that lost, a later life would take
// the mount of a third party for its own. A program that knows no such field knows no such format either, and refuses the file.

import { defaultSettings } from '@mountkeeper/border'
import type { Fact } from '@mountkeeper/core'
import { restore } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { createFileJournal, scanBytes } from '../src/index.js'
import { held, leftOf } from './facts.js'
import { createModelDisk } from './model-disk.js'

const MOUNTPOINT = '/srv/mounts/opened'
const filesystem = { type: 'tmpfs', source: 'scratch', options: [] }
const pair = { volume: 'v', consumer: 'c' }
const there = { at: 1, mountpoint: MOUNTPOINT }

/** An attach that reached its deadline before the end of its mkdir was seen. */
const OPEN: readonly Fact[] = [
  { _tag: 'Claimed', ...there, filesystem, ...pair, found: { _tag: 'NoDirectory' }, layersBefore: [] },
  { _tag: 'ClaimEnded', ...there, ...pair, intent: 'open' },
]

/** The last format that has no such field. */
const WITHOUT = 1

const explainedBy = (facts: readonly Fact[]): unknown =>
  restore(defaultSettings('/srv/mounts'), facts).mountpoints.get(MOUNTPOINT)?.record.intent?.explains

test('what an open intent explains is kept when the journal is made shorter, in a format that older programs refuse', async () => {
  expect(explainedBy(OPEN)).toBe('only the directory')
  const disk = createModelDisk()
  const journal = createFileJournal({ directory: '/state', disk, compactFactsMin: 20 })
  await journal.read()
  expect(await journal.append(OPEN)()).toMatchObject({ _tag: 'Right' })
  for (let index = 0; index < 40; index += 1) {
    expect(await journal.append([held(index), leftOf(held(index))])()).toMatchObject({ _tag: 'Right' })
  }
  await journal.close('drain')
  const { fault, head, read } = scanBytes(disk.content('/state/journal') ?? Buffer.alloc(0))
  expect(fault).toBeUndefined()
  // It was made shorter: the facts of the attach themselves are no longer there.
  expect(read.filter(({ _tag }) => _tag === 'Claimed')).toEqual([])
  const recorded = read.find((fact) => fact._tag === 'Recorded' && fact.mountpoint === MOUNTPOINT)
  expect(recorded).toMatchObject({ intent: { found: { _tag: 'NoDirectory' }, explains: 'only the directory' } })
  expect(explainedBy(read)).toBe('only the directory')
  expect(head?.format).toBeGreaterThan(WITHOUT)
})
