// MakeDirectory and RemoveDirectory: mkdir and rmdir of exactly one component, through a descriptor of its parent. Never
// `-p`, never anything recursive (L11), never with the prefix.

import type { MakeDirectory, RemoveDirectory } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { Tools } from '../tools.js'
import { holdParent, leftOf, runAndLook } from '../tools.js'

/** The command of either effect without its operand. Mode 0700: who may use a mountpoint is decided by what is mounted. */
const COMMANDS: Readonly<Record<(MakeDirectory | RemoveDirectory)['_tag'], readonly [string, ...string[]]>> = {
  MakeDirectory: ['mkdir', '-m', '0700'],
  RemoveDirectory: ['rmdir'],
}

/**
 * Makes or removes the directory of a mountpoint. A missing parent is named in the error. mkdir(2) and rmdir(2) do not
 * follow a link as last component, and the kernel refuses to remove what is mounted or not empty.
 */
export const changeDirectory = async (tools: Tools, effect: MakeDirectory | RemoveDirectory): Promise<Report> => {
  const left = leftOf(effect.deadlineMs)
  const [program, ...options] = COMMANDS[effect._tag]
  const held = holdParent(effect, [program, ...options, '--'])
  if ('found' in held) return held
  const { parent, target, shown } = held
  return runAndLook(
    { tools, effect, left, shown, hold: [parent.place.fd] },
    { program, options, operands: [target], rights: 'own', deadlineMs: left() },
  )
}
