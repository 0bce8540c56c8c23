// Bursts: one command for many effects, each with its own outcome from its own look, and its own words where it was not done.
import { spawn } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import type { Filesystem } from '@mountkeeper/core'
import type { World } from './world.js'
import { ROOT, SOURCE, clear, createWorld, layers, prepareWorld, sh, tmpfs, top } from './world.js'

prepareWorld()
let world: World
beforeAll(async () => {
  world = await createWorld()
})

const ODD = ['a b', 'c#d', '#e', 'f\\g', "h'i", 'j,k', 'l"m', 'n\\040o', '-p', 'q$r`s']
const PLAIN = Array.from({ length: 70 }, (_, index) => `plain${index}`)
const NAMES = [...ODD, ...PLAIN]

/** A source of its own for each, with all that means something to fstab(5). */
const filesystemOf = (name: string, index: number): Filesystem => {
  if (index % 8 !== 7) return tmpfs(`source ${name}#\\`)
  return { type: 'bind', source: SOURCE, options: ['nosuid', 'nodev', 'ro'] }
}

const clearAll = async (names: readonly string[]): Promise<void> => {
  for (const name of names) await clear(world, name)
}

test('every cycle of a burst ends as it would alone, whatever the names are', async () => {
  const made = await Promise.all(NAMES.map((name) => world.make(name)))
  expect(made.map(({ found, error }) => ({ found, error }))).toEqual(
    NAMES.map(() => ({ found: { _tag: 'Directory' }, error: undefined })),
  )
  const mounted = await Promise.all(NAMES.map((name, index) => world.mount(name, filesystemOf(name, index))))
  expect(mounted.map((report) => layers(report).length)).toEqual(NAMES.map(() => 1))
  expect(mounted.map(({ error }) => error)).toEqual(NAMES.map(() => undefined))
  mounted.forEach((report, index) => {
    const asked = filesystemOf(NAMES[index]!, index)
    expect(top(report).flags).toEqual(expect.arrayContaining(['nosuid', 'nodev']))
    if (asked.type === 'tmpfs') expect(top(report).source).toBe(asked.source)
    else expect(top(report)).toMatchObject({ root: '/source', flags: expect.arrayContaining(['ro']) as unknown })
  })
  // Each command stands in the evidence as if it had been alone.
  expect(mounted[0]?.ran?.[0]?.command.at(-1)).toBe(`${ROOT}/a b`)
  const unmounted = await Promise.all(NAMES.map((name, index) => world.unmount(name, top(mounted[index]!))))
  expect(unmounted.map(({ found, error }) => ({ found, error }))).toEqual(
    NAMES.map(() => ({ found: { _tag: 'Directory' }, error: undefined })),
  )
  const removed = await Promise.all(NAMES.map((name) => world.remove(name)))
  expect(removed.map(({ found, error }) => ({ found, error }))).toEqual(
    NAMES.map(() => ({ found: { _tag: 'NoDirectory' }, error: undefined })),
  )
})

test('what fails in a burst has its own words, and the others are done', async () => {
  const names = PLAIN.slice(0, 20)
  const [bad, ...good] = names
  await Promise.all(good.map((name) => world.make(name)))
  mkdirSync(`${ROOT}/${bad}`)
  const mounted = await Promise.all(
    names.map((name, index) => world.mount(name, index === 0 ? tmpfs('bad', ['uid=none']) : tmpfs(name))),
  )
  expect(mounted.map((report) => layers(report).length)).toEqual(names.map((name) => (name === bad ? 0 : 1)))
  expect(mounted.slice(1).map(({ error }) => error)).toEqual(good.map(() => undefined))
  const busy = spawn('sleep', ['1000'], { cwd: `${ROOT}/${good[0]}`, stdio: 'ignore' })
  const unmounted = await Promise.all(good.map((name, index) => world.unmount(name, top(mounted[index + 1]!))))
  expect(layers(unmounted[0]!)).toHaveLength(1)
  expect(unmounted[0]?.error).toMatchObject({ exitStatus: 32 })
  expect(unmounted[0]?.error?.stderr).toContain('busy')
  expect(unmounted.slice(1).map(({ found, error }) => ({ found, error }))).toEqual(
    good.slice(1).map(() => ({ found: { _tag: 'Directory' }, error: undefined })),
  )
  const ended = new Promise((done) => busy.once('exit', done))
  busy.kill('SIGKILL')
  await ended
  await clear(world, good[0]!)
  mkdirSync(`${ROOT}/${good[1]}/inside`)
  const removed = await Promise.all(good.slice(1).map((name) => world.remove(name)))
  expect(removed[0]).toMatchObject({ found: { _tag: 'Directory' }, error: { exitStatus: 1 } })
  expect(removed[0]?.error?.stderr).toContain('not empty')
  expect(removed.slice(1).map(({ found, error }) => ({ found, error }))).toEqual(
    good.slice(2).map(() => ({ found: { _tag: 'NoDirectory' }, error: undefined })),
  )
  rmdirSync(`${ROOT}/${good[1]}/inside`)
  await clearAll([bad!, good[1]!])
})

test('an unmount of a burst whose layer is another one by now leaves that alone', async () => {
  const names = PLAIN.slice(0, 6)
  await Promise.all(names.map((name) => world.make(name)))
  const mounted = await Promise.all(names.map((name) => world.mount(name, tmpfs(name))))
  const taken = names[0]!
  sh('umount', `${ROOT}/${taken}`)
  sh('mount', '-t', 'tmpfs', 'of another', `${ROOT}/${taken}`)
  const unmounted = await Promise.all(names.map((name, index) => world.unmount(name, top(mounted[index]!))))
  expect(layers(unmounted[0]!).map(({ source }) => source)).toEqual(['of another'])
  expect(unmounted.slice(1).map(({ found }) => found)).toEqual(names.slice(1).map(() => ({ _tag: 'Directory' })))
  await clearAll(names)
})
