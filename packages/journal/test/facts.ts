// Facts for tests, by hand and at random.

import type { Fact } from '@mountkeeper/core'
import fc from 'fast-check'

/** `FC_NUM_RUNS` raises the number of runs of every property. */
export const numRuns = (usual: number): number => Number(process.env['FC_NUM_RUNS'] ?? usual)

/** The same runs every time; `FC_SEED` chooses others. */
export const seed = (): number => Number(process.env['FC_SEED'] ?? 1)

const filesystem = { type: 'tmpfs', source: 'scratch', options: [] }
const identity = { mountId: 36, device: '0:41', fstype: 'tmpfs', source: 'scratch', root: '/', flags: ['rw'] }

/** What becomes a holder of a new mount, as decisions record it: appended in two steps. */
export const attachFacts = (index: number, mountpoint = `/srv/mounts/m${index}`): readonly [Fact[], Fact[]] => {
  const at = 1_700_000_000_000 + index
  const pair = { volume: `vol-${index}`, consumer: 'vm "\u{1F600}"\n\ud800' }
  return [
    [{ _tag: 'Claimed', at, mountpoint, filesystem, ...pair, found: { _tag: 'NoDirectory' }, layersBefore: [] }],
    [
      { _tag: 'DirectoryMade', at, mountpoint },
      { _tag: 'Mounted', at, mountpoint, identity: { ...identity, mountId: index } },
      { _tag: 'Held', at, mountpoint, ...pair, since: at, knowledge: 'request' },
    ],
  ]
}

type Held = Extract<Fact, { readonly _tag: 'Held' }>

/** A holder, in one fact. */
export const held = (index: number, mountpoint = '/srv/mounts/a'): Held => ({
  _tag: 'Held',
  at: index,
  mountpoint,
  volume: `vol-${index}`,
  consumer: `vm-${index}`,
  since: index,
  knowledge: 'request',
})

/** The end of a holder. */
export const leftOf = ({ at, mountpoint, volume, consumer }: Held): Fact => ({
  _tag: 'Left',
  at,
  mountpoint,
  volume,
  consumer,
})

/** All of a life of a mountpoint, mounted from a directory: what a long journal consists of. */
export const cycleFacts = (index: number, mountpoint = '/srv/mounts/a'): readonly Fact[] => {
  const at = 1_700_000_000_000 + index
  const { _tag: _held, since: _since, knowledge: _knowledge, ...attachment } = held(index, mountpoint)
  const layer = { ...identity, mountId: index, device: `0:${index}`, superblock: 'rw' as const }
  const source = { _tag: 'At' as const, root: '/exports/ä', device: '8:1', inode: '77' }
  return [
    { _tag: 'Claimed', ...attachment, at, filesystem, found: { _tag: 'NoDirectory' }, layersBefore: [] },
    { _tag: 'DirectoryMade', at, mountpoint },
    { _tag: 'Mounted', at, mountpoint, identity: layer, source },
    { ...held(index, mountpoint), at, since: at },
    { _tag: 'Left', ...attachment, at },
    { _tag: 'Unmounting', at, mountpoint, identity: layer },
    { _tag: 'Unmounted', at, mountpoint, by: 'us' },
    { _tag: 'DirectoryRemoved', at, mountpoint },
    { _tag: 'Claimed', ...attachment, at, filesystem, found: { _tag: 'Directory' }, layersBefore: [] },
    { _tag: 'Mounted', at, mountpoint, identity: layer },
    { _tag: 'ClaimEnded', ...attachment, at, intent: 'settled' },
    { _tag: 'DirectoryKept', at, mountpoint },
  ]
}

const text = fc.string({ unit: 'binary', maxLength: 12 })
const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  fc.tuple(fc.nat({ max: 9 }), text).map(([index, consumer]) => ({ ...held(index), consumer })),
  fc.tuple(fc.nat({ max: 9 }), text).map(([index, volume]): Fact => leftOf({ ...held(index), volume })),
  fc.nat({ max: 9 }).map((index): Fact => ({ _tag: 'DirectoryMade', at: index, mountpoint: `/srv/mounts/m${index}` })),
)

/** What is appended, in order. */
export const appends: fc.Arbitrary<readonly (readonly Fact[])[]> = fc.array(
  fc.array(anyFact, { minLength: 1, maxLength: 4 }),
  { maxLength: 30 },
)
