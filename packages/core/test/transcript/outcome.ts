// Reports about effects: which effect is meant, and the outcome that is fed for it.

import type {
  CommandError,
  Effect,
  EffectFound,
  Filesystem,
  Found,
  Identity,
  Outcome,
  ResolvedSource,
  SourceSeen,
} from '../../src/index.js'
import { compareIdentity } from '../../src/index.js'
import type { Expected } from './layers.js'
import { readFound, resolve } from './layers.js'
import type { Emitted, Story } from './story.js'
import { feed, hostOf, tick } from './story.js'
import type { Words } from './words.js'
import { expectWords, fail, numeric } from './words.js'

/** `a` is `/srv/mounts/a`; what begins with `/` or `./` stands for itself. */
export const path = (name: string): string => (/^\.?\//.test(name) ? name : `/srv/mounts/${name}`)

/** Where an effect is run; nowhere for the host's own. */
export const mountpointOf = (effect: Effect): string | undefined =>
  effect._tag === 'Discover' ? undefined : effect.mountpoint

const matching = (story: Story, reference: string): readonly Emitted[] => {
  const [kind, where] = reference.split('@')
  const open = [...story.emitted.values()].filter(
    ({ effect, state }) => state === 'open' && effect._tag.toLowerCase() === kind!.toLowerCase(),
  )
  if (where === undefined) return open
  const mountpoint = where === 'host' ? undefined : path(where)
  return open.filter(({ effect }) => mountpointOf(effect) === mountpoint)
}

/** The effect meant by `#3`, by its kind where only one of that kind is open (`Look`), or by kind and place (`Look@a`). */
export const effectMeant = (story: Story, reference: string | undefined): Emitted => {
  if (reference === undefined) return fail('which effect? Say #3, Look or Look@a')
  if (reference.startsWith('#')) {
    return story.emitted.get(numeric(reference.slice(1))) ?? fail(`there is no effect ${reference}`)
  }
  const found = matching(story, reference)
  if (found.length > 1) fail(`${reference} is open ${found.length} times: say #n or ${reference}@mountpoint`)
  return found[0] ?? fail(`no ${reference} is open`)
}

const filesystemOf = (effect: Effect): Filesystem | undefined =>
  effect._tag === 'Wait' ||
  effect._tag === 'Discover' ||
  effect._tag === 'MakeDirectory' ||
  effect._tag === 'RemoveDirectory'
    ? undefined
    : effect.filesystem

/** How layers of a mountpoint are expected to look: by the effect, else by what the record says. */
export const expectedAt = (story: Story, mountpoint: string, effect?: Effect): Expected | undefined => {
  const record = hostOf(story).mountpoints.get(mountpoint)?.record
  const filesystem = (effect === undefined ? undefined : filesystemOf(effect)) ?? record?.filesystem
  if (filesystem === undefined) return undefined
  const options = effect?._tag === 'Mount' ? effect.options : [...filesystem.options, 'nosuid', 'nodev']
  return { filesystem, options, rule: story.settings.types[filesystem.type] }
}

const COMMANDS = { Mount: 'mount', Unmount: 'umount', MakeDirectory: 'mkdir', RemoveDirectory: 'rmdir' } as const

const commandOf = (effect: Effect): readonly string[] => {
  switch (effect._tag) {
    case 'Mount':
    case 'Unmount':
    case 'MakeDirectory':
    case 'RemoveDirectory':
      return [COMMANDS[effect._tag], effect.mountpoint]
    case 'Look':
    case 'Probe':
    case 'Wait':
    case 'Discover':
      return [effect._tag.toLowerCase()]
  }
}

/** What an outcome says besides what was found. */
export interface Evidence {
  readonly error?: CommandError
  readonly source?: SourceSeen
  /** Where the program that mounts is expected and missing. */
  readonly helper?: string
}

/** A report about an effect. */
export interface Report {
  readonly emitted: Emitted
  readonly found: EffectFound
  readonly evidence?: Evidence
}

/** Remembers what is at a mountpoint: `> auto on` and `> up` go on from there. */
const remember = (story: Story, mountpoint: string | undefined, found: EffectFound): void => {
  if (mountpoint === undefined) return
  if (['NoDirectory', 'Directory', 'Obstacle', 'Mounted'].includes(found._tag)) {
    story.there.set(mountpoint, found as Found)
  }
}

/** Where else the story has a recorded layer, if it is not among what was found. */
export const whereElse = (story: Story, layer: Identity, found: EffectFound): string | undefined => {
  if (found._tag === 'Unknown') return undefined
  const has = (there: EffectFound): boolean =>
    there._tag === 'Mounted' && there.layers.some((each) => compareIdentity(layer, each) === 'same')
  return has(found) ? undefined : [...story.there].find(([, there]) => has(there))?.[0]
}

const submountsOf = (story: Story, source: string): readonly string[] =>
  [...story.there].flatMap(([at, { _tag }]) => (_tag === 'Mounted' && at.startsWith(`${source}/`) ? [at] : [])).sort()

/** The outcome of an effect, which has had its outcome from now on. */
export const outcomeOf = (story: Story, { emitted, found, evidence }: Report): Outcome => {
  const { effect } = emitted
  const mountpoint = mountpointOf(effect)
  remember(story, mountpoint, found)
  emitted.state = found._tag === 'Unknown' && found.why === 'TimedOut' ? 'overdue' : 'ended'
  const looked = effect._tag === 'Look' || effect._tag === 'Mount' ? effect.filesystem : undefined
  const source = evidence?.source ?? (looked && resolve(looked, story.settings.types[looked.type]))
  const submounts = looked?.type === 'bind' ? submountsOf(story, looked.source) : []
  const layer = effect._tag === 'Look' ? effect.layer : effect._tag === 'Unmount' ? effect.identity : undefined
  const elsewhere = layer && whereElse(story, layer, found)
  return {
    _tag: 'Outcome',
    at: story.at,
    effect: effect.effect,
    mountpoint,
    found,
    ...(evidence?.error === undefined ? {} : { error: evidence.error }),
    ...(source === undefined ? {} : { source }),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    ...(submounts.length === 0 ? {} : { submounts }),
    ...(evidence?.helper === undefined ? {} : { missingHelper: evidence.helper }),
  }
}

const conclude = (story: Story, report: Report): void => {
  tick(story)
  feed(story, outcomeOf(story, report))
}

/** Splits the words after the effect: what was found, then `error …` and `source …` in any order. */
const sections = (
  plain: readonly string[],
): {
  found: readonly string[]
  error: readonly string[] | undefined
  source: readonly string[] | undefined
} => {
  const error = plain.indexOf('error')
  const source = plain.indexOf('source')
  const first = Math.min(...[error, source, plain.length].filter((index) => index >= 0))
  const said = source < 0 ? undefined : plain.slice(source + 1, error > source ? error : undefined)
  if (error < 0) return { found: plain.slice(0, first), error: undefined, source: said }
  const end = source > error ? source : plain.length
  return { found: plain.slice(0, first), error: plain.slice(error + 1, end), source: said }
}

const readError = (effect: Effect, said: readonly string[], named: Words['named']): CommandError => {
  const exit = named.get('exit')
  const signal = named.get('signal')
  const pid = named.get('pid')
  return {
    command: commandOf(effect),
    ...(exit === undefined ? {} : { exitStatus: numeric(exit) }),
    ...(signal === undefined ? {} : { signal }),
    stderr: said.join(' '),
    ...(pid === undefined ? {} : { pid: numeric(pid) }),
  }
}

/** The named words of a source. */
export const SOURCE_WORDS: readonly string[] = ['root', 'device', 'files', 'shown']

const filesOf = (text: string): ResolvedSource => ({ _tag: 'Files', files: text.split(',') })

/** What a source leads to, by the words after `source`. */
export const readSource = ({ named }: Words, [what, path = '/there']: readonly string[]): SourceSeen => {
  const files = named.get('files')
  const asked: ResolvedSource =
    what === 'absent'
      ? { _tag: 'Absent', path }
      : what === 'not-checked'
        ? { _tag: 'NotChecked', why: 'it is on a filesystem that can hang' }
        : files === undefined
          ? { _tag: 'At', root: named.get('root') ?? '/', device: named.get('device') ?? '8:1' }
          : filesOf(files)
  const shown = named.get('shown')
  return shown === undefined ? { asked } : { asked, shown: filesOf(shown) }
}

/** The effect meant, which has had no outcome yet unless the directive ends in `again`. */
export const open = (story: Story, reference: string | undefined, again = false): Emitted => {
  const emitted = effectMeant(story, reference)
  const had = emitted.state === 'ended' || emitted.state === 'overdue'
  if (had && !again) fail(`#${emitted.effect.effect} has had its outcome; say "again" to break the driver's duty`)
  return emitted
}

/** `> outcome #3 Mounted t1 t0 [helper=/sbin/mount.nfs] [error exit=32 "text"] [source root=/x device=8:1 | files=8:1:7 | absent | not-checked [shown=8:1:8]] [again]` */
export const outcome = (story: Story, given: Words): void => {
  expectWords(given, 2, 32, ['exit', 'signal', 'pid', 'helper', ...SOURCE_WORDS])
  const again = given.plain.at(-1) === 'again'
  const [reference, ...rest] = again ? given.plain.slice(0, -1) : given.plain
  const emitted = open(story, reference, again)
  const { effect } = emitted
  if (effect._tag === 'Discover' || effect._tag === 'Wait' || effect._tag === 'Probe') {
    return fail(`#${effect.effect} is a ${effect._tag}: say discovered, elapsed, alive or broken`)
  }
  const said = sections(rest)
  const found = readFound(story.layers, said.found, expectedAt(story, effect.mountpoint, effect))
  const source = said.source && readSource(given, said.source)
  const helper = given.named.get('helper')
  conclude(story, {
    emitted,
    found,
    evidence: {
      ...(said.error === undefined ? {} : { error: readError(effect, said.error, given.named) }),
      ...(source === undefined ? {} : { source }),
      ...(helper === undefined ? {} : { helper }),
    },
  })
}

/** `> timed-out #3`: its deadline has passed, its processes live on. */
export const timedOut = (story: Story, given: Words): void => {
  expectWords(given, 1, 1)
  const emitted = open(story, given.plain[0])
  const { effect } = emitted
  const runs = ['Mount', 'Unmount', 'MakeDirectory', 'RemoveDirectory'].includes(effect._tag)
  const error: CommandError = { command: commandOf(effect), stderr: '', pid: 1_000 + effect.effect }
  conclude(story, { emitted, found: { _tag: 'Unknown', why: 'TimedOut' }, evidence: runs ? { error } : {} })
}

/** `> ended #3`: no process of an effect that timed out lives any more. */
export const ended = (story: Story, given: Words): void => {
  expectWords(given, 1, 1)
  const [reference] = given.plain
  const overdue = [...story.emitted.values()].filter(({ state }) => state === 'overdue')
  const emitted = reference!.startsWith('#')
    ? effectMeant(story, reference)
    : overdue.find(({ effect }) => effect._tag === reference)
  if (emitted?.state !== 'overdue') return fail(`${reference!} has not timed out, or has ended`)
  emitted.state = 'ended'
  const mountpoint = mountpointOf(emitted.effect)
  feed(story, { _tag: 'Ended', at: tick(story), effect: emitted.effect.effect, mountpoint })
}

/** `> elapsed [#4]`: the end of a delay; without a number, of the only one that runs. */
export const elapsed = (story: Story, given: Words): void => {
  expectWords(given, 0, 1)
  const emitted = open(story, given.plain[0] ?? 'Wait')
  if (emitted.effect._tag !== 'Wait') return fail(`#${emitted.effect.effect} is no Wait`)
  conclude(story, { emitted, found: { _tag: 'Elapsed' } })
}

/** `> alive [#5]`, `> broken [#5] ENOTCONN`: what a probe found. */
export const probed =
  (tag: 'Alive' | 'Broken') =>
  (story: Story, given: Words): void => {
    expectWords(given, tag === 'Broken' ? 1 : 0, 2)
    const [reference] = given.plain.filter((each) => each.startsWith('#'))
    const errno = given.plain.find((each) => !each.startsWith('#')) ?? ''
    const emitted = open(story, reference ?? 'Probe')
    if (emitted.effect._tag !== 'Probe') return fail(`#${emitted.effect.effect} is no Probe`)
    tick(story)
    conclude(story, { emitted, found: tag === 'Alive' ? { _tag: tag } : { _tag: tag, errno } })
  }
