// Plans, as they are shown: what requests would lead to stands in test-fixtures/tables/plans.txt; UPDATE_TRANSCRIPTS=1 rewrites it.
// The host that is planned for stays as it is.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Request } from '@mountkeeper/core'
import { showAnswer, showEffect, showMountpoint } from '@mountkeeper/inspect'
import { expect, test } from 'vitest'
import { perform } from '../../core/test/transcript/directive.js'
import { readFound } from '../../core/test/transcript/layers.js'
import { readFilesystem } from '../../core/test/transcript/request.js'
import type { Story } from '../../core/test/transcript/story.js'
import { hostOf, newStory } from '../../core/test/transcript/story.js'
import type { Looked, PlannedRequest } from '../src/index.js'
import { plan, plannedMountpoints } from '../src/index.js'

const file = join(import.meta.dirname, '../../../test-fixtures/tables/plans.txt')

const attach = (name: string, text: string, volume: string, consumer: string): Request => ({
  op: 'attach',
  mountpoint: `/srv/mounts/${name}`,
  filesystem: readFilesystem(text),
  volume,
  consumer,
})

const detach = (name: string, volume: string, consumer: string): Request => ({
  op: 'detach',
  mountpoint: `/srv/mounts/${name}`,
  volume,
  consumer,
})

const HELD = ['types nfs=* ext4=/dev/* bind=/srv/', 'auto quiet', 'up', 'attach a tmpfs:scratch vol-1 vm-1', 'auto off']

interface Asked {
  readonly name: string
  readonly script: readonly string[]
  readonly looked: Readonly<Record<string, string>>
  readonly requests: readonly Request[]
}

const ASKED: readonly Asked[] = [
  {
    name: 'the first attachment, another that shares it, and the last that leaves',
    script: HELD,
    looked: { b: 'NoDirectory', a: 'Mounted t1' },
    requests: [
      attach('b', 'tmpfs:scratch[size=1m,ro]', 'vol-1', 'vm-1'),
      attach('b', 'tmpfs:scratch[size=1m,ro]', 'vol-2', 'vm-2'),
      detach('b', 'vol-1', 'vm-1'),
      detach('b', 'vol-2', 'vm-2'),
      detach('a', 'vol-1', 'vm-1'),
    ],
  },
  {
    name: 'nothing was looked at',
    script: HELD,
    looked: {},
    requests: [attach('c', 'nfs:server:/export', 'vol-1', 'vm-1'), attach('c', 'nfs:server:/export', 'vol-2', 'vm-2')],
  },
  {
    name: 'a directory that is there, and one kind of source after the other',
    script: HELD,
    looked: { d: 'Directory', e: 'Directory', f: 'Obstacle file', g: 'Mounted foreign' },
    requests: [
      attach('d', 'ext4:/dev/vdb', 'vol-1', 'vm-1'),
      attach('e', 'bind:/srv/exports', 'vol-1', 'vm-1'),
      attach('f', 'tmpfs:scratch', 'vol-1', 'vm-1'),
      attach('g', 'tmpfs:scratch', 'vol-1', 'vm-1'),
      detach('d', 'vol-1', 'vm-1'),
    ],
  },
  {
    name: 'a vacant layer makes room, and policy keeps what is vacant',
    script: ['settings keepMountedMs=60000', ...HELD, 'detach a vol-1 vm-1'],
    looked: { a: 'Mounted t1' },
    requests: [attach('a', 'tmpfs:other', 'vol-2', 'vm-2'), detach('a', 'vol-2', 'vm-2')],
  },
  {
    name: 'others are on top, or below',
    script: HELD,
    looked: { a: 'Mounted t1 foreign' },
    requests: [
      detach('a', 'vol-1', 'vm-1'),
      attach('a', 'tmpfs:scratch', 'vol-2', 'vm-2'),
      { op: 'release', consumer: 'vm-9' },
    ],
  },
  {
    name: 'something is under way, and requests wait',
    script: [...HELD, 'attach a tmpfs:scratch vol-2 vm-2', 'detach a vol-1 vm-1'],
    looked: { a: 'Mounted t1' },
    requests: [attach('a', 'tmpfs:scratch', 'vol-3', 'vm-3'), { op: 'host-up' }],
  },
  {
    name: 'a type that shows under another name, and one that no table knows',
    script: ['types glusterfs=* nfs=* strange=*', ...HELD.slice(1)],
    looked: { g: 'Directory', s: 'Directory' },
    requests: [
      attach('g', 'glusterfs:server:/volume', 'vol-1', 'vm-1'),
      attach('g', 'glusterfs:server:/volume', 'vol-2', 'vm-2'),
      attach('s', 'strange:thing', 'vol-1', 'vm-1'),
    ],
  },
  {
    name: 'a request that cannot end is cancelled',
    script: ['settings slots.local=0', 'auto quiet', 'up', 'auto off'],
    looked: {},
    requests: [
      { ...attach('a', 'tmpfs:scratch', 'vol-1', 'vm-1'), id: 'x' },
      { op: 'cancel', target: 'x' },
    ],
  },
  {
    name: 'the host has not come up',
    script: ['auto off'],
    looked: {},
    requests: [attach('a', 'tmpfs:scratch', 'vol-1', 'vm-1')],
  },
]

const begin = ({ script }: Asked): Story => {
  const story = newStory()
  for (const directive of script) perform(story, directive)
  return story
}

const lookedAt = (story: Story, looked: Asked['looked']): ReadonlyMap<string, Looked> =>
  new Map(
    Object.entries(looked).map(([name, found]) => [
      `/srv/mounts/${name}`,
      { found: readFound(story.layers, found.split(' '), undefined) },
    ]),
  )

const toldOf = ({ request, steps, answer }: PlannedRequest): readonly string[] => [
  `> ${JSON.stringify(request)}`,
  ...steps.flatMap(({ effect, why, onFailure }) => [`  ${showEffect(effect)}`, `    ${why}`, `    else ${onFailure}`]),
  `  ${answer === undefined ? 'no answer' : showAnswer(answer)}`,
]

const section = (asked: Asked): string => {
  const story = begin(asked)
  const host = hostOf(story)
  const shown = (): readonly string[] => [...host.mountpoints.values()].map(showMountpoint)
  const before = shown()
  const planned = plan(host, asked.requests, lookedAt(story, asked.looked))
  expect(shown()).toEqual(before)
  const where = plannedMountpoints(host, asked.requests)
  return [
    `# ${asked.name}`,
    ...where.map(
      ({ mountpoint, filesystem }) =>
        `  look at ${mountpoint} for ${filesystem === undefined ? 'nothing' : JSON.stringify(filesystem)}`,
    ),
    ...planned.flatMap(toldOf),
    '',
  ].join('\n')
}

test('what requests would lead to, and why', () => {
  const is = ASKED.map(section).join('\n')
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(file, is)
  expect(is).toBe(readFileSync(file, 'utf8'))
})

test('a plan is bounded: what follows after a thousand steps is left out, and so is its answer', () => {
  const story = newStory()
  const count = 400
  perform(story, 'auto quiet')
  perform(story, 'up')
  for (let each = 0; each < count; each += 1) perform(story, `attach m${each} tmpfs:scratch vol-1 vm-1`)
  const looked = new Map([...story.there].map(([path, found]) => [path, { found }]))
  const [planned] = plan(hostOf(story), [{ op: 'release', consumer: 'vm-1' }], looked)
  expect(planned?.answer).toBeUndefined()
  expect(planned?.steps).toHaveLength(1_001)
})

test('a plan knows of a layer that has moved, and of mounts below the source of a bind', () => {
  const story = newStory()
  for (const directive of HELD) perform(story, directive)
  const looked = new Map<string, Looked>([
    ['/srv/mounts/a', { found: { _tag: 'Directory' }, elsewhere: '/srv/mounts/z' }],
    [
      '/srv/mounts/b',
      {
        found: { _tag: 'NoDirectory' },
        source: { asked: { _tag: 'At', root: '/srv/exports', device: '8:1' } },
        submounts: ['/srv/exports/sub'],
      },
    ],
  ])
  const asked = [attach('a', 'tmpfs:scratch', 'vol-2', 'vm-2'), attach('b', 'bind:/srv/exports', 'vol-1', 'vm-1')]
  const answers = plan(hostOf(story), asked, looked).map(({ answer }) => answer)
  expect(answers).toMatchObject([
    { ok: false, error: { _tag: 'Conflict', reason: { _tag: 'Moved', to: '/srv/mounts/z' } } },
    { ok: true, result: { warnings: [{ _tag: 'SubmountsHidden', paths: ['/srv/exports/sub'] }] } },
  ])
})
