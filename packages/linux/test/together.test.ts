// Several commands as one: which may be, in what form, and what is then known of each.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import type { Command } from '../src/command-runner.js'
import { execaRunner } from '../src/command-runner.js'
import { createPace } from '../src/pace.js'
import { shellRunner } from '../src/shell-runner.js'
import { createWorth, join, keyOf, lineFor } from '../src/together.js'

const base = mkdtempSync(`${tmpdir()}/mountkeeper-`)
afterAll(() => rmSync(base, { recursive: true }))

const command = (program: string, options: readonly string[], ...operands: readonly string[]): Command => ({
  ...{ program, options, operands, rights: 'own', deadlineMs: 60_000, quick: true },
})

describe('which commands are done together', () => {
  test('those with the same program and options, mounts with a line, and none that is to be alone', () => {
    expect(keyOf(command('mkdir', ['-m', '0700'], 'a'))).toBe(keyOf(command('mkdir', ['-m', '0700'], 'b')))
    expect(keyOf(command('umount', [], 'a'))).not.toBe(keyOf(command('umount', ['-c'], 'a')))
    expect(keyOf(command('mount', ['-c'], 's', 't'))).toBeUndefined()
    expect(keyOf({ ...command('mount', ['-c'], 's', 't'), line: 's t tmpfs defaults 0 0\n' })).toBe('mount')
    expect(keyOf({ ...command('rmdir', [], 'a'), alone: true })).toBeUndefined()
    expect(keyOf(command('stat', [], 'a'))).toBeUndefined()
  })
  test('operands follow one another', () => {
    const joined = join([command('rmdir', ['-v'], 'a'), command('rmdir', ['-v'], 'b')])
    expect(joined?.vector).toEqual(['rmdir', '-v', '--', 'a', 'b'])
  })
  test('mounts stand in a file without a name, which goes when it is closed', () => {
    const lines = ['a b tmpfs defaults 0 0\n', 'c d tmpfs ro 0 0\n']
    const joined = join(lines.map((line) => ({ ...command('mount', ['-c'], 's', 't'), line })))
    expect(joined?.vector.slice(0, -1)).toEqual(['mount', '-c', '-a', '-T'])
    const path = joined?.vector.at(-1) ?? ''
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''))
    joined?.close()
    expect(existsSync(path)).toBe(false)
  })
})

describe('a mount as a line', () => {
  test.each([
    [['-t', 'tmpfs', '-o', 'size=1m,ro'], 'one', '/a', 'one /a tmpfs size=1m,ro 0 0\n'],
    [['-t', 'tmpfs'], 'one', '/a', 'one /a tmpfs defaults 0 0\n'],
    [['-o', 'bind,nosuid'], '/s', '/a', '/s /a none bind,nosuid 0 0\n'],
    [['-t', 'tmpfs'], '#one', '/a b\tc\nd\\e', '\\043one /a\\040b\\011c\\012d\\134e tmpfs defaults 0 0\n'],
  ])('%j %s %s', (options, source, target, line) => {
    expect(lineFor(options, source, target)).toBe(line)
  })
  test.each([
    [['-t', 'tmpfs'], ''],
    [['-t', 'tmpfs'], 'a"b'],
    [['-t', 'tmpfs', '-v', ''], 'one'],
  ])('%j of %j has none', (options, source) => {
    expect(lineFor(options, source, '/a')).toBeUndefined()
  })
})

test('a file of mounts is used from the number on at which it is worth reading the mount table', () => {
  const worth = createWorth()
  expect([worth.isWorth(1), worth.isWorth(2)]).toEqual([false, true])
  for (let round = 0; round < 20; round += 1) worth.tookMs(1, 1)
  for (let round = 0; round < 20; round += 1) worth.tookMs(10, 30.5)
  expect([worth.isWorth(20), worth.isWorth(40)]).toEqual([false, true])
})

test('what waits for a shell is done by one command; nothing is said of one of them but that it was shared', async () => {
  mkdirSync(`${base}/there`)
  const { run } = shellRunner({ other: execaRunner(), idleMs: 50 })
  const names = ['there', ...Array.from({ length: 20 }, (_, index) => `new ${index}`)]
  const ends = await Promise.all(names.map((name) => run(command('mkdir', ['-m', '0700'], `${base}/${name}`))))
  expect(names.every((name) => existsSync(`${base}/${name}`))).toBe(true)
  expect(ends.map((end) => end._tag === 'Exited' && end.shared)).toEqual(names.map(() => 'unclear'))
  expect(ends[1]?.vector).toEqual(['mkdir', '-m', '0700', '--', `${base}/new 0`])
  const alone = await run({ ...command('mkdir', ['-m', '0700'], `${base}/there`), alone: true })
  expect(alone).toMatchObject({ exitStatus: 1 })
  expect(alone.stderr).toContain('File exists')
  expect(alone).not.toHaveProperty('shared')
})

describe('the pace of a burst', () => {
  test('begins at once what takes no time, and the rest in later turns, in order', async () => {
    let now = 0
    const pace = createPace(() => now)
    const begun: number[] = []
    const begin = (index: number): Promise<number> => {
      begun.push(index)
      now += 2
      return Promise.resolve(index)
    }
    const all = Promise.all(Array.from({ length: 6 }, (_, index) => pace(() => begin(index))))
    expect(begun).toEqual([0, 1])
    await new Promise((turn) => setImmediate(turn))
    expect(begun).toEqual([0, 1, 2, 3])
    expect(await all).toEqual([0, 1, 2, 3, 4, 5])
    expect(begun).toEqual([0, 1, 2, 3, 4, 5])
  })
})
