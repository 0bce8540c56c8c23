// What is said of each thing that can be wrong with facts, inputs, effects, answers, settings and traces. The texts are in
// messages/, one file a kind; `vitest -u` rewrites them, and a reviewer reads the difference.

import * as E from 'fp-ts/lib/Either.js'
import type { Answer, Effect, Fact, Identity, Input } from '@mountkeeper/core'
import { effectId, requestId } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import type { Codec } from '../src/index.js'
import {
  answerCodec,
  decode,
  decodeErrorText,
  defaultConfiguration,
  effectCodec,
  factCodec,
  inputCodec,
  settingsCodec,
  traceHeaderCodec,
  traceLineCodec,
} from '../src/index.js'
import { damagesOf } from './damage.js'

const saidOf = <A>(codec: Codec<A>, value: A): string => {
  const encoded: unknown = JSON.parse(JSON.stringify(codec.encode(value)))
  expect(decode(codec, encoded)).toEqual(E.right(value))
  const said = damagesOf(encoded).map(({ how, value: damaged }) => {
    const decoded = decode(codec, damaged)
    const faults = E.isRight(decoded) ? ['read'] : decoded.left.map(decodeErrorText)
    return `${how}\n${faults.map((fault) => `    ${fault}\n`).join('')}`
  })
  return said.join('')
}

const saidOfAll = <A>(codec: Codec<A>, values: readonly A[]): string =>
  values.map((value) => `${JSON.stringify(codec.encode(value))}\n\n${saidOf(codec, value)}`).join('\n')

const at = 1_700_000_000_000
const mountpoint = '/srv/mounts/a'
const effect = effectId(3)
const filesystem = { type: 'tmpfs', source: 'tmpfs', options: [{ name: 'password', secretFile: '/run/secret' }] }
const identity: Identity = { mountId: 36, device: '0:41', fstype: 'tmpfs', source: 'tmpfs', root: '/', flags: ['rw'] }
const root = { path: '/srv/mounts', mountId: 29, directory: '8:1:131' }
const error = { command: ['mount', 'x'], exitStatus: 32, stderr: 'busy', pid: 7, signal: 'SIGKILL' }
const attachment = { volume: 'vol-1', consumer: 'vm-1' }

const FACTS: readonly Fact[] = [
  { _tag: 'HostCameUp', at, generation: 1, boot: 'b', mountNamespace: '4026531841' },
  {
    _tag: 'Claimed',
    at,
    mountpoint,
    filesystem,
    ...attachment,
    found: { _tag: 'Mounted', layers: [identity] },
    layersBefore: [identity],
  },
  { _tag: 'Held', at, mountpoint, ...attachment, since: at, knowledge: 'request' },
  { _tag: 'ClaimEnded', at, mountpoint, ...attachment, intent: 'open' },
  { _tag: 'Unmounted', at, mountpoint, by: 'other' },
  { _tag: 'Adopted', at, mountpoint, identity, filesystem },
  {
    _tag: 'Recorded',
    at,
    mountpoint,
    filesystem,
    directory: 'ours',
    instance: 2,
    claim: attachment,
    intent: { found: { _tag: 'Directory' }, layersBefore: [] },
    unresolved: 'Mount',
  },
]

const INPUTS: readonly Input[] = [
  { _tag: 'Requested', at, request: requestId(1), body: { op: 'release', id: '1', consumer: 'vm-1' } },
  { _tag: 'Outcome', at, effect, mountpoint, found: { _tag: 'Obstacle', kind: 'file' }, error },
  {
    _tag: 'Outcome',
    at,
    effect,
    mountpoint: undefined,
    found: {
      _tag: 'Discovered',
      boot: 'b',
      mountNamespace: 'n',
      roots: [{ ...root, propagation: 'private' }],
      mountpoints: [
        {
          mountpoint,
          found: { _tag: 'Unknown', why: 'TimedOut' },
          source: { asked: { _tag: 'At', root: '/x', device: '8:1' } },
        },
      ],
      inventory: { startedAt: 0, entries: [{ mountpoint, ...attachment }] },
    },
  },
  { _tag: 'Stopped', at, how: 'drain' },
]

const EFFECTS: readonly Effect[] = [
  { _tag: 'Look', effect, mountpoint, filesystem, root, deadlineMs: 10_000 },
  {
    _tag: 'Unmount',
    effect,
    mountpoint,
    filesystem: undefined,
    identity,
    how: 'plain',
    mayHang: true,
    root: undefined,
    deadlineMs: 60_000,
  },
  { _tag: 'Wait', effect, mountpoint: undefined, why: 'discovery-retry', delayMs: 10_000 },
  { _tag: 'Discover', effect, roots: ['/srv/mounts'], known: [{ mountpoint, filesystem }], deadlineMs: 60_000 },
]

const ANSWERS: readonly Answer[] = [
  {
    request: requestId(1),
    id: '1',
    op: 'detach',
    ok: true,
    result: {
      _tag: 'Detached',
      holder: 'removed',
      holdersLeft: 0,
      mount: 'vacant',
      directory: 'kept',
      reason: { _tag: 'Refused', error },
      warnings: [{ _tag: 'CommandFailed', text: 't' }],
    },
  },
  {
    request: requestId(2),
    op: 'attach',
    ok: false,
    error: {
      _tag: 'MountFailed',
      step: 'mount',
      why: 'w',
      found: { _tag: 'Directory' },
      rollback: [{ step: 'unmount', found: { _tag: 'NoDirectory' } }],
    },
  },
]

const said = {
  facts: () => saidOfAll(factCodec, FACTS),
  inputs: () => saidOfAll(inputCodec, INPUTS),
  effects: () => saidOfAll(effectCodec, EFFECTS),
  answers: () => saidOfAll(answerCodec, ANSWERS),
  settings: () => saidOfAll(settingsCodec, [defaultConfiguration.settings]),
  traces: () =>
    saidOf(traceLineCodec, {
      n: 1,
      input: { _tag: 'Observed', at, mountpoint },
      decision: { facts: FACTS.slice(0, 1), effects: EFFECTS.slice(2, 3), answers: ANSWERS.slice(1) },
    }),
} satisfies Readonly<Record<string, () => string>>

test.each(Object.entries(said))('%s', async (kind, say) => {
  await expect(say()).toMatchFileSnapshot(`messages/${kind}.txt`)
})

test('a trace of another format is refused by its head', () => {
  const head = { format: 2, settings: settingsCodec.encode(defaultConfiguration.settings), facts: [] }
  const decoded = decode(traceHeaderCodec, head)
  expect(E.isLeft(decoded) && decoded.left.map(decodeErrorText)).toEqual(['format: expected 1, got 2'])
})
