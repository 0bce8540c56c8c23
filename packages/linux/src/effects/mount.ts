// Mount: one mount(8) onto the mountpoint, reached through the root's descriptor. A descriptor of the target itself would
// break a bind with flags, which mount(8) does in two steps.

import type { Found, Mount, MountOption, TypeRule } from '@mountkeeper/core'
import { layersOf, optionName } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { leftOf } from '../clock.js'
import type { Command } from '../command-runner.js'
import { close, ownProcess, resolve } from '../descriptor.js'
import type { Shown } from '../evidence.js'
import { createCrossings } from '../crossing.js'
import { stopText } from '../reach.js'
import { hasHelper } from '../mount-helper.js'
import type { MountTable } from '../mount-table.js'
import { isLocalFstype, lineOf, notLocal, opensQuietlyAt } from '../mount-table.js'
import type { Target } from '../root-descriptors.js'
import type { HandedOn } from '../secret.js'
import { handOn } from '../secret.js'
import { readTableInSlices } from '../slices.js'
import type { Tools } from '../tools.js'
import { lookFor, nameTarget, notRun, pathOf, reportOf, ruleOf, runAndLook } from '../tools.js'
import { bindOptions, pathsOf, renderOptions } from './mount-options.js'

/** What mount(8) gets besides the target. */
interface Prepared {
  readonly options: readonly string[]
  readonly source: string
  readonly shown: Shown
  readonly hold: readonly number[]
}

/** Follows a path's links and checks that what it leads to is allowed. The descriptor is the caller's to close. */
const allowedPath = (
  tools: Tools,
  rule: TypeRule,
  path: string,
  table: MountTable,
  mayOpen: (path: string) => boolean,
): Either<string, { readonly fd: number; readonly mountId: number; readonly path: string }> => {
  const resolved = resolve(path, { mayEnter: createCrossings({ table }).elsewhere, mayOpen })
  if (isLeft(resolved)) return left(stopText(resolved.left))
  const { fd, mountId } = resolved.right.place
  if (tools.sourceAllowed(rule, resolved.right.path)) return right({ fd, mountId, path: resolved.right.path })
  close(fd)
  return left(`${path} leads to ${resolved.right.path}, which is not an allowed source`)
}

/** No mount whose server is asked as soon as it is opened is to be opened in this process (L24). */
const opensQuietlyIn = (table: MountTable): ((path: string) => boolean) => {
  const asking = notLocal(table)
  return (path) => opensQuietlyAt(asking, path)
}

const checkPathOptions = async (
  tools: Tools,
  rule: TypeRule,
  options: readonly string[],
): Promise<string | undefined> => {
  if (!options.some((option) => rule.pathOptions.includes(optionName(option)))) return undefined
  const table = await readTableInSlices()
  const mayOpen = opensQuietlyIn(table)
  for (const option of options) {
    if (!rule.pathOptions.includes(optionName(option))) continue
    for (const path of pathsOf(option)) {
      const allowed = allowedPath(tools, rule, path, table, mayOpen)
      if (isLeft(allowed)) return `option ${optionName(option)}: ${allowed.left}`
      close(allowed.right.fd)
    }
  }
  return undefined
}

/** A bind takes its source by descriptor too: what was checked is what is mounted, whatever becomes of the path. */
const prepareBind = (
  source: { readonly fd: number; readonly mountId: number; readonly path: string },
  asked: readonly string[],
  table: MountTable,
): Either<string, Prepared> => {
  const found = lineOf(table, source.mountId)
  if (found._tag !== 'Line') return left(`the mount of ${source.path} is not in the mount table`)
  if (!isLocalFstype(found.line.fstype)) {
    return left(`${source.path} lies on ${found.line.fstype}, which can hang: mount it by its own type`)
  }
  const options = ['-o', bindOptions(asked, found.line.flags).join(',')]
  const path = `${ownProcess()}/fd/${source.fd}`
  return right({ options, source: path, shown: [[path, source.path]], hold: [source.fd] })
}

const prepare = async (tools: Tools, effect: Mount): Promise<Either<string, Prepared>> => {
  const { type, source } = effect.filesystem
  const rule = ruleOf(tools, type)
  const options = renderOptions(effect.options)
  if (isLeft(options)) return options
  const wrong = await checkPathOptions(tools, rule, options.right)
  if (wrong !== undefined) return left(wrong)
  const typed = ['-t', type, ...(options.right.length > 0 ? ['-o', options.right.join(',')] : [])]
  if (!rule.sourceIsPath) return right({ options: typed, source, shown: [], hold: [] })
  // The source of a bind was opened by the look before, which may wait.
  const table = await readTableInSlices()
  const allowed = allowedPath(tools, rule, source, table, type === 'bind' ? () => true : opensQuietlyIn(table))
  if (isLeft(allowed)) return allowed
  if (type !== 'bind') {
    close(allowed.right.fd)
    // Compared by what the table shows, so it is passed as it was asked for.
    return right({ options: typed, source, shown: [], hold: [] })
  }
  // Read anew: an id is looked up only in a table that was read after its descriptor was opened.
  const prepared = prepareBind(allowed.right, options.right, await readTableInSlices())
  if (isLeft(prepared)) close(allowed.right.fd)
  return prepared
}

/** The secret among the options, ready for the helper. It has one standard input. */
const secretFor = async (
  tools: Tools,
  options: readonly MountOption[],
): Promise<Either<string, HandedOn | undefined>> => {
  const [option, other] = options.filter((each) => typeof each !== 'string')
  if (option === undefined) return right(undefined)
  if (other !== undefined) return left(`options ${option.name} and ${other.name}: a helper can be given one secret`)
  const limited = await tools.limitCores()
  if (limited !== undefined) return left(`option ${option.name}: ${limited}`)
  return handOn(option, { secrets: tools.secrets, trust: tools.trustFor(undefined), environment: process.env })
}

/** mount(2) follows a link as the last component, so nothing but a directory may be there, mounted on or not. */
const canTake = (found: Found): boolean => found._tag === 'Directory' || found._tag === 'Mounted'

/**
 * Helpers that give up the right to go through the descriptors of another process before they go to the mountpoint:
 * mount.cifs 7.0 keeps no capability but that to search directories, and then says EACCES of `/proc/PID/fd/ROOT/NAME`
 * (traced). They are started in the parent directory, entered through the root's descriptor, and get `./NAME`.
 */
const STARTED_IN_PARENT: ReadonlySet<string> = new Set(['cifs', 'smb3'])

/** How a helper of this type gets the mountpoint. */
const operandOf = (type: string, target: Target): { readonly operand: string; readonly cwd: Pick<Command, 'cwd'> } =>
  STARTED_IN_PARENT.has(type)
    ? { operand: `./${target.name}`, cwd: { cwd: target.directory } }
    : { operand: pathOf(target), cwd: {} }

/**
 * Mounts. Types are passed as they are to `mount -t`, so `sshfs` needs `mount.sshfs` and `fuse.sshfs` needs `mount.fuse`;
 * only `bind` is no type of mount(8) and becomes the option. What cannot be mounted safely is not tried, and says why.
 */
export const mount = async (tools: Tools, effect: Mount): Promise<Report> => {
  const left = leftOf(tools.clock, effect.deadlineMs)
  const { type, source } = effect.filesystem
  const asked = ['mount', '-c', '-t', type, '--', source, effect.mountpoint]
  const before = await lookFor(tools, effect, left)
  if (!canTake(before.found)) {
    return 'ended' in before ? reportOf(before) : notRun(before.found, asked, 'not run: no directory to mount on')
  }
  const prepared = await prepare(tools, effect)
  if (isLeft(prepared)) return notRun(before.found, asked, `not run: ${prepared.left}`)
  const target = nameTarget(tools, effect, asked.slice(0, -1))
  if ('found' in target) {
    close(...prepared.right.hold)
    return target
  }
  const secret = await secretFor(tools, effect.options)
  if (isLeft(secret)) {
    close(...prepared.right.hold)
    return notRun(before.found, asked, `not run: ${secret.left}`)
  }
  const { operand, cwd } = operandOf(type, target)
  const inParent: Shown = cwd.cwd === undefined ? [] : [[operand, effect.mountpoint]]
  const layersBefore = layersOf(before.found).length
  return runAndLook(
    {
      ...{ tools, effect, left, hold: prepared.right.hold, secret: secret.right },
      shown: [target.shown, ...prepared.right.shown, ...inParent],
      isDone: (found) => layersOf(found).length > layersBefore,
    },
    {
      program: 'mount',
      options: ['-c', ...prepared.right.options],
      operands: [prepared.right.source, operand],
      rights: 'privileged',
      deadlineMs: left(),
      leavesHelpers: hasHelper(type),
      ...(secret.right === undefined ? {} : { stdin: secret.right.stdin }),
      ...cwd,
    },
  )
}
