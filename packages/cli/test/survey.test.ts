// A survey beside an inventory that is away: refused, or shown without it to a person who only wants to see.

import { createSystemTimers } from '@mountkeeper/runtime'
import type { InventoryPort } from '@mountkeeper/runtime'
import { left } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { surveyOf } from '../src/survey.js'
import { configurationWith } from './drive.js'
import { createModelHost } from './model-host.js'

const away: InventoryPort = {
  ask: () => () => Promise.resolve(left({ _tag: 'InventoryFailed', why: 'no libvirt' })),
  watch: () => () => undefined,
}

const place = () => ({
  configuration: configurationWith(),
  machine: { host: createModelHost(), timers: createSystemTimers(), inventory: away },
})

test('an inventory that fails is no reason to show nothing, and is reported', async () => {
  const said: string[] = []
  const survey = await surveyOf(place(), {}, (sentence) => void said.push(sentence))
  expect(survey).toMatchObject({ right: { status: { _tag: 'Status', mountpoints: [] } } })
  expect(said).toEqual(['the inventory failed: no libvirt; the report shows only the journal and the mount table'])
})

test('who acts on the survey gets none', async () => {
  expect(await surveyOf(place())).toMatchObject({
    left: { text: 'cannot read the host: the inventory failed: no libvirt' },
  })
})
