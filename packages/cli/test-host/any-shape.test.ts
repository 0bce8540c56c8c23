// Requests of any shape against a manager of the real host with its journal on disk, between requests that have to be served.

import { defaultSettings, readRequest } from '@mountkeeper/border'
import { createFileJournal, readJournal } from '@mountkeeper/journal'
import { linuxHost } from '@mountkeeper/linux'
import { createMountManager } from '@mountkeeper/runtime'
import { anyValue } from '@mountkeeper/simulator'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ROOT, STATE, mounted, prepareWorld } from './world.js'

prepareWorld()

const VALUES = 2_000
const BATCH = 100

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('2,000 values of any shape: one answer each, those between them are served, and the journal can be read again', async () => {
  const settings = defaultSettings(ROOT)
  const journal = createFileJournal({ directory: STATE })
  const defects: string[] = []
  const created = await createMountManager({
    settings,
    host: linuxHost({ types: settings.types }),
    journal,
    onDefect: ({ why }) => void defects.push(why),
  })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  const manager = created.right
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
  const makers = fc.sample(anyValue, { numRuns: VALUES, seed: 1 })
  let invalid = 0
  for (let from = 0; from < VALUES; from += BATCH) {
    const disk = { mountpoint: `${ROOT}/between`, volume: `v${from}`, consumer: 'c' }
    const served = [manager.attach({ ...disk, filesystem: { type: 'tmpfs', source: 't', options: [] } })()]
    const values = makers.slice(from, from + BATCH).map((make) => make())
    const malformed = values.filter((value) => !readRequest(value).ok).length
    let atOnce = 0
    const answers = values.map(async (value) => {
      const answer = await manager.submit(value)
      if (!answer.ok && answer.error._tag === 'Invalid') invalid += 1
      return answer
    })
    const refused = values
      .filter((value) => !readRequest(value).ok)
      .map((value) => manager.submit(value).then(() => (atOnce += 1)))
    const left = manager.detach(disk)()
    // The mounts of this batch take longer than a turn: what is malformed does not wait for them.
    await nextTurn()
    expect(atOnce).toBe(malformed)
    await Promise.all([...answers, ...refused])
    for (const answer of await Promise.all(served)) expect(answer).toMatchObject({ _tag: 'Right' })
    expect(await left).toMatchObject({ _tag: 'Right', right: { holder: 'removed' } })
  }
  expect(invalid).toBeGreaterThan(VALUES / 2)
  await manager.release({ consumer: 'strange' })()
  expect(defects).toEqual([])
  expect((await manager.stop()).ending).toEqual({ _tag: 'Drained' })
  await journal.close('drain')
  expect(await readJournal(STATE)()).toMatchObject({ _tag: 'Right' })
  expect(mounted()).toEqual([])
}, 180_000)
