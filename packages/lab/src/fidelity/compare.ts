// Plays one list on both sides, and compares them after each step.

import type { MountpointEffect } from '@mountkeeper/core'
import { linuxHost } from '@mountkeeper/linux'
import { NO_FAULT, complete, execute, usualWording } from '@mountkeeper/simulator'
import { typeRule } from '@mountkeeper/types'
import { expect } from 'vitest'
import type { Deed } from './deed.js'
import { deedText, effectOf } from './deed.js'
import { clearPlace, kernelShows, makePlace, operateReally, placeOf } from './kernel-side.js'
import { createLateRunner } from './late-runner.js'
import { PLACE, isLeftOut, modelShows, newModelSide, operate } from './model-side.js'
import type { Side } from './snapshot.js'
import { createNames } from './snapshot.js'
import type { SystemCalls } from './system-calls.js'

/** How much was compared. */
export interface Figures {
  sequences: number
  steps: number
  refused: number
}

const late = createLateRunner()

const port = linuxHost({
  runner: late.runner,
  types: { tmpfs: typeRule('tmpfs', ['*']), bind: typeRule('bind', [`${PLACE}/`]) },
})

/** Throws at the first difference, with the steps up to it. `mayBe`: whether looks are by descriptors or by the table. */
export const compare = async (
  calls: SystemCalls,
  deeds: readonly Deed[],
  mayBe: 'quiet' | 'anything',
  figures: Figures,
): Promise<void> => {
  const model = newModelSide()
  let { host } = model
  await makePlace(calls)
  let processes = 0
  let toCome: readonly { readonly effect: MountpointEffect; readonly really: () => Promise<string | undefined> }[] = []
  try {
    const place = await placeOf()
    const kernelNames = createNames(place)
    const modelNames = createNames(model.place)

    const nothing = async (): Promise<readonly [Side, Side]> => [
      modelShows(host, {}, model.place),
      await kernelShows({}, place, mayBe),
    ]

    const other = async (deed: Deed & { readonly _tag: 'Other' }): Promise<readonly [Side, Side]> => {
      if (isLeftOut(host, deed.does)) return nothing()
      const done = operate(host, deed.does)
      host = done.host
      const errno = await operateReally(calls, deed.does)
      if (deed.does._tag === 'Enter' && errno === undefined) processes += 1
      return [modelShows(host, done, model.place), await kernelShows({ errno }, place, mayBe)]
    }

    const comes = async (): Promise<readonly [Side, Side]> => {
      const [first, ...rest] = toCome
      if (first === undefined) return nothing()
      toCome = rest
      host = complete(host, first.effect, 'becomes visible')
      await first.really()
      return nothing()
    }

    const later = async (simulated: MountpointEffect, real: MountpointEffect): Promise<readonly [Side, Side]> => {
      const fault = { _tag: 'Late', afterMs: 1 } as const
      const { reported, toCome: still } = execute(host, simulated, fault, usualWording)
      const { done: report, left } = await late.leaving(() => port.run(real))
      expect(left === undefined ? 'Nothing' : 'Visible').toBe(still._tag)
      if (left !== undefined) toCome = [...toCome, { effect: simulated, really: () => left(calls) }]
      return [modelShows(host, { report: reported }, model.place), await kernelShows({ report }, place, mayBe)]
    }

    const effect = async (
      deed: Exclude<Deed, { readonly _tag: 'Other' | 'LaterComes' }>,
    ): Promise<readonly [Side, Side]> => {
      const simulated = effectOf(deed, model.place, modelNames)
      const real = effectOf(deed, place, kernelNames)
      if (simulated === undefined || real === undefined) {
        return nothing()
      }
      if (deed._tag === 'MountLater') return later(simulated, real)
      const { host: after, reported } = execute(host, simulated, NO_FAULT, usualWording)
      host = after
      const report = await port.run(real)
      return [modelShows(host, { report: reported }, model.place), await kernelShows({ report }, place, mayBe)]
    }

    const one = (deed: Deed): Promise<readonly [Side, Side]> => {
      if (deed._tag === 'Other') return other(deed)
      return deed._tag === 'LaterComes' ? comes() : effect(deed)
    }

    const story: string[] = []
    for (const deed of deeds) {
      story.push(deedText(deed))
      const [simulated, real] = await one(deed)
      expect(modelNames.text(simulated), story.join('\n')).toEqual(kernelNames.text(real))
      figures.steps += 1
      if (real.errno !== undefined || real.report?.error !== undefined) figures.refused += 1
    }
    figures.sequences += 1
  } finally {
    await clearPlace(calls, processes)
  }
}
