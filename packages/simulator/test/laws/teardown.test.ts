// Leaving: failed unmounts keep the record and are tried again (L9, L14), what is gone already is done (L12), nothing but the
// mountpoint is needed (L33).

import { restore } from '@mountkeeper/core'
import type { Settings } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { act, ask, calm, leftOver, NO_FAULT, pass } from '../../src/index.js'
import type { Fault, ThirdPartyAct } from '../../src/index.js'
import { A, attach, BIND, detach, endAll, NFS, serve, stage, statusOf, TMPFS } from './stage.js'

const fails: Fault = { _tag: 'Fails', worked: false }
const thrice = { Unmount: [fails, fails, fails] }

describe('L9: an unmount that fails three times', () => {
  const vacant = () => {
    const on = stage()
    serve(on, attach())
    const answer = serve(on, detach(), thrice)
    expect(answer).toMatchObject({
      ok: true,
      result: { holder: 'removed', holdersLeft: 0, mount: 'vacant', directory: 'kept', reason: { _tag: 'Refused' } },
    })
    expect(statusOf(on)).toMatchObject({ phase: 'vacant', holders: [] })
    return on
  }

  test('is re-used by an attach', () => {
    const on = vacant()
    expect(serve(on, attach())).toMatchObject({ ok: true, result: { holder: 'added', mount: 'shared', instance: 1 } })
  })

  test('is tried again by a detach', () => {
    const on = vacant()
    expect(serve(on, detach())).toMatchObject({ ok: true, result: { holder: 'not-held', mount: 'unmounted' } })
    expect(statusOf(on)).toBeUndefined()
  })

  test('is tried again after a while', () => {
    const on = vacant()
    pass(on.simulation, 5_000)
    endAll(on.simulation)
    expect([statusOf(on), leftOver(on.simulation.model)]).toEqual([undefined, []])
  })
})

test.each<[string, ThirdPartyAct]>([
  ['an open file', { _tag: 'Enters', path: A, uses: 'open file' }],
  ['a working directory', { _tag: 'Enters', path: A, uses: 'working directory' }],
])('L14: %s keeps the layer, and ends no other holder', (_what, uses) => {
  const on = stage()
  serve(on, attach())
  act(on.simulation, { _tag: 'ThirdParty', act: uses })
  expect(serve(on, detach())).toMatchObject({
    ok: true,
    result: { mount: 'vacant', reason: { error: { exitStatus: 32 } } },
  })
  expect(on.started.filter((each) => each.startsWith('Unmount'))).toHaveLength(3)
  expect(serve(on, attach(TMPFS, 'w'))).toMatchObject({ ok: true, result: { mount: 'shared' } })
  calm(on.simulation)
  expect(leftOver(on.simulation.model)).toEqual([])
})

describe('L12: what is gone already is done', () => {
  const umount: ThirdPartyAct = { _tag: 'Unmounts', path: A, how: 'lazy' }
  const rmdir: ThirdPartyAct = { _tag: 'RemovesDirectory', path: A }
  const steps = [0, 1, 2, 3, 4]
  const cases = steps.flatMap((after) => [[umount], [umount, rmdir]].map((acts) => ({ after, acts })))

  test.each(cases)('after $after effects of a detach: $acts', ({ after, acts }) => {
    const on = stage()
    serve(on, attach())
    const request = ask(on.simulation, detach())
    for (let done = 0; done < after; done += 1) act(on.simulation, { _tag: 'End', which: 0, fault: NO_FAULT })
    for (const each of acts) act(on.simulation, { _tag: 'ThirdParty', act: each })
    endAll(on.simulation)
    pass(on.simulation, 10_000)
    endAll(on.simulation)
    expect(on.answers.find((each) => each.request === request)).toMatchObject({
      ok: true,
      result: { mount: 'unmounted' },
    })
    expect([statusOf(on), leftOver(on.simulation.model), on.history.breaches]).toEqual([undefined, [], []])
  })
})

describe('L33: a manager that is started again without', () => {
  const without: readonly (readonly [string, (settings: Settings) => Settings])[] = [
    ['the type', (settings) => ({ ...settings, types: {} })],
    ['the root', (settings) => ({ ...settings, roots: [] })],
  ]
  const cases = without.flatMap(([what, change]) =>
    [TMPFS, NFS, BIND].map((filesystem) => ({ what, change, filesystem })),
  )

  test.each(cases)('$what unmounts what it has mounted: $filesystem.type', ({ change, filesystem }) => {
    const on = stage()
    serve(on, attach(filesystem))
    act(on.simulation, { _tag: 'ThirdParty', act: { _tag: 'Behaves', server: 'n1', as: 'refuses' } })
    act(on.simulation, { _tag: 'ThirdParty', act: { _tag: 'Renames', from: '/srv/exports/f', to: '/srv/exports/h' } })
    act(on.simulation, { _tag: 'ThirdParty', act: { _tag: 'Renames', from: '/srv/exports/h', to: '/srv/exports/f' } })
    act(on.simulation, { _tag: 'Crash', kept: 0, fates: ['never ran'], reboot: false })
    on.answers.length = 0
    on.simulation.core = restore(change(on.simulation.settings), on.simulation.durable)
    expect(serve(on, { op: 'host-up' })).toMatchObject({ ok: true })
    expect(serve(on, detach())).toMatchObject({ ok: true, result: { holder: 'removed', mount: 'unmounted' } })
    expect(leftOver(on.simulation.model)).toEqual([])
  })
})
