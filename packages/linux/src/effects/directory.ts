// MakeDirectory and RemoveDirectory: mkdir and rmdir of exactly one component, through the root's descriptor. Never
// `-p`, never anything recursive (L11), never with the prefix.

import type { MakeDirectory, RemoveDirectory } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import { leftOf } from '../clock.js'
import type { Tools } from '../tools.js'
import { nameTarget, pathOf, runAndLook } from '../tools.js'

/** The command of either effect without its operand. Mode 0700: who may use a mountpoint is decided by what is mounted. */
const COMMANDS: Readonly<Record<(MakeDirectory | RemoveDirectory)['_tag'], readonly [string, ...string[]]>> = {
  MakeDirectory: ['mkdir', '-m', '0700'],
  RemoveDirectory: ['rmdir'],
}

const CHANGES = { MakeDirectory: 'make-directory', RemoveDirectory: 'remove-directory' } as const

/** What is found where it has not been done. */
const OWED = { MakeDirectory: 'NoDirectory', RemoveDirectory: 'Directory' } as const

/**
 * Makes or removes the directory of a mountpoint. A missing parent is named in the error. mkdir(2) and rmdir(2) do not
 * follow a link as last component, and the kernel refuses to remove what is mounted or not empty.
 */
export const changeDirectory = async (tools: Tools, effect: MakeDirectory | RemoveDirectory): Promise<Report> => {
  const left = leftOf(tools.clock, effect.deadlineMs)
  const [program, ...options] = COMMANDS[effect._tag]
  const target = nameTarget(tools, effect, [program, ...options, '--'])
  if ('found' in target) return target
  return runAndLook(
    { tools, effect, left, shown: [target.shown], hold: [], isOwed: ({ _tag }) => _tag === OWED[effect._tag] },
    {
      ...{ program, options, operands: [pathOf(target)], rights: 'own', deadlineMs: left(), quick: true },
      change: { do: CHANGES[effect._tag], mountpoint: effect.mountpoint },
    },
  )
}
