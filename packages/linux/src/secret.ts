// Secrets: read where a request refers to, and handed to the helper of one mount: as its standard input, an unnamed file of mode
// 0600 on a tmpfs, or as a variable of it alone. Invariant: the value is in no argument and in no file with a name, and the file is
// gone as soon as no process has it open, whatever ended the manager or the helper (L38).

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { SecretOption, SecretSettings } from '@mountkeeper/core'
import { secretReference } from '@mountkeeper/core'
import type { SecretBy } from '@mountkeeper/types'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Command } from './command-runner.js'
import { localMounts } from './crossing.js'
import type { Place } from './descriptor.js'
import { close, componentsOf, descend, errnoOf, openBelow, openSlash, statOf } from './descriptor.js'
import { stopText } from './reach.js'
import type { Trust } from './trust.js'
import { judge } from './trust.js'
import { unnamedFile } from './unnamed-file.js'

/** A secret is a password or a key, so more is not one; a helper gets all of it at once. */
export const SECRET_BYTES_MAX = 65_536

/** How a helper names its standard input: also one that has given up its capabilities, and behind sudo (measured). */
export const SECRET_OPERAND = '/proc/self/fd/0'

/** What a secret is read with. */
export interface SecretReading {
  readonly secrets: SecretSettings | undefined
  /** Who may own and change the files, and the directories above them. */
  readonly trust: Trust
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What is wrong with the file of a secret, as far as its owner and mode say. */
const fileProblem = (path: string, place: Place, trust: Trust): string | undefined => {
  const stat = statOf(place)
  if (stat === undefined) return `${path} cannot be read`
  if (stat.isSymbolicLink()) return `${path} is a symbolic link: put the file itself there`
  if (!stat.isFile()) return `${path} is not a regular file`
  const foreign = judge(path, stat, trust, 'entry')
  if (foreign !== undefined) return `${foreign.why}: ${foreign.command}`
  if ((stat.mode & 0o026n) !== 0n) return `${path} is readable or writable by others: chmod 0600 it`
  if (stat.size > SECRET_BYTES_MAX) return `${path} is longer than ${SECRET_BYTES_MAX} bytes, so it is no secret`
  return undefined
}

/** All of an open file, in memory that no other buffer shares. */
const contentOf = (fd: number): Buffer => {
  const buffer = Buffer.alloc(SECRET_BYTES_MAX + 1)
  let size = 0
  for (;;) {
    const count = readSync(fd, buffer, size, buffer.length - size, null)
    size += count
    if (count === 0 || size === buffer.length) return buffer.subarray(0, size)
  }
}

/** Opens a file by its descriptor, so that what was checked is what is read. */
const readPlace = (path: string, place: Place): Either<string, Buffer> => {
  try {
    const fd = openSync(`/proc/self/fd/${place.fd}`, constants.O_RDONLY)
    try {
      const content = contentOf(fd)
      if (content.length <= SECRET_BYTES_MAX) return right(content)
      content.fill(0)
      return left(`${path} is longer than ${SECRET_BYTES_MAX} bytes, so it is no secret`)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return left(`${path} cannot be read (${errnoOf(error)})`)
  }
}

/** Goes down without following a link, and never onto a filesystem that can hang. */
const readFile = (path: string, trust: Trust): Either<string, Buffer> => {
  const slash = openSlash()
  if (isLeft(slash)) return left(`${path} cannot be read (${slash.left})`)
  const names = componentsOf(path)
  const mayEnter = localMounts()
  const directory = descend(slash.right, '/', names.slice(0, -1), mayEnter, trust)
  if (isLeft(directory)) {
    const { unsafe } = directory.left
    return left(unsafe === undefined ? stopText(directory.left) : `${unsafe.why}: ${unsafe.command}`)
  }
  const found = openBelow(directory.right, names.at(-1) ?? '.')
  const isLocal =
    isLeft(found) || found.right.mountId === directory.right.mountId || mayEnter(found.right.mountId, found.right)
  close(directory.right.fd)
  if (isLeft(found)) return left(`${path} cannot be read (${found.left})`)
  try {
    if (!isLocal) return left(`${path} is on a filesystem that can hang`)
    const problem = fileProblem(path, found.right, trust)
    return problem === undefined ? readPlace(path, found.right) : left(problem)
  } finally {
    close(found.right.fd)
  }
}

/** The value of a secret; the caller overwrites it when it is done with it. */
const readSecret = (option: SecretOption, { secrets, trust, environment }: SecretReading): Either<string, Buffer> => {
  if ('secretFile' in option) {
    const { secretFile } = option
    const isAllowed = secrets?.directories.some((directory) => secretFile.startsWith(`${directory}/`)) === true
    // Also what core let pass: a record of an earlier life may name what is no longer configured.
    return isAllowed ? readFile(secretFile, trust) : left(`${secretFile} is not below a secret directory`)
  }
  const { secretEnvironment } = option
  if (secrets?.environment.includes(secretEnvironment) !== true)
    return left(`${secretEnvironment} is not a configured variable for secrets`)
  const value = environment[secretEnvironment]
  if (value === undefined || value === '') return left(`the variable ${secretEnvironment} is not set`)
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX)
    return left(`the variable ${secretEnvironment} is longer than ${SECRET_BYTES_MAX} bytes, so it is no secret`)
  return right(Buffer.from(value))
}

/** Why no secret can be handed on here. */
export const memoryProblem = (): string | undefined => {
  const file = unnamedFile()
  if (isLeft(file)) return file.left
  close(file.right)
  return undefined
}

/** A secret on its way to a helper. */
export interface HandedOn {
  /** The standard input of the helper, read-only and at its beginning, or a variable of it alone. */
  readonly given: Pick<Command, 'stdin' | 'environment'>
  /** What stands for it in evidence, so that a person can run the command again. */
  readonly shown: readonly [operand: string, reference: string]
  /** Text of a helper without the value, should it repeat that. */
  readonly masked: (text: string) => string
  /** Removes the value, also from a process that still has the file open. */
  readonly dispose: () => void
}

/** Shorter pieces of a value would mask half of a sentence, and give it away by that. */
const MASKED_MIN = 4

/** What of a value may stand in a text: its lines, and what follows the first `=` of each (`password=`). */
const piecesOf = (value: string): readonly string[] => {
  const lines = value.split(/\r?\n|\0/)
  const values = lines.flatMap((line) => (line.includes('=') ? [line.slice(line.indexOf('=') + 1)] : []))
  const pieces = [...lines, ...values].map((piece) => piece.trim()).filter((piece) => piece.length >= MASKED_MIN)
  // The longest first, for one may be in another.
  return [...new Set(pieces)].sort((a, b) => b.length - a.length)
}

const masking = (value: string): HandedOn['masked'] => {
  const pieces = piecesOf(value)
  return (text) => pieces.reduce((sofar, piece) => sofar.replaceAll(piece, '***'), text)
}

const write = (fd: number, value: Buffer): void => {
  for (let written = 0; written < value.length;) written += writeSync(fd, value, written)
}

const dispose = (fds: readonly number[]): void => {
  try {
    if (fds[0] !== undefined) ftruncateSync(fds[0], 0)
  } catch {
    // It goes with its last descriptor.
  }
  close(...fds)
}

const inMemory = (value: Buffer): Either<string, Pick<HandedOn, 'given' | 'dispose'>> => {
  const file = unnamedFile()
  if (isLeft(file)) return file
  const open = [file.right]
  try {
    write(file.right, value)
    // For the helper: it can neither write to the file, nor does it move our position.
    const stdin = openSync(`/proc/self/fd/${file.right}`, constants.O_RDONLY)
    open.push(stdin)
    if (fstatSync(stdin).size !== value.length) throw new Error('it was cut')
    return right({
      given: { stdin },
      dispose: () => {
        dispose(open)
      },
    })
  } catch (error) {
    dispose(open)
    return left(`it cannot be kept in memory (${errnoOf(error)})`)
  }
}

const NEWLINE = 0x0a

/** The only line of a value, without its end; a helper would take the first of several, and say nothing of the others. */
const onlyLine = (value: Buffer): Either<string, Buffer> => {
  const line = value.at(-1) === NEWLINE ? value.subarray(0, -1) : value
  if (line.length === 0) return left('the secret is empty')
  return line.includes(NEWLINE) ? left('the secret has more than one line') : right(line)
}

/** The value as it is handed on in this way. */
const inForm = (value: Buffer, by: SecretBy): Either<string, Buffer> => {
  if (value.length === 0) return left('the secret is empty')
  if (value.includes(0)) return left('the secret has a NUL in it')
  return by === 'credentials-file' ? right(value) : onlyLine(value)
}

/** Reads a secret and puts it where a helper takes it: its standard input, or the variable that has the name of the option. */
export const handOn = (option: SecretOption, by: SecretBy, reading: SecretReading): Either<string, HandedOn> => {
  const refused = (why: string): Either<string, never> => left(`option ${option.name}: ${why}`)
  const value = readSecret(option, reading)
  if (isLeft(value)) return refused(value.left)
  try {
    const formed = inForm(value.right, by)
    if (isLeft(formed)) return refused(formed.left)
    const text = formed.right.toString('utf8')
    const evidence = { shown: [SECRET_OPERAND, secretReference(option)], masked: masking(text) } as const
    if (by === 'environment')
      return right({ given: { environment: { [option.name]: text } }, dispose: () => undefined, ...evidence })
    const file = inMemory(formed.right)
    return isLeft(file) ? refused(file.left) : right({ ...file.right, ...evidence })
  } finally {
    value.right.fill(0)
  }
}
