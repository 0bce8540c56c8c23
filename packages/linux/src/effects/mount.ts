// Mount: one mount(8) onto the mountpoint, reached through the root's descriptor. A descriptor of the target itself would
// break a bind with flags, which mount(8) does in two steps.

import { basename } from 'node:path'
import type { Found, Mount } from '@mountkeeper/core'
import { layersOf } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import { grammarOf } from '@mountkeeper/types'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { leftOf } from '../clock.js'
import type { Command } from '../command-runner.js'
import { createCrossings } from '../crossing.js'
import { close } from '../descriptor.js'
import type { Shown } from '../evidence.js'
import { hasHelper } from '../mount-helper.js'
import { mountsQuickly } from '../quick.js'
import type { Target } from '../root-descriptors.js'
import { safePath } from '../safe-directory.js'
import type { HandedOn } from '../secret.js'
import { handOn } from '../secret.js'
import { readTableInSlices } from '../slices.js'
import type { Tools } from '../tools.js'
import { lineFor } from '../together.js'
import { lookFor, nameTarget, notRun, pathOf, reportOf, ruleOf, runAndLook } from '../tools.js'
import { secretText } from './mount-options.js'
import { prepare } from './mount-source.js'

/** Programs that give a command an environment of their own. */
const RESETS_ENVIRONMENT: ReadonlySet<string> = new Set(['sudo', 'doas', 'pkexec'])

const resetsEnvironment = ([program = '']: readonly string[]): boolean => RESETS_ENVIRONMENT.has(basename(program))

/** The secret among the options, ready for the helper. Core lets one pass, for a helper has one standard input. */
const secretFor = async (
  tools: Tools,
  { filesystem: { type }, options }: Mount,
): Promise<Either<string, HandedOn | undefined>> => {
  const [option, other] = options.filter((each) => typeof each !== 'string')
  if (option === undefined) return right(undefined)
  if (other !== undefined) return left(`options ${option.name} and ${other.name}: a helper can be given one secret`)
  const grammar = grammarOf(type, ruleOf(tools, type), option.name)
  if (grammar?._tag !== 'Secret') return left(`option ${option.name}: cannot be a secret`)
  if (grammar.by === 'environment' && resetsEnvironment(tools.prefix))
    return left(`option ${option.name}: ${tools.prefix[0] ?? ''} passes no variable on; give the secret in another way`)
  const limited = await tools.limitCores()
  if (limited !== undefined) return left(`option ${option.name}: ${limited}`)
  const reading = { secrets: tools.secrets, trust: tools.secretTrust, environment: process.env }
  return handOn(option, grammar.by, reading)
}

/** The change for a runner of changes, to which a secret is none of the options. */
const changeOf = (
  tools: Tools,
  { mountpoint, filesystem: { type, source }, options }: Mount,
  asked: readonly string[],
): Pick<Command, 'change' | 'secretName'> => {
  const change = { do: 'mount', mountpoint, type, source } as const
  const name = options.filter((each) => typeof each !== 'string')[0]?.name
  const grammar = name === undefined ? undefined : grammarOf(type, ruleOf(tools, type), name)
  if (name === undefined || grammar === undefined) return { change: { ...change, options: asked } }
  const text = secretText(name, grammar)
  return {
    change: { ...change, options: asked.filter((each) => isLeft(text) || each !== text.right) },
    secretName: name,
  }
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
 * Why a helper may not be started: libfuse makes its mountpoint canonical, and so goes by the path from `/` on, which the
 * descriptor of the root does not hold. Those directories were safe when the host came up, and are asked again.
 */
const unsafeAbove = async (tools: Tools, { filesystem, root }: Mount): Promise<string | undefined> => {
  if (root === undefined) return undefined
  const mayEnter = createCrossings({ table: await readTableInSlices() }).elsewhere
  const safe = safePath(root.path, tools.trustFor(root.path), mayEnter)
  if (!isLeft(safe)) return undefined
  const why = safe.left._tag === 'Unsafe' ? `${safe.left.unsafe.why}; ${safe.left.unsafe.command}` : safe.left.why
  return `the helper of ${filesystem.type} looks its mountpoint up by its path: ${why}`
}

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
  const leavesHelpers = hasHelper(type)
  const above = leavesHelpers ? await unsafeAbove(tools, effect) : undefined
  if (above !== undefined) return notRun(before.found, asked, `not run: ${above}`)
  const prepared = await prepare(tools, effect)
  if (isLeft(prepared)) return notRun(before.found, asked, `not run: ${prepared.left}`)
  const target = nameTarget(tools, effect, asked.slice(0, -1))
  if ('found' in target) {
    close(...prepared.right.hold)
    return target
  }
  const secret = await secretFor(tools, effect)
  if (isLeft(secret)) {
    close(...prepared.right.hold)
    return notRun(before.found, asked, `not run: ${secret.left}`)
  }
  const { operand, cwd } = operandOf(type, target)
  const inParent: Shown = cwd.cwd === undefined ? [] : [[operand, effect.mountpoint]]
  const quick = mountsQuickly(type, leavesHelpers) && secret.right === undefined
  const layersBefore = layersOf(before.found).length
  return runAndLook(
    {
      ...{ tools, effect, left, hold: prepared.right.hold, secret: secret.right },
      shown: [target.shown, ...prepared.right.shown, ...inParent, ...(secret.right ? [secret.right.shown] : [])],
      named: prepared.right.named,
      isDone: (found) => layersOf(found).length > layersBefore,
      isOwed: (found) => canTake(found) && layersOf(found).length === layersBefore,
    },
    {
      program: 'mount',
      options: ['-c', ...prepared.right.options],
      operands: [prepared.right.source, operand],
      rights: 'privileged',
      deadlineMs: left(),
      leavesHelpers,
      quick,
      line: quick ? lineFor(prepared.right.options, prepared.right.source, operand) : undefined,
      ...changeOf(tools, effect, prepared.right.asked),
      ...secret.right?.given,
      ...cwd,
    },
  )
}
