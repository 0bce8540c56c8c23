// Facts of lines whose checksum is right: bytes that we wrote. The codec reads any of them; those that a long journal consists
// of are read here in a fraction of the time, to the same facts. A line that is not to the letter as the codec writes it is left to
// the codec, and so is each of its larger parts that was not seen before: nothing is accepted that the codec would refuse.

import type { Codec } from '@mountkeeper/codec'
import {
  decode,
  decodeErrorsText,
  factCodec,
  filesystemCodec,
  foundCodec,
  identityCodec,
  resolvedSourceCodec,
} from '@mountkeeper/codec'
import type { Fact, Identity } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'

/** Reads the JSON of a fact; says why it is none. */
export type FactReader = (json: string) => Either<string, Fact>

// The checksum has shown that these are bytes that we wrote, so that what JSON.parse lets pass needs no second look.
const parse = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** By the codec, whatever it is. */
export const readFact: FactReader = (json) => {
  const fact = decode(factCodec, parse(json))
  return isLeft(fact) ? left(decodeErrorsText(fact.left)) : fact
}

// Text without escapes stands for itself.
const TEXT = '[^"\\\\\\u0000-\\u001f]*'
const NUMBER = '(0|[1-9]\\d{0,14})'
const THERE = `"at":${NUMBER},"mountpoint":"(${TEXT})"`
const PAIR = `"volume":"(${TEXT})","consumer":"(${TEXT})"`
const ASKED = `(?:,"id":"(${TEXT})"(?:,"stream":"(${TEXT})")?)?`
const LIST = `\\[(?:"${TEXT}"(?:,"${TEXT}")*)?\\]`
const LAYER = `"fstype":"${TEXT}","source":"${TEXT}","root":"${TEXT}","flags":${LIST}(?:,"superblock":"r[wo]")?\\}`
const IDENTITY = `\\{"mountId":${NUMBER},"device":"(${TEXT})",(${LAYER})`

const line = (tag: string, fields: string): RegExp => new RegExp(`^\\{"_tag":"${tag}",${fields}\\}$`)

const HELD = line('Held', `${THERE},${PAIR},"since":${NUMBER},"knowledge":"(request|inventory)"${ASKED}`)
const LEFT = line('Left', `${THERE},${PAIR}`)
const CLAIMED = line(
  'Claimed',
  `${THERE},"filesystem":(\\{.*?\\}),${PAIR},"found":(\\{"_tag":"\\w+"\\}),"layersBefore":\\[\\]`,
)
const CLAIM_ENDED = line('ClaimEnded', `${THERE},${PAIR},"intent":"(open|settled)"`)
const MOUNTED = line('Mounted', `${THERE},"identity":${IDENTITY}(?:,"source":(\\{.*\\}))?`)
const UNMOUNTING = line('Unmounting', `${THERE},"identity":${IDENTITY}`)
const UNMOUNTED = line('Unmounted', `${THERE},"by":"(us|other)"`)
const DIRECTORY = line('(DirectoryMade|DirectoryRemoved|DirectoryKept)', THERE)

/** Parts that are remembered, of each kind. */
const KNOWN_MAX = 4_096

/** Reads a part of a fact by its codec, the first time; `undefined` for what is none. Parts are shared by the facts that have them. */
const createPartReader = <A>(codec: Codec<A>): ((json: string) => A | undefined) => {
  const known = new Map<string, A>()
  return (json) => {
    const before = known.get(json)
    if (before !== undefined) return before
    const read = decode(codec, parse(json))
    if (isLeft(read)) return undefined
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(json, read.right)
    return read.right
  }
}

/** Reads one kind of fact; `undefined`: the codec has to. */
type Quick = (json: string) => Fact | undefined

const held: Quick = (json) => {
  const groups = HELD.exec(json)
  if (groups === null) return undefined
  const [, at, mountpoint = '', volume = '', consumer = '', since, how, id, stream] = groups
  const knowledge = how === 'request' ? 'request' : 'inventory'
  const fact: Fact = { _tag: 'Held', at: Number(at), mountpoint, volume, consumer, since: Number(since), knowledge }
  if (id === undefined) return fact
  return stream === undefined ? { ...fact, id } : { ...fact, id, stream }
}

const gone: Quick = (json) => {
  const groups = LEFT.exec(json)
  if (groups === null) return undefined
  const [, at, mountpoint = '', volume = '', consumer = ''] = groups
  return { _tag: 'Left', at: Number(at), mountpoint, volume, consumer }
}

const claimEnded: Quick = (json) => {
  const groups = CLAIM_ENDED.exec(json)
  if (groups === null) return undefined
  const [, at, mountpoint = '', volume = '', consumer = '', how] = groups
  return {
    _tag: 'ClaimEnded',
    at: Number(at),
    mountpoint,
    volume,
    consumer,
    intent: how === 'open' ? 'open' : 'settled',
  }
}

const unmounted: Quick = (json) => {
  const groups = UNMOUNTED.exec(json)
  if (groups === null) return undefined
  const [, at, mountpoint = '', by] = groups
  return { _tag: 'Unmounted', at: Number(at), mountpoint, by: by === 'us' ? 'us' : 'other' }
}

const directory =
  (_tag: 'DirectoryMade' | 'DirectoryRemoved' | 'DirectoryKept'): Quick =>
  (json) => {
    const groups = DIRECTORY.exec(json)
    if (groups === null) return undefined
    const [, , at, mountpoint = ''] = groups
    return { _tag, at: Number(at), mountpoint }
  }

const TAG_AT = '{"_tag":"'.length

/** A reader for many facts; what it does not know to the letter goes to `slow`. */
export const createFactReader = (slow: FactReader = readFact): FactReader => {
  const filesystemOf = createPartReader(filesystemCodec)
  const foundOf = createPartReader(foundCodec)
  const sourceOf = createPartReader(resolvedSourceCodec)
  const layerOf = createPartReader(identityCodec)
  /** Two mounts of one filesystem differ in their numbers. */
  const identityOf = (mountId: string | undefined, device: string, layer: string): Identity | undefined => {
    const identity = layerOf(`{"mountId":0,"device":"",${layer}`)
    return identity && { ...identity, mountId: Number(mountId), device }
  }

  const claimed: Quick = (json) => {
    const groups = CLAIMED.exec(json)
    if (groups === null) return undefined
    const [, at, mountpoint = '', asked = '', volume = '', consumer = '', seen = ''] = groups
    const filesystem = filesystemOf(asked)
    const found = foundOf(seen)
    if (filesystem === undefined || found === undefined) return undefined
    return { _tag: 'Claimed', at: Number(at), mountpoint, filesystem, volume, consumer, found, layersBefore: [] }
  }

  const mounted: Quick = (json) => {
    const groups = MOUNTED.exec(json)
    if (groups === null) return undefined
    const [, at, mountpoint = '', mountId, device = '', layer = '', resolved] = groups
    const identity = identityOf(mountId, device, layer)
    if (identity === undefined) return undefined
    const fact: Fact = { _tag: 'Mounted', at: Number(at), mountpoint, identity }
    if (resolved === undefined) return fact
    const source = sourceOf(resolved)
    return source && { ...fact, source }
  }

  const unmounting: Quick = (json) => {
    const groups = UNMOUNTING.exec(json)
    if (groups === null) return undefined
    const [, at, mountpoint = '', mountId, device = '', layer = ''] = groups
    const identity = identityOf(mountId, device, layer)
    return identity && { _tag: 'Unmounting', at: Number(at), mountpoint, identity }
  }

  const quick: ReadonlyMap<string, Quick> = new Map([
    ['Held', held],
    ['Left', gone],
    ['Claimed', claimed],
    ['ClaimEnded', claimEnded],
    ['DirectoryMade', directory('DirectoryMade')],
    ['Mounted', mounted],
    ['Unmounting', unmounting],
    ['Unmounted', unmounted],
    ['DirectoryRemoved', directory('DirectoryRemoved')],
    ['DirectoryKept', directory('DirectoryKept')],
  ])
  return (json) => {
    const fact = quick.get(json.slice(TAG_AT, json.indexOf('"', TAG_AT)))?.(json)
    return fact === undefined ? slow(json) : right(fact)
  }
}
