// What reads long journals quickly reads the same as what reads them slowly: the checksum, the facts, and what they come to.

import { crc32 } from 'node:zlib'
import type { Fact, Found, Identity, ResolvedSource } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import { encodeFact } from '@mountkeeper/codec'
import fc from 'fast-check'
import { right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { checksumOf, digitsAt } from '../src/checksum.js'
import { createFactReader, readFact } from '../src/fact-reader.js'
import { createFold } from '../src/fold.js'
import { appends, attachFacts, cycleFacts, held, leftOf, numRuns, seed } from './facts.js'

const options = (usual: number): { numRuns: number; seed: number } => ({ numRuns: numRuns(usual), seed: seed() })

test('the checksum is that of zlib, of any part of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (bytes, one, two) => {
      const [from = 0, to = 0] = [one % (bytes.length + 1), two % (bytes.length + 1)].sort((a, b) => a - b)
      const sum = checksumOf(bytes, from, to)
      expect(sum).toBe(crc32(bytes.subarray(from, to)))
      expect(digitsAt(Buffer.from(sum.toString(16).padStart(8, '0')), 0)).toBe(sum)
    }),
    options(2_000),
  )
  for (const text of ['0000000g', '0000000A', ' 0000000', '123']) expect(digitsAt(Buffer.from(text), 0)).toBe(-1)
})

const at = fc.nat({ max: 2_000_000_000_000 })
const word = fc.oneof(
  fc.constantFrom('a', '"', '\\', 'ä', '","volume":"x', '}', ' '),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const identity: fc.Arbitrary<Identity> = fc.record(
  {
    mountId: fc.nat(),
    device: word,
    fstype: fc.constantFrom('tmpfs', 'nfs4'),
    source: word,
    root: fc.constantFrom('/', '/a b'),
    flags: fc.array(fc.oneof(fc.constantFrom('rw', 'nosuid'), word), { maxLength: 3 }),
    superblock: fc.constantFrom('rw', 'ro'),
  },
  { requiredKeys: ['mountId', 'device', 'fstype', 'source', 'root', 'flags'] },
)
const source: fc.Arbitrary<ResolvedSource | undefined> = fc.oneof(
  fc.constant(undefined),
  word.map((device) => ({ _tag: 'At' as const, root: '/', device, inode: '7' })),
  word.map((file) => ({ _tag: 'Files' as const, files: [file], offset: 4_096 })),
  word.map((path) => ({ _tag: 'Absent' as const, path })),
)
const found = fc.oneof<fc.Arbitrary<Found>[]>(
  fc.constantFrom({ _tag: 'NoDirectory' }, { _tag: 'Directory' }, { _tag: 'Obstacle', kind: 'file' }),
  fc.array(identity, { maxLength: 2 }).map((layers) => ({ _tag: 'Mounted', layers })),
)
const fact: fc.Arbitrary<Fact> = fc
  .record({
    at,
    since: at,
    mountpoint: fc.oneof(fc.constantFrom('/srv/a', '/srv/b'), word),
    volume: word,
    consumer: word,
    identity,
    source,
    found,
    layersBefore: fc.array(identity, { maxLength: 1 }),
    options: fc.array(fc.oneof(word, fc.constant({ name: 'credentials', secretFile: '/a' })), { maxLength: 2 }),
  })
  .chain(({ source, since, identity, found, layersBefore, options, ...rest }) => {
    const { volume: _volume, consumer: _consumer, ...there } = rest
    const filesystem = { type: 'tmpfs', source: rest.volume, options }
    return fc.constantFrom<Fact>(
      { _tag: 'Held', ...rest, since, knowledge: 'request' },
      { _tag: 'Held', ...rest, since, knowledge: 'inventory' },
      { _tag: 'Held', ...rest, since, knowledge: 'request', id: rest.mountpoint },
      { _tag: 'Held', ...rest, since, knowledge: 'request', id: rest.volume, stream: rest.consumer },
      { _tag: 'Left', ...rest },
      { _tag: 'Claimed', ...rest, filesystem, found, layersBefore },
      { _tag: 'ClaimEnded', ...rest, intent: 'open' },
      { _tag: 'ClaimEnded', ...rest, intent: 'settled' },
      { _tag: 'Mounted', ...there, identity, ...(source && { source }) },
      { _tag: 'Adopted', ...there, identity, filesystem },
      { _tag: 'Unmounting', ...there, identity },
      { _tag: 'Unmounted', ...there, by: 'us' },
      { _tag: 'Unmounted', ...there, by: 'other' },
      { _tag: 'DirectoryMade', ...there },
      { _tag: 'DirectoryRemoved', ...there },
      { _tag: 'DirectoryKept', ...there },
      { _tag: 'Forgotten', ...there },
      {
        _tag: 'Recorded',
        ...there,
        directory: 'ours',
        instance: 1,
        claim: { volume: rest.volume, consumer: rest.consumer },
      },
      { _tag: 'HostCameUp', at: rest.at, generation: 1, boot: rest.volume, mountNamespace: 'm' },
    )
  })

describe('facts', () => {
  test('are read as the codec reads them, also when a like one was read before', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 40 }), (facts) => {
        const read = createFactReader()
        for (const each of facts) {
          const json = encodeFact(each)
          expect(read(json)).toEqual(readFact(json))
          expect(read(json)).toEqual(readFact(json))
        }
      }),
      options(500),
    )
  })

  test('that are damaged in any character are refused, or read, as the codec does', () => {
    const read = createFactReader()
    fc.assert(
      fc.property(
        fact,
        fc.nat(),
        fc.constantFrom('', '"', '\\', '0', '-', '1e5', ',', 'x', ' ', '\n'),
        (each, place, text) => {
          const json = encodeFact(each)
          read(json)
          const cut = place % json.length
          const changed = `${json.slice(0, cut)}${text}${json.slice(cut + 1)}`
          expect(read(changed)).toEqual(readFact(changed))
        },
      ),
      options(4_000),
    )
  })

  test('that a long journal consists of are read without the codec, each part of them once', () => {
    let slowly = 0
    const read = createFactReader((json) => {
      slowly += 1
      return readFact(json)
    })
    for (let index = 0; index < 200; index += 1) {
      for (const each of cycleFacts(index)) expect(read(encodeFact(each))).toEqual(right(each))
    }
    expect(slowly).toBe(0)
  })

  test('give the same result whether they are kept or folded, and take memory for the result only', () => {
    fc.assert(
      fc.property(appends, fc.integer({ min: 0, max: 20 }), (writes, keptMax) => {
        const fold = createFold(keptMax)
        for (const each of writes.flat()) fold.take(each)
        expect(snapshot(fold.facts())).toEqual(snapshot(writes.flat()))
      }),
      options(300),
    )
    const fold = createFold(100)
    for (const each of attachFacts(0).flat()) fold.take(each)
    for (let index = 1; index < 1_000; index += 1)
      for (const each of [held(index), leftOf(held(index))]) fold.take(each)
    expect(fold.facts().length).toBeLessThan(5)
  })
})
