// How commands end: what is asked to end is ended with all that it started, and nothing else; what the manager leaves goes on.

import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ROOT, hasSudo, isRoot, mounted, prepareWorld, sh, talk } from './world.js'

prepareWorld()

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Living processes whose vector has this word. */
const living = (word: string): readonly string[] =>
  readdirSync('/proc').filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      textOf(`/proc/${pid}/cmdline`).split('\0').includes(word) &&
      !/^State:\s*[ZX]/m.test(textOf(`/proc/${pid}/status`)),
  )

const until = async (holds: () => boolean): Promise<void> => {
  for (let left = 1_000; !holds(); left -= 1) {
    if (left === 0) throw new Error(`not in time: ${holds.toString()}`)
    await new Promise((wake) => setTimeout(wake, 20))
  }
}

const stuck = (id: number, name: string, source: string): string =>
  JSON.stringify({ id, do: 'mount', mountpoint: `${ROOT}/${name}`, type: 'stuck', source, options: [] })

describe.runIf(isRoot && hasSudo)('a command that ignores TERM', () => {
  test('is killed with its helper when it is asked to end, and another of the same kind goes on', async () => {
    for (const name of ['one', 'two']) mkdirSync(`${ROOT}/${name}`)
    const exec = talk()
    exec.say(stuck(1, 'one', 'first'))
    exec.say(stuck(2, 'two', 'second'))
    await until(() => existsSync('/srv/first') && existsSync('/srv/second'))
    expect(living('stuck-helper')).toHaveLength(2)
    exec.say(JSON.stringify({ id: 3, do: 'end', of: 1 }))
    const done = await exec.until((one) => one._tag === 'done' && one.id === 1)
    // Helpers are killed first, and mount(8) then ends by itself.
    expect(done).toMatchObject({ status: 255, stderr: expect.stringContaining('first') as string })
    await until(() => living('stuck-helper').length === 1)
    expect(living('first')).toEqual([])
    expect(living('second').length).toBeGreaterThan(0)
    exec.say(JSON.stringify({ id: 4, do: 'end', of: 2 }))
    await exec.until((one) => one._tag === 'done' && one.id === 2)
    await until(() => living('stuck-helper').length === 0)
    expect(await exec.close()).toBe(0)
    expect(mounted()).toEqual([])
    for (const name of ['one', 'two']) sh('rmdir', `${ROOT}/${name}`)
  })

  test('goes on when the manager has ended, as it does without mountkeeper-exec, which ends', async () => {
    mkdirSync(`${ROOT}/three`)
    const exec = talk()
    exec.say(stuck(1, 'three', 'third'))
    await until(() => existsSync('/srv/third'))
    expect(await exec.close()).toBe(0)
    const left = living('third')
    expect(left.length).toBeGreaterThan(0)
    for (const pid of [...left, ...living('stuck-helper')]) sh('kill', '-KILL', pid)
    await until(() => living('stuck-helper').length === 0)
    sh('rmdir', `${ROOT}/three`)
  })

  test('what the kernel says of a directory is the answer', async () => {
    const exec = talk()
    const make = { do: 'make-directory', mountpoint: `${ROOT}/four` }
    expect(await exec.ask(make)).toMatchObject({ status: 0 })
    expect(await exec.ask(make)).toMatchObject({ status: 1, stderr: 'EEXIST' })
    expect(await exec.ask({ do: 'remove-directory', mountpoint: `${ROOT}/four` })).toMatchObject({ status: 0 })
    expect(await exec.ask({ do: 'remove-directory', mountpoint: `${ROOT}/four` })).toMatchObject({ stderr: 'ENOENT' })
    expect(await exec.close()).toBe(0)
  })
})
