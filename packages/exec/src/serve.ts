// The conversation: lines in, answers out. A line is carried out or refused; nothing else can be asked for.

import { closeSync, mkdirSync, rmdirSync } from 'node:fs'
import { COMMANDS_MAX, commandCount, endCommand, runCommand } from './commands.js'
import { prepare } from './grammar.js'
import { beginMount, endMount } from './limits.js'
import type { Lists } from './lists.js'
import type { Root, Spot } from './places.js'
import { Refused, checkTarget, nameOf, operandOf, spotOf } from './places.js'
import type { Answer, Line } from './protocol.js'
import { readLine } from './protocol.js'

const HOW: Readonly<Record<'plain' | 'force' | 'lazy', readonly string[]>> = {
  plain: ['-c'],
  force: ['-f', '-c'],
  lazy: ['-l', '-c'],
}

/** mount.cifs gives up the right to go through descriptors of others: it is started in the parent and gets `./NAME`. */
const STARTED_IN_PARENT: ReadonlySet<string> = new Set(['cifs', 'smb3'])

/** What a call of the kernel says, as a command that ended with it would. */
const called = (call: () => void): { readonly status: number; readonly stderr: string } => {
  try {
    call()
    return { status: 0, stderr: '' }
  } catch (error) {
    return { status: 1, stderr: error instanceof Error && 'code' in error ? String(error.code) : String(error) }
  }
}

type Tell = (answer: Answer) => void

const unmount = (id: number, how: keyof typeof HOW, spot: Spot, answer: Tell): void =>
  runCommand(id, ['umount', ...HOW[how], '--', operandOf(spot)], '/', [], {}, answer)

/** The answer for a mount, when it is known whether that is within the limits. */
const within =
  (lists: Lists, mountpoint: string, spot: Spot, answer: Tell): Tell =>
  (one) => {
    const why = one._tag === 'done' ? endMount(lists, mountpoint) : undefined
    if (one._tag !== 'done' || one.status !== 0 || why === undefined) {
      answer(one)
      return
    }
    const refused: Answer = { ...one, status: 1, stderr: `taken off again: ${why}` }
    unmount(one.id, 'lazy', spot, (each) => (each._tag === 'done' ? answer(refused) : undefined))
  }

/** Carries out one line; throws `Refused`. */
const carryOut = (lists: Lists, roots: readonly Root[], line: Line, answer: Tell): void => {
  const { id } = line
  if (line.do === 'end') {
    void endCommand(line.of)
    return
  }
  const spot = spotOf(roots, line.mountpoint)
  const path = `/proc/self/fd/${spot.parent}/${spot.name}`
  if (line.do === 'make-directory' || line.do === 'remove-directory') {
    const makes = line.do === 'make-directory'
    answer({ _tag: 'done', id, signal: null, ...called(() => (makes ? mkdirSync(path, 0o700) : rmdirSync(path))) })
    return
  }
  if (commandCount() >= COMMANDS_MAX) throw new Refused(`more than ${COMMANDS_MAX} commands run`)
  if (line.do === 'unmount') {
    unmount(id, line.how, spot, answer)
    return
  }
  checkTarget(spot)
  const { vector, hold, given, bytes } = prepare(lists, line)
  try {
    beginMount(lists, line.mountpoint, bytes)
  } catch (error) {
    hold.forEach((fd) => closeSync(fd))
    throw error
  }
  const inParent = STARTED_IN_PARENT.has(line.type)
  const target = inParent ? `./${spot.name}` : operandOf(spot)
  const reply = within(lists, line.mountpoint, spot, answer)
  runCommand(id, ['mount', '-c', ...vector, target], inParent ? nameOf(spot.parent) : '/', hold, given, reply)
}

/** Answers lines of the manager. Ids have to grow, so that none means two commands. */
export const createServer = (
  lists: Lists,
  roots: readonly Root[],
  answer: (answer: Answer) => void,
): ((text: string) => void) => {
  let last = -1
  return (text) => {
    const line = readLine(text)
    if ('why' in line) {
      answer({ _tag: 'refused', ...line })
      return
    }
    const { id } = line
    try {
      if (id <= last) throw new Refused('the id is not greater than the one before')
      last = id
      carryOut(lists, roots, line, answer)
    } catch (error) {
      answer({ _tag: 'refused', id, why: error instanceof Refused ? error.message : `defect: ${String(error)}` })
    }
  }
}
