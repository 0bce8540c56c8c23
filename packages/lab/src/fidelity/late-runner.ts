// A runner whose mount commands can be made to exit 0 with nothing done, as with a helper that goes on in the background. What
// it would mount then is mounted later, by the very path that the adapter gave to the command.

import type { Command, CommandEnd, CommandRunner } from '@mountkeeper/linux'
import { execaRunner } from '@mountkeeper/linux'
import type { SystemCalls } from './system-calls.js'
import { FLAG_BITS } from './kernel-side.js'

/** The rest of a mount; gives the errno. */
export type LeftToDo = (calls: SystemCalls) => Promise<string | undefined>

/** The runner, and how its next mount is left for later. */
export interface LateRunner {
  readonly runner: CommandRunner
  /** Runs something; `left` is what its mount command has left to do, if one was run. */
  readonly leaving: <A>(run: () => Promise<A>) => Promise<{ readonly done: A; readonly left: LeftToDo | undefined }>
}

const bitsOf = (options: readonly string[]): number =>
  Object.entries(FLAG_BITS).reduce((sum, [flag, bit]) => (options.includes(flag) ? sum + bit : sum), 0)

const leftBy = ({ options, operands }: Command): LeftToDo => {
  const [source = '', target = ''] = operands
  const given = options.indexOf('-o')
  const flags = given < 0 ? [] : (options[given + 1] ?? '').split(',')
  return ({ call }) => call('mount', target, 'tmpfs', source, bitsOf(flags), 'size=64k')
}

/** Makes one. */
export const createLateRunner = (): LateRunner => {
  const real = execaRunner()
  let isLeaving = false
  let left: LeftToDo | undefined
  const run: CommandRunner['run'] = (command, started): Promise<CommandEnd> => {
    if (!isLeaving || command.program !== 'mount') return real.run(command, started)
    left = leftBy(command)
    const vector = [command.program, ...command.options, '--', ...command.operands]
    return Promise.resolve({ _tag: 'Exited', vector, stderr: '', durationMs: 0, exitStatus: 0, pid: 0 })
  }
  return {
    runner: { run },
    leaving: async (what) => {
      isLeaving = true
      left = undefined
      const done = await what()
      isLeaving = false
      return { done, left }
    },
  }
}
