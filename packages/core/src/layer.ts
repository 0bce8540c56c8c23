// The three questions about a layer (R2). *Ours*: may we unmount it? *Right*: may the caller have it?
// *Agrees*: is it still what this request asks for? None of them predicts from a request what the mount table will show: as
// expected is enough to know a layer, and never needed where our own command has ended well.

import type { TypeRule } from '@mountkeeper/types'
import { askedFlags, carriedFlags, carries, demandedFlags, isReadOnly, ruleOf } from './agree.js'
import type { Warning } from './answer.js'
import type { Reason } from './refusal.js'
import type { Filesystem } from './filesystem.js'
import { leadsOverPaths, optionName } from './filesystem.js'
import type { Identity, ResolvedSource, SourceSeen } from './found.js'
import type { Settings } from './settings.js'

type Known = Extract<ResolvedSource, { readonly _tag: 'At' | 'Files' }>

const isKnown = (source: ResolvedSource | undefined): source is Known =>
  source?._tag === 'At' || source?._tag === 'Files'

/** Whether two paths lead to one and the same thing. An inode that was not asked for proves nothing. */
export const sameSource = (a: ResolvedSource, b: ResolvedSource): boolean => {
  if (a._tag === 'Files' && b._tag === 'Files') {
    return a.files.length === b.files.length && a.files.every((file, index) => file === b.files[index])
  }
  if (a._tag !== 'At' || b._tag !== 'At') return false
  const sameInode = a.inode === undefined || b.inode === undefined || a.inode === b.inode
  return a.root === b.root && a.device === b.device && sameInode
}

/** A source as one word or a few, for people: `/exports/a on 8:1`, `absent`. */
export const sourceText = (source: ResolvedSource): string => {
  switch (source._tag) {
    case 'At':
      return `${source.root} on ${source.device}${source.inode === undefined ? '' : ` inode ${source.inode}`}`
    case 'Files':
      return source.files.join(' ')
    case 'Absent':
      return 'absent'
    case 'NotChecked':
      return `not checked (${source.why})`
  }
}

/** Filesystems that show a number of their own in the place of their device's: btrfs. */
const isAnonymous = (device: string): boolean => device.startsWith('0:')

/** The inode is no part of the mount table: it was asked of the layer on top, and says nothing of another one. */
const inodeSeen = (origin: Extract<Known, { readonly _tag: 'At' }>, shown: ResolvedSource | undefined): Known =>
  shown?._tag === 'At' && sameSource(origin, shown) ? shown : origin

/** Where the layer itself says that it comes from, in the terms of a resolved source. */
const originOf = (rule: TypeRule, layer: Identity, seen: SourceSeen | undefined): ResolvedSource | undefined => {
  const { root, device } = layer
  if (rule.appears._tag === 'RootAndDevice') return inodeSeen({ _tag: 'At', root, device }, seen?.shown)
  if (seen?.shown !== undefined || rule.appears._tag !== 'Device' || isAnonymous(device)) return seen?.shown
  return { _tag: 'At', root: '/', device }
}

const isAllowedFstype = ({ appears }: TypeRule, layer: Identity): boolean =>
  !('fstypes' in appears) || appears.fstypes.includes(layer.fstype)

const isAsExpected = (
  rule: TypeRule,
  filesystem: Filesystem,
  layer: Identity,
  before: ResolvedSource | undefined,
  seen: SourceSeen | undefined,
): boolean => {
  const { appears } = rule
  const spelled = layer.source === filesystem.source
  const origin = originOf(rule, layer, seen)
  switch (appears._tag) {
    case 'RootAndDevice':
    case 'Device':
      return isKnown(before) && isKnown(origin) && sameSource(before, origin)
    case 'Growth':
      // Without an entry no fstype is expected: a helper may mount any.
      return spelled
    case 'Source':
      if (!leadsOverPaths(rule, filesystem) || !isKnown(before) || !isKnown(origin)) return spelled
      return sameSource(before, origin) && (rule.sourceIsPath || spelled)
  }
}

const isAskedReadOnly = (filesystem: Filesystem): boolean => askedFlags(filesystem).includes('ro')

const warning = (_tag: Warning['_tag'], text: string): Warning => ({ _tag, text })

/** What callers that are served by this layer have to know. */
export const warningsAbout = (
  filesystem: Filesystem,
  layer: Identity,
  asked: ResolvedSource | undefined,
): readonly Warning[] => [
  ...(isReadOnly(layer) && !isAskedReadOnly(filesystem)
    ? [warning('ReadOnly', `${filesystem.source} is mounted read-only, although ro is not asked for`)]
    : []),
  ...(asked?._tag === 'NotChecked'
    ? [warning('SourceNotChecked', `${filesystem.source} could not be compared with the mount: ${asked.why}`)]
    : []),
]

/** The layer that our own `Mount` has brought. */
export interface OurMount {
  readonly layer: Identity
  /** Why the caller may not have it; absent where it is right. */
  readonly wrong?: string
  readonly warnings: readonly Warning[]
}

/** What is known of a `Mount` beside what it has left. */
export interface IdentifiedBy {
  readonly fresh: readonly Identity[]
  /** The stack grew by exactly one layer since the look before it. */
  readonly grewByOne: boolean
  /** The command has just ended with exit status 0; after a crash or a time-out, and later, it is unknown whose a layer is. */
  readonly exited: 'well' | 'unseen'
  /** What the source led to at the look before it. */
  readonly before: ResolvedSource | undefined
  readonly seen: SourceSeen | undefined
}

/** Why a layer that is not as expected, and that our own command has made, is not right; absent if it is. */
const wrongSource = (
  rule: TypeRule,
  filesystem: Filesystem,
  layer: Identity,
  before: ResolvedSource | undefined,
  seen: SourceSeen | undefined,
): string | undefined => {
  const origin = originOf(rule, layer, seen)
  if (!leadsOverPaths(rule, filesystem) || before === undefined || before._tag === 'NotChecked') return undefined
  if (before._tag === 'Absent') return `${before.path} did not exist before the mount`
  if (origin === undefined || origin._tag === 'NotChecked') return undefined
  return `the mount comes from ${sourceText(origin)}, but ${filesystem.source} led to ${sourceText(before)}`
}

/**
 * Which of the new layers is ours, and whether it is right. Of several that are as expected the lowest is taken: it is off
 * last, so that a mistake could not take a foreign one off.
 */
export const ourMount = (
  settings: Settings,
  filesystem: Filesystem,
  { fresh, grewByOne, exited, before, seen }: IdentifiedBy,
): OurMount | undefined => {
  const rule = ruleOf(settings, filesystem.type)
  const fits = fresh.filter((layer) => isAllowedFstype(rule, layer))
  const isKnownAlone = rule.appears._tag !== 'Growth' || grewByOne
  const expected = isKnownAlone
    ? fits.filter((layer) => isAsExpected(rule, filesystem, layer, before, seen)).at(-1)
    : undefined
  const [only] = fits
  const layer = expected ?? (grewByOne && exited === 'well' ? only : undefined)
  if (layer === undefined) return undefined
  const about = warningsAbout(filesystem, layer, before)
  if (expected !== undefined) return { layer, warnings: about }
  const wrong = wrongSource(rule, filesystem, layer, before, seen)
  if (wrong !== undefined) return { layer, wrong, warnings: [] }
  if (leadsOverPaths(rule, filesystem)) {
    const why = `${filesystem.source} could not be compared with the mount, whose source the kernel does not show`
    const unchecked = warning('SourceNotChecked', why)
    return { layer, warnings: about.some(({ _tag }) => _tag === 'SourceNotChecked') ? about : [...about, unchecked] }
  }
  const spelled = warning('SourceSpelledDifferently', `the mount table shows ${layer.source} for ${filesystem.source}`)
  return { layer, warnings: layer.source === filesystem.source ? about : [spelled, ...about] }
}

/** A layer of ours, as it was when it became ours and as it is now, and what its source led to then. */
export interface RecordedLayer {
  readonly layer: Identity
  readonly layerNow: Identity | undefined
  readonly source: ResolvedSource | undefined
  /** Others mounted it, without the flags that are added by default. */
  readonly adopted: boolean
}

/** What of a layer's source, or of one that is gone, is not as it was; absent if nothing is, and where it cannot be checked. */
export const sourceChange = (
  settings: Pick<Settings, 'types'>,
  filesystem: Filesystem,
  layer: Identity | undefined,
  recorded: ResolvedSource | undefined,
  seen: SourceSeen | undefined,
): Extract<Reason, { readonly _tag: 'SourceChanged' }> | undefined => {
  if (seen === undefined || seen.asked._tag === 'NotChecked') return undefined
  const origin = layer === undefined ? undefined : originOf(ruleOf(settings, filesystem.type), layer, seen)
  const changed = (was: ResolvedSource) =>
    ({ _tag: 'SourceChanged', was: sourceText(was), is: sourceText(seen.asked) }) as const
  if (seen.asked._tag === 'Absent') return { ...changed(recorded ?? origin ?? seen.asked), is: 'absent' }
  if (recorded !== undefined && !sameSource(recorded, seen.asked)) return changed(recorded)
  if (origin === undefined || origin._tag === 'NotChecked') return undefined
  // What the device of the layer is says nothing of an image whose loop device was not seen.
  const isComparable = origin._tag === seen.asked._tag || seen.shown !== undefined
  return isComparable && !sameSource(origin, seen.asked) ? changed(origin) : undefined
}

/**
 * The flags that the layer has to carry and does not carry now: by the request, by default where our own command mounted it, or
 * since it became ours.
 */
const lostFlags = (filesystem: Filesystem, { layer, adopted }: RecordedLayer, now: Identity): readonly string[] => {
  const demanded = adopted ? askedFlags(filesystem) : demandedFlags(filesystem)
  return [...new Set([...demanded, ...carriedFlags(layer)])].filter((flag) => !carries(now, flag))
}

/** Whether what could be written when it became ours cannot be written now. A superblock that was not recorded proves nothing. */
const becameReadOnly = (recorded: Identity, now: Identity): boolean => {
  if (isReadOnly(recorded) || !isReadOnly(now)) return false
  return now.flags.includes('ro') || recorded.superblock === 'rw'
}

/** How a layer of ours meets a request for the very same filesystem. */
export type Agreement =
  | { readonly _tag: 'Agrees'; readonly warnings: readonly Warning[] }
  /** It became read-only, which was not asked for. */
  | { readonly _tag: 'ReadOnly' }
  | Extract<Reason, { readonly _tag: 'FlagsChanged' | 'SourceChanged' }>

/** Whether a layer of ours still is what is asked for: asked at every join. */
export const agreement = (
  settings: Pick<Settings, 'types'>,
  filesystem: Filesystem,
  recorded: RecordedLayer,
  seen: SourceSeen | undefined,
): Agreement => {
  const { layer, layerNow = layer, source } = recorded
  const missing = lostFlags(filesystem, recorded, layerNow)
  if (missing.length > 0) return { _tag: 'FlagsChanged', missing }
  const changed = sourceChange(settings, filesystem, layerNow, source, seen)
  if (changed !== undefined) return changed
  if (becameReadOnly(layer, layerNow) && !isAskedReadOnly(filesystem)) return { _tag: 'ReadOnly' }
  return { _tag: 'Agrees', warnings: warningsAbout(filesystem, layerNow, seen?.asked) }
}

/**
 * Whether the entry of a type identifies the data of a layer without a record: bind, block, and what a server is asked for
 * by name. Never tmpfs, overlay, or a type without entry.
 */
export const isAdoptableType = ({ appears, mayHang, sourceIsPath, pathOptions }: TypeRule): boolean => {
  switch (appears._tag) {
    case 'RootAndDevice':
    case 'Device':
      return true
    case 'Source':
      return mayHang && !sourceIsPath && pathOptions.length === 0
    case 'Growth':
      return false
  }
}

/** The directory of the filesystem that is asked for: `/`, or the subvolume. Absent where an option may name any. */
const askedRoot = ({ options }: Filesystem): string | undefined => {
  const named = options.filter((option) => /^subvol/.test(optionName(option)))
  const [subvolume, ...more] = named
  if (subvolume === undefined) return '/'
  if (more.length > 0 || typeof subvolume !== 'string' || optionName(subvolume) !== 'subvol') return undefined
  return `/${subvolume.slice('subvol='.length).replace(/^\/+|\/+$/g, '')}`
}

/** A part of an image is known by where it begins. */
const isSamePart = (asked: Known, shown: Known): boolean =>
  asked._tag !== 'Files' || shown._tag !== 'Files' || (asked.offset ?? NaN) === shown.offset

/** Whether a layer without a record may be adopted for this request. */
export const isAdoptable = (
  settings: Pick<Settings, 'types'>,
  filesystem: Filesystem,
  layer: Identity,
  seen: SourceSeen | undefined,
): boolean => {
  const rule = ruleOf(settings, filesystem.type)
  if (!isAdoptableType(rule) || !isAllowedFstype(rule, layer)) return false
  if (askedFlags(filesystem).some((flag) => !carries(layer, flag))) return false
  const origin = originOf(rule, layer, seen)
  switch (rule.appears._tag) {
    case 'RootAndDevice':
      return isKnown(seen?.asked) && isKnown(origin) && sameSource(seen.asked, origin)
    case 'Device':
      if (layer.root !== askedRoot(filesystem) || !isKnown(seen?.asked) || !isKnown(origin)) return false
      if (filesystem.options.some((option) => optionName(option) === 'sizelimit')) return false
      return sameSource(seen.asked, origin) && isSamePart(seen.asked, origin)
    case 'Source':
      return layer.source === filesystem.source && layer.root === '/'
    case 'Growth':
      return false
  }
}
