// What mount(8) is given besides the mountpoint. Each path in it is followed to where it leads, and that has to be allowed. A path
// that others can exchange is never given: a descriptor stands for it (bind, overlay), or the mount is refused.

import type { Mount } from '@mountkeeper/core'
import { optionName } from '@mountkeeper/core'
import type { Grammar, TypeRule } from '@mountkeeper/types'
import { grammarOf, pathMayBe, readSource, writeSource } from '@mountkeeper/types'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { createCrossings } from '../crossing.js'
import type { Stop } from '../descriptor.js'
import { close, ownProcess, resolve } from '../descriptor.js'
import type { Resolved } from '../descriptor.js'
import type { Shown } from '../evidence.js'
import type { MountTable } from '../mount-table.js'
import { isLocalFstype, lineOf, notLocal, opensQuietlyAt } from '../mount-table.js'
import { stopText } from '../reach.js'
import { readTableInSlices } from '../slices.js'
import type { Named } from '../source.js'
import { namedBy, pathsOf } from '../source.js'
import type { Tools } from '../tools.js'
import { ruleOf } from '../tools.js'
import { trustFor } from '../trust.js'
import { bindOptions, renderOptions } from './mount-options.js'

/** What mount(8) gets besides the target. */
export interface Prepared {
  readonly options: readonly string[]
  readonly source: string
  readonly shown: Shown
  /** The options without what stands for paths: as they were asked for. */
  readonly asked: readonly string[]
  /** Descriptors that stand for paths: the caller's to close. */
  readonly hold: readonly number[]
  /** What they lead to, for the look afterwards. */
  readonly named: Named
}

const BY_PATHS = { asked: [], shown: [], hold: [], named: {} } as const

/** An open path, and why it may be given as a descriptor only. */
interface AllowedPath extends Resolved {
  readonly unsafe: string | undefined
}

type PathGrammar = Extract<Grammar, { readonly _tag: 'Path' }>

interface Following {
  readonly tools: Tools
  readonly rule: TypeRule
  readonly table: MountTable
  readonly mayOpen: (path: string) => boolean
}

/** No mount whose server is asked as soon as it is opened is to be opened in this process (L24). */
const opensQuietlyIn = (table: MountTable): ((path: string) => boolean) => {
  const asking = notLocal(table)
  return (path) => opensQuietlyAt(asking, path)
}

/** Follows a path. Only root and the manager are trusted: owners are trusted for a root, not for sources. */
const follow = ({ tools, table, mayOpen }: Following, path: string): Either<Stop, AllowedPath> => {
  const options = { mayEnter: createCrossings({ table }).elsewhere, mayOpen }
  const safe = resolve(path, { ...options, trust: trustFor(tools.uid) })
  if (!isLeft(safe)) return right({ ...safe.right, unsafe: undefined })
  const { unsafe } = safe.left
  if (unsafe === undefined) return safe
  const resolved = resolve(path, options)
  return isLeft(resolved) ? resolved : right({ ...resolved.right, unsafe: `${unsafe.why}; ${unsafe.command}` })
}

/** Follows a path's links and checks that what it leads to is allowed. The descriptor is the caller's to close. */
const allowedPath = (
  following: Following,
  path: string,
  isAllowed: (path: string) => boolean,
): Either<string, AllowedPath> => {
  const resolved = follow(following, path)
  if (isLeft(resolved)) return left(stopText(resolved.left))
  if (isAllowed(resolved.right.path)) return resolved
  close(resolved.right.place.fd)
  return left(`${path} leads to ${resolved.right.path}, which is not an allowed source`)
}

/** The options as they are given, and the descriptors that stand for paths in them. */
interface PreparedOptions {
  readonly options: readonly string[]
  readonly held: readonly Resolved[]
}

const descriptorOf = ({ place }: Resolved): string => `${ownProcess()}/fd/${place.fd}`

/** An option whose paths are safe stays as it was asked for, so that the mount table shows it so; else all are descriptors. */
const preparePathOption = (
  following: Following,
  grammar: PathGrammar,
  option: string,
): Either<string, PreparedOptions> => {
  const name = optionName(option)
  const { tools, rule } = following
  const isAllowed = (path: string): boolean =>
    grammar.below === 'sources' ? tools.sourceAllowed({ ...rule, form: 'path' }, path) : pathMayBe(rule, grammar, path)
  const opened: AllowedPath[] = []
  for (const path of pathsOf(option)) {
    const allowed = allowedPath(following, path, isAllowed)
    if (!isLeft(allowed)) {
      opened.push(allowed.right)
      continue
    }
    close(...opened.map(({ place }) => place.fd))
    return left(`option ${name}: ${allowed.left}`)
  }
  if (opened.some(({ unsafe }) => unsafe !== undefined)) {
    return right({ options: [`${name}=${opened.map(descriptorOf).join(':')}`], held: opened })
  }
  close(...opened.map(({ place }) => place.fd))
  return right({ options: [option], held: [] })
}

const prepareOptions = async (
  tools: Tools,
  type: string,
  options: readonly string[],
): Promise<Either<string, PreparedOptions>> => {
  const rule = ruleOf(tools, type)
  const grammarFor = (option: string): PathGrammar | undefined => {
    const grammar = grammarOf(type, rule, optionName(option))
    return grammar?._tag === 'Path' ? grammar : undefined
  }
  if (options.every((option) => grammarFor(option) === undefined)) return right({ options, held: [] })
  const table = await readTableInSlices()
  const following = { tools, rule, table, mayOpen: opensQuietlyIn(table) }
  const prepared: string[] = []
  const held: Resolved[] = []
  for (const option of options) {
    const grammar = grammarFor(option)
    const each: Either<string, PreparedOptions> =
      grammar === undefined ? right({ options: [option], held: [] }) : preparePathOption(following, grammar, option)
    if (isLeft(each)) {
      close(...held.map(({ place }) => place.fd))
      return each
    }
    prepared.push(...each.right.options)
    held.push(...each.right.held)
  }
  return right({ options: prepared, held })
}

/** The longest first: `/proc/1/fd/3` is the beginning of `/proc/1/fd/31`. */
const shownFor = (held: readonly Resolved[]): Shown =>
  held.map((one): readonly [string, string] => [descriptorOf(one), one.path]).sort(([a], [b]) => b.length - a.length)

/** A bind takes its source by descriptor too: what was checked is what is mounted, whatever becomes of the path. */
const prepareBind = (source: Resolved, asked: readonly string[], table: MountTable): Either<string, Prepared> => {
  const found = lineOf(table, source.place.mountId)
  if (found._tag !== 'Line') return left(`the mount of ${source.path} is not in the mount table`)
  if (!isLocalFstype(found.line.fstype)) {
    return left(`${source.path} is on ${found.line.fstype}, which can hang: mount it by its own type`)
  }
  const options = ['-o', bindOptions(asked, found.line.flags).join(',')]
  return right({
    ...BY_PATHS,
    ...{ options, source: descriptorOf(source), shown: shownFor([source]), hold: [source.place.fd] },
  })
}

/** A source that a helper may read as a path although the table of types does not say so. */
const mayBePath = ({ appears, mayHang }: TypeRule, source: string): boolean =>
  (mayHang || appears._tag === 'Growth') && source.startsWith('/') && !source.startsWith('//')

/** Why a helper may not be given a path as its source: it would look it up again. */
const refusal = (type: string, source: string, unsafe: string): string =>
  `${type} needs its source as a path, and others can exchange ${source}: ${unsafe}`

const prepareSource = async (
  tools: Tools,
  { type, source }: Pick<Mount['filesystem'], 'type' | 'source'>,
  options: readonly string[],
): Promise<Either<string, Prepared>> => {
  const rule = ruleOf(tools, type)
  const typed = ['-t', type, ...(options.length > 0 ? ['-o', options.join(',')] : [])]
  // Compared by what the table shows, so it is passed as it was asked for.
  const asAsked = right({ ...BY_PATHS, options: typed, source })
  if (!rule.sourceIsPath && !mayBePath(rule, source)) return asAsked
  // The source of a bind was opened by the look before, which may wait.
  const table = await readTableInSlices()
  const following = { tools, rule, table, mayOpen: type === 'bind' ? () => true : opensQuietlyIn(table) }
  if (!rule.sourceIsPath) {
    const followed = follow(following, source)
    // What is not there, in directories that are safe, is for the helper to say.
    if (isLeft(followed)) return followed.left.errno === 'EXDEV' ? left(stopText(followed.left)) : asAsked
    close(followed.right.place.fd)
    const { unsafe } = followed.right
    return unsafe === undefined ? asAsked : left(refusal(type, source, unsafe))
  }
  const allowed = allowedPath(following, source, (path) => tools.sourceAllowed(rule, path))
  if (isLeft(allowed)) return allowed
  if (type !== 'bind') {
    close(allowed.right.place.fd)
    const { unsafe } = allowed.right
    return unsafe === undefined ? asAsked : left(refusal(type, source, unsafe))
  }
  // Read again: an id is looked up only in a table that was read after its descriptor was opened.
  const prepared = prepareBind(allowed.right, options, await readTableInSlices())
  if (isLeft(prepared)) close(allowed.right.place.fd)
  return prepared
}

/** Options and source as mount(8) is to get them, or the sentence that says why it is not run. */
export const prepare = async (tools: Tools, effect: Mount): Promise<Either<string, Prepared>> => {
  const { type } = effect.filesystem
  const rule = ruleOf(tools, type)
  const parsed = readSource(rule, effect.filesystem.source)
  if (parsed._tag === 'Wrong') return left(`source: ${parsed.why}`)
  const options = renderOptions(type, rule, effect.options)
  if (isLeft(options)) return options
  const own = await prepareOptions(tools, type, options.right)
  if (isLeft(own)) return own
  const { held } = own.right
  const source = await prepareSource(tools, { type, source: writeSource(parsed) }, own.right.options)
  if (isLeft(source)) {
    close(...held.map(({ place }) => place.fd))
    return source
  }
  const asked = options.right
  if (held.length === 0) return right({ ...source.right, asked })
  const named = namedBy(held, descriptorOf, await readTableInSlices())
  return right({
    ...source.right,
    asked,
    shown: [...shownFor(held), ...source.right.shown],
    hold: [...held.map(({ place }) => place.fd), ...source.right.hold],
    named,
  })
}
