// A conversation with one virsh: questions one after the other, each of any number of commands, in one process and so with one
// connection. What cannot be understood, what is cut off and what takes too long is a failure of the whole question.

import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import { ANSWER_MAX, answerOf, createCutter, linesFor } from './framing.js'
import { shown } from './shown.js'
import type { VirshCall } from './virsh.js'
import { NOWHERE, startVirsh } from './virsh.js'

/** A question that was answered. */
export interface Answered {
  /** What each command wrote, in order; one that failed wrote nothing. */
  readonly answers: readonly string[]
  /** What all of them complained of. */
  readonly complaint: string
}

/** An open conversation. */
export interface Session {
  /** All commands or none. One question at a time. */
  readonly ask: (commands: readonly string[]) => Promise<Either<string, Answered>>
  /** Asks for events, and for nothing after that; each is reported as it comes. */
  readonly listen: (heard: () => void) => void
  /** Resolves with why, when it has ended; the reason is that of virsh, where it gave one. */
  readonly ended: Promise<string>
  /** Ends it, and whatever waits for an answer. */
  readonly close: (why: string) => void
}

/** Characters of complaint that are kept, the last ones. */
const COMPLAINT_MAX = 65_536
/** Characters of a line of an event that are looked at. */
const EVENT_MAX = 4_096

/** A complaint as a part of a sentence. */
export const complaintText = (complaint: string): string =>
  shown(
    complaint
      .split('\n')
      .map((line) => line.replace(/^error: /, '').trim())
      .filter((line) => line !== '' && !line.includes(NOWHERE))
      .join('; '),
  )

interface Open {
  readonly commands: readonly string[]
  readonly first: number
  readonly answers: string[]
  complaint?: string
  readonly settle: (answered: Either<string, Answered>) => void
}

/** Reads text, and says when it is none: half a path would be another path. */
const read = (stream: Readable, text: (text: string) => void, bad: () => void): void => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  stream.on('data', (chunk: Buffer) => {
    try {
      text(decoder.decode(chunk, { stream: true }))
    } catch {
      bad()
    }
  })
}

/** Counts the lines that are those of an event. */
const listenForEvents = (heard: () => void): ((text: string) => void) => {
  let line = ''
  return (text) => {
    const lines = (line + text).split('\n')
    line = (lines.pop() ?? '').slice(-EVENT_MAX)
    for (const each of lines) if (/: event '/.test(each)) heard()
  }
}

const newWord = (): string => randomBytes(8).toString('hex')

/** Begins a conversation; a sentence where virsh cannot be started. */
export const openSession = async (call: VirshCall): Promise<Session | string> => {
  const virsh = await startVirsh(call)
  if (typeof virsh === 'string') return virsh
  const word = newWord()
  const answers = createCutter(word, 0)
  let open: Open | undefined
  let number = 0
  let complaint = ''
  let takeEvents: ((text: string) => void) | undefined
  let why: string | undefined

  const fail = (reason: string): void => {
    why ??= reason
    open?.settle(left(why))
    open = undefined
    virsh.kill()
  }

  const complete = (): void => {
    if (open?.complaint === undefined || open.answers.length <= open.commands.length) return
    const { settle, commands, complaint: complained } = open
    const given = open.answers.slice(0, commands.length)
    open = undefined
    settle(right({ answers: given, complaint: complained }))
  }

  const takeAnswers = (text: string): void => {
    if (takeEvents !== undefined) {
      takeEvents(text)
      return
    }
    for (const between of answers.push(text)) {
      if (open === undefined) {
        fail('virsh answers what it was not asked')
        return
      }
      const index = open.answers.length
      const command = open.commands[index]
      // The last mark of a question follows that of stderr, and no command.
      const answer = command === undefined ? right('') : answerOf(between, word, open.first + index, command)
      if (answer._tag === 'Left') {
        fail(answer.left)
        return
      }
      open.answers.push(answer.right)
    }
    if (answers.waiting() > ANSWER_MAX) {
      fail(`virsh gives an answer of more than ${ANSWER_MAX} characters`)
      return
    }
    complete()
  }

  const takeComplaints = (text: string): void => {
    complaint = (complaint + text).slice(-COMPLAINT_MAX)
    if (open === undefined || open.complaint !== undefined) return
    const at = complaint.indexOf(`${word}-${open.first + open.commands.length};`)
    if (at < 0) return
    open.complaint = complaint.slice(0, complaint.lastIndexOf('\n', at) + 1)
    complaint = complaint.slice(complaint.indexOf('\n', at) + 1)
    complete()
  }

  read(virsh.stdout, takeAnswers, () => fail('virsh answers with what is no UTF-8'))
  virsh.stderr.setEncoding('utf8').on('data', takeComplaints)
  const ended = virsh.ended.then(({ exitStatus, signal }) => {
    const how = signal === null ? `ended with ${exitStatus ?? 'no status'}` : `was ended by ${signal}`
    const said = complaintText(complaint)
    const reason = `virsh ${how}${said === '' ? ' and without a word' : `: ${said}`}`
    fail(reason)
    return why ?? reason
  })

  return {
    ask: (commands) =>
      new Promise((settle) => {
        if (why !== undefined) {
          settle(left(why))
          return
        }
        open = { commands, first: number, answers: [], settle }
        virsh.stdin.write(linesFor(word, number, commands))
        number += commands.length + 1
      }),
    listen: (heard) => {
      takeEvents = listenForEvents(heard)
      virsh.stdin.end('event --all --loop --timestamp\n')
    },
    ended,
    close: fail,
  }
}
