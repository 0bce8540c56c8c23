// Runs changes through mountkeeper-exec, a process of root that was started once and checks each of them by its own lists. What it
// answers is how a command ended, like any other runner's; that its commands have ended is seen in /proc, not believed.

import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import type { Answer, Change } from '@mountkeeper/exec'
import type { Clock } from './clock.js'
import { systemClock } from './clock.js'
import type { Command, CommandEnd, CommandRunner, Outlived } from './command-runner.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { vectorOf } from './command-runner.js'
import { errnoOf } from './descriptor.js'
import type { Leader } from './processes.js'
import { allEnded, anyOutlives, leaderOf } from './processes.js'

/** How mountkeeper-exec is started, and what runs the commands that need no rights of root. */
export interface ExecOptions {
  /** Such as `['sudo', '-n', '--', '/usr/bin/node', '/usr/local/lib/mountkeeper/mountkeeper-exec.cjs']`. */
  readonly vector: readonly string[]
  /** For commands that change nothing. */
  readonly reader: CommandRunner
  readonly clock?: Clock
}

type MountChange = Extract<Change, { readonly do: 'mount' }>

/** One change that is not answered yet. */
interface Pending {
  readonly answer: (answer: Answer) => void
  readonly lost: (why: string) => void
}

interface Connection {
  readonly pid: number
  readonly send: (line: object) => void
  readonly add: (id: number, pending: Pending) => void
  readonly isOpen: () => boolean
}

const SAID_MAX = 1_024

/** The process and its streams keep this one running only while something is asked. */
const keepRunning = (child: ChildProcessByStdio<Writable, Readable, Readable>, keeps: boolean): void => {
  const change = keeps ? 'ref' : 'unref'
  child[change]()
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (change in stream) (stream as unknown as Record<typeof change, () => void>)[change]()
  }
}

const connect = (vector: readonly string[]): Connection => {
  const [file = '', ...args] = vector
  const pending = new Map<number, Pending>()
  // Out of reach of the terminal's signals: it ends when its input does.
  const child = spawn(file, args, {
    ...{ cwd: '/', env: COMMAND_ENVIRONMENT, detached: true },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let isOpen = true
  let said = ''
  let rest = ''
  const settle = (id: number): void => {
    pending.delete(id)
    if (pending.size === 0) keepRunning(child, false)
  }
  const hear = (answer: Answer): void => {
    if (answer._tag === 'ready' || answer.id === null) return
    pending.get(answer.id)?.answer(answer)
    if (answer._tag !== 'started') settle(answer.id)
  }
  const end = (why: string): void => {
    if (!isOpen) return
    isOpen = false
    for (const [id, one] of pending) {
      settle(id)
      one.lost(why)
    }
  }
  // Before all else: an error that nothing hears ends this process.
  child.once('error', (error) => end(error.message))
  // Where no descriptor is left there are no streams, whatever the types of Node say.
  if ((child.stdin as Writable | undefined) === undefined) throw new Error('too many open files')
  child.stdin.on('error', () => undefined)
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, SAID_MAX)))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      try {
        hear(JSON.parse(line) as Answer)
      } catch {
        end(`it said what is no answer: ${line.slice(0, SAID_MAX)}`)
        child.kill()
        return
      }
    }
  })
  child.once('close', (code) => end(said.trim() || `it ended with ${String(code)}`))
  keepRunning(child, false)
  return {
    pid: child.pid ?? -1,
    send: (line) => void child.stdin.write(`${JSON.stringify(line)}\n`),
    add: (id, one) => {
      keepRunning(child, true)
      pending.set(id, one)
    },
    isOpen: () => isOpen,
  }
}

/** A command that runs there, or has run. */
interface Run {
  readonly leader: Leader
  readonly vector: readonly string[]
}

const outlivedOf = ({ leader }: Run, leavesHelpers: boolean, end: () => void): { readonly outlived?: Outlived } => {
  if (!anyOutlives(leader, leavesHelpers)) return {}
  const over = allEnded(leader)
  return {
    outlived: {
      over,
      end: () => {
        end()
        return over
      },
    },
  }
}

/** Names of mountkeeper-exec's descriptors in what a command says, as those of this process. */
const inOwnWords = (text: string, command: Command, run: Run | undefined): string => {
  const theirs = run?.vector.at(-1)
  const ours = command.operands.at(-1)
  return theirs === undefined || ours === undefined ? text : text.replaceAll(theirs, () => ours)
}

/** A secret goes over the pipe: only mountkeeper-exec can read it. */
const secretOf = ({ stdin, environment, secretName: name }: Command): Pick<MountChange, 'secret'> => {
  if (name === undefined) return {}
  const value = stdin === undefined ? Buffer.from(environment?.[name] ?? '') : readFileSync(`/proc/self/fd/${stdin}`)
  return { secret: { name, value: value.toString('base64') } }
}

/** A runner of changes; what it shows of a command is what would have been run here. */
export const execRunner = ({ vector, reader, clock = systemClock }: ExecOptions): CommandRunner => {
  let connection: Connection | undefined
  let last = 0
  const change = (command: Command, asked: Change, told?: (pid: number) => void): Promise<CommandEnd> => {
    const open = connection?.isOpen() === true ? connection : (connection = connect(vector))
    const id = (last += 1)
    const since = clock.now()
    const ending = (stderr = ''): { vector: readonly string[]; stderr: string; durationMs: number } => ({
      ...{ vector: vectorOf(command, []), stderr: inOwnWords(stderr, command, run), durationMs: clock.now() - since },
    })
    let run: Run | undefined
    return new Promise((settle) => {
      const end = (): void => open.send({ id: (last += 1), do: 'end', of: id })
      let over: () => void = () => undefined
      const answered = new Promise<void>((resolve) => (over = resolve))
      const allOver = (): Promise<void> => (run === undefined ? Promise.resolve() : allEnded(run.leader))
      const cancel = clock.after(command.deadlineMs, () => {
        end()
        // Not started yet: it waits for mountkeeper-exec, and is over with its answer, or with what was started after all.
        const ended = run === undefined ? answered.then(allOver) : allOver()
        settle({ _tag: 'TimedOut', ...ending(), pid: run?.leader.pid ?? open.pid, ended })
      })
      const finish = (result: CommandEnd): void => {
        cancel()
        over()
        settle(result)
      }
      open.add(id, {
        answer: (answer) => {
          if (answer._tag === 'started') {
            run = { leader: leaderOf(answer.pid), vector: answer.vector }
            told?.(answer.pid)
          } else if (answer._tag === 'refused') {
            finish({ _tag: 'NotStarted', ...ending(), why: `mountkeeper-exec refuses it: ${answer.why}` })
          } else if (answer._tag === 'done') {
            const pid = run?.leader.pid ?? open.pid
            const { status, signal, stderr } = answer
            const outlived = run === undefined ? {} : outlivedOf(run, command.leavesHelpers === true, end)
            if (status === null) finish({ _tag: 'Signalled', ...ending(stderr), signal: signal ?? 'unknown', pid })
            else finish({ _tag: 'Exited', ...ending(stderr), exitStatus: status, pid, ...outlived })
          }
        },
        lost: (why) => {
          if (run === undefined) finish({ _tag: 'NotStarted', ...ending(), why: `mountkeeper-exec: ${why}` })
          // Its commands go on without it.
          else finish({ _tag: 'TimedOut', ...ending(), pid: run.leader.pid, ended: allOver() })
        },
      })
      open.send({ id, ...asked })
    })
  }
  return {
    run: async (command, told) => {
      if (command.change === undefined) return reader.run(command, told)
      const since = clock.now()
      try {
        return await change(command, { ...command.change, ...secretOf(command) }, told)
      } catch (error) {
        const why = `mountkeeper-exec cannot be asked: ${errnoOf(error)}`
        return { _tag: 'NotStarted', vector: vectorOf(command, []), stderr: '', durationMs: clock.now() - since, why }
      }
    },
  }
}
