// What only a person can remove: no request waits for it, and no record is lost by it (R4.10).
// Effects end at once here, so that all the time that passes is waiting.

import type { Answer, Fact, Filesystem, MountpointEffect, Request, RequestId, UnknownWhy } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { act, ask, EXPORTS, NO_FAULT, pass, ROOT, TENANT } from '../../src/index.js'
import type { ThirdPartyAct } from '../../src/index.js'
import { stackAt } from '../../src/model/look.js'
import type { Stage } from './stage.js'
import { attach, BIND, detach, endAll, serve, stage } from './stage.js'

const C = `${TENANT}/c`
const ASIDE = `${EXPORTS}/aside`
const LAYERS = 17

interface Obstacle {
  readonly name: string
  readonly why: UnknownWhy
  readonly comes: readonly ThirdPartyAct[]
  readonly goes: readonly ThirdPartyAct[]
  /** It is about a layer, so that there has to be one. */
  readonly ofLayer?: true
  /** It is distinguished from what the root was at host-up, so that it cannot be there before. */
  readonly sinceUp?: true
}

const obstructs = (by: 'PermissionDenied' | 'UnsafeParent' | 'NameTooLong'): Obstacle => ({
  name: by,
  why: by,
  comes: [{ _tag: 'Obstructs', path: TENANT, by }],
  goes: [{ _tag: 'Obstructs', path: TENANT, by: 'nothing' }],
})

const theirs = (path: string): ThirdPartyAct => ({ _tag: 'Mounts', path, fstype: 'tmpfs', source: 'x', flags: ['rw'] })

const setAside: ThirdPartyAct = { _tag: 'Renames', from: TENANT, to: ASIDE }
const putBack: readonly ThirdPartyAct[] = [
  { _tag: 'Deletes', path: TENANT },
  { _tag: 'Renames', from: ASIDE, to: TENANT },
]

const OBSTACLES: readonly Obstacle[] = [
  {
    name: 'a link on the way',
    why: 'NotADirectory',
    comes: [setAside, { _tag: 'Links', path: TENANT, target: ASIDE }],
    goes: putBack,
  },
  {
    name: 'a file on the way',
    why: 'NotADirectory',
    comes: [setAside, { _tag: 'Writes', path: TENANT }],
    goes: putBack,
  },
  obstructs('PermissionDenied'),
  obstructs('UnsafeParent'),
  obstructs('NameTooLong'),
  {
    name: 'ParentElsewhere',
    why: 'ParentElsewhere',
    comes: [theirs(TENANT)],
    goes: [{ _tag: 'Unmounts', path: TENANT, how: 'lazy' }],
  },
  {
    name: 'RootChanged',
    why: 'RootChanged',
    comes: [theirs(ROOT)],
    goes: [{ _tag: 'Unmounts', path: ROOT, how: 'lazy' }],
    sinceUp: true,
  },
  {
    name: 'RootRenamed',
    why: 'RootRenamed',
    comes: [{ _tag: 'Renames', from: `${EXPORTS}/f`, to: `${EXPORTS}/h` }],
    goes: [{ _tag: 'Renames', from: `${EXPORTS}/h`, to: `${EXPORTS}/f` }],
    ofLayer: true,
  },
  {
    name: 'TooManyLayers',
    why: 'TooManyLayers',
    comes: [{ _tag: 'MakesDirectory', path: C }, ...Array.from({ length: LAYERS }, () => theirs(C))],
    goes: Array.from({ length: LAYERS }, () => ({ _tag: 'Unmounts', path: C, how: 'lazy' }) as const),
  },
]

const happen = ({ simulation }: Stage, acts: readonly ThirdPartyAct[]): void => {
  for (const each of acts) act(simulation, { _tag: 'ThirdParty', act: each })
}

const answerOf = ({ answers }: Stage, request: RequestId): Answer | undefined =>
  answers.findLast((each) => each.request === request)

/** What is answered without any time passing; every effect ends at once. */
const atOnce = (on: Stage, body: Request): Answer => {
  const request = ask(on.simulation, body)
  endAll(on.simulation)
  const answer = answerOf(on, request)
  if (answer === undefined) throw new Error(`${body.op} waits`)
  return answer
}

const attachC = (volume = 'v', filesystem: Filesystem = BIND): Request => attach(filesystem, volume, 'c', C)
const detachC = (volume = 'v'): Request => detach(volume, 'c', C)

const up = (): Stage => {
  const on = stage()
  serve(on, { op: 'host-up' })
  return on
}

/** Serves a request up to an effect of this kind, which is in flight then. */
const upTo = (on: Stage, body: Request, kind: MountpointEffect['_tag']): RequestId => {
  const request = ask(on.simulation, body)
  for (let flight = on.simulation.flights[0]; flight !== undefined; flight = on.simulation.flights[0]) {
    if (flight.effect._tag === kind) return request
    act(on.simulation, { _tag: 'End', which: 0, fault: NO_FAULT })
  }
  throw new Error(`no ${kind} came`)
}

const factsSince = ({ simulation }: Stage, count: number): readonly Fact['_tag'][] =>
  simulation.durable.slice(count).map(({ _tag }) => _tag)

const recordOf = ({ simulation }: Stage) => simulation.core.mountpoints.get(C)?.record

/** Once it is gone and time has passed, every consumer can leave, and nothing is left. */
const expectNothingLeft = (on: Stage, obstacle: Obstacle): void => {
  happen(on, obstacle.goes)
  for (let round = 0; round < 4; round += 1) {
    pass(on.simulation, 700_000)
    endAll(on.simulation)
  }
  for (const volume of ['v', 'w']) serve(on, detachC(volume))
  pass(on.simulation, 700_000)
  endAll(on.simulation)
  expect(stackAt(on.simulation.model, C)).toEqual([])
  expect(recordOf(on)).toBeUndefined()
  expect(on.history.breaches).toEqual([])
}

/** What a host-up says of the mountpoint. */
const driftOf = (answer: Answer | undefined): readonly string[] =>
  answer?.ok === true && answer.result._tag === 'Up'
    ? answer.result.drift.filter(({ mountpoint }) => mountpoint === C).map(({ _tag }) => _tag)
    : []

const UNCERTAIN = { ok: false, error: { _tag: 'Uncertain' } }
const left = (why: UnknownWhy): object => ({
  ok: true,
  result: {
    holder: 'removed',
    mount: why === 'UnsafeParent' ? 'vacant' : 'uncertain',
    reason: why === 'UnsafeParent' ? { _tag: 'UnsafeParent', component: TENANT } : { _tag: 'Unknown', why },
  },
})

/** Those that may be there before anything is mounted, and those that a discovery can see. */
const BEFORE_MOUNT = OBSTACLES.filter(({ ofLayer }) => ofLayer !== true)
const AT_DISCOVERY = OBSTACLES.filter(({ sinceUp }) => sinceUp !== true)

test.each(BEFORE_MOUNT)('$name, nothing recorded: refused at once, no record, only a look', (obstacle) => {
  const { why, comes } = obstacle
  const on = up()
  happen(on, comes)
  const refused = { ok: false, error: { _tag: 'MountFailed', step: 'directory', found: { _tag: 'Unknown', why } } }
  expect(atOnce(on, attachC())).toMatchObject(refused)
  expect(atOnce(on, detachC())).toMatchObject({ ok: true, result: { holder: 'not-held', mount: 'absent' } })
  expect(recordOf(on)).toBeUndefined()
  expect(on.started.filter((each) => !each.startsWith('Wait'))).toEqual([`Look ${C}`])
  expectNothingLeft(on, obstacle)
})

describe.each<MountpointEffect['_tag']>(['MakeDirectory', 'Mount'])('while %s runs for a claim', (kind) => {
  test.each(BEFORE_MOUNT)('$name: all are answered at once, and the claim ends', (obstacle) => {
    const on = up()
    const served = upTo(on, attachC(), kind)
    const behind = ask(on.simulation, attachC('w'))
    happen(on, obstacle.comes)
    endAll(on.simulation)
    expect(answerOf(on, served)).toMatchObject(UNCERTAIN)
    expect(answerOf(on, behind)).toMatchObject(UNCERTAIN)
    expect(on.simulation.durable.some(({ _tag }) => _tag === 'ClaimEnded')).toBe(true)
    expect(atOnce(on, attachC('w'))).toMatchObject(UNCERTAIN)
    expect(atOnce(on, detachC())).toMatchObject({ ok: true, result: { holder: 'not-held' } })
    expectNothingLeft(on, obstacle)
  })
})

test.each(OBSTACLES)('$name, a layer recorded: all are answered at once, and it is not called gone', (obstacle) => {
  const { why, comes } = obstacle
  const on = up()
  serve(on, attachC())
  const facts = on.simulation.durable.length
  happen(on, comes)
  expect(atOnce(on, attachC('w'))).toMatchObject(UNCERTAIN)
  expect(atOnce(on, attachC())).toMatchObject(UNCERTAIN)
  expect(atOnce(on, detachC())).toMatchObject(left(why))
  pass(on.simulation, 100_000)
  expect(factsSince(on, facts)).toEqual(['Left'])
  expect(recordOf(on)?.layer).toBeDefined()
  expectNothingLeft(on, obstacle)
})

test.each(OBSTACLES)('$name, asked while a look runs: the next look begins at once', (obstacle) => {
  const { why, comes } = obstacle
  const on = up()
  serve(on, attachC())
  const first = ask(on.simulation, detachC())
  const second = ask(on.simulation, attachC('w'))
  happen(on, comes)
  endAll(on.simulation)
  expect(answerOf(on, first)).toMatchObject(left(why))
  expect(answerOf(on, second)).toMatchObject(UNCERTAIN)
  expectNothingLeft(on, obstacle)
})

test.each(AT_DISCOVERY)('$name at discovery: who has waited for it is answered after one look', (obstacle) => {
  const { why, comes } = obstacle
  const on = up()
  serve(on, attachC())
  happen(on, comes)
  act(on.simulation, { _tag: 'Crash', kept: 0, fates: [], reboot: false })
  const facts = on.simulation.durable.length
  const requests = [{ op: 'host-up' } as const, attachC('w'), detachC()].map((body) => ask(on.simulation, body))
  endAll(on.simulation)
  const [hostUp, attached, detached] = requests.map((request) => answerOf(on, request))
  expect(driftOf(hostUp)).toEqual(['uncertain'])
  expect(attached).toMatchObject(UNCERTAIN)
  expect(detached).toMatchObject(left(why))
  expect(factsSince(on, facts)).toEqual(['HostCameUp', 'Left'])
  expect(recordOf(on)?.layer).toBeDefined()
  expectNothingLeft(on, obstacle)
})

test('the obstacles are all that need a person', () => {
  const table = ['NotADirectory', 'PermissionDenied', 'UnsafeParent', 'ParentElsewhere', 'RootChanged', 'RootRenamed']
  expect(new Set(OBSTACLES.map(({ why }) => why))).toEqual(new Set([...table, 'TooManyLayers', 'NameTooLong']))
})

test('a helper that is missing: refused before the claim, and nothing is left of it', () => {
  const on = up()
  happen(on, [{ _tag: 'Helper', type: 'bind', is: 'missing' }])
  const facts = on.simulation.durable.length
  const refused = { ok: false, error: { _tag: 'MountFailed', step: 'helper', component: '/sbin/mount.bind' } }
  expect(atOnce(on, attachC())).toMatchObject(refused)
  expect(factsSince(on, facts)).toEqual([])
  expect(recordOf(on)).toBeUndefined()
  happen(on, [{ _tag: 'Helper', type: 'bind', is: 'installed' }])
  expect(atOnce(on, attachC())).toMatchObject({ ok: true, result: { mount: 'mounted' } })
})
