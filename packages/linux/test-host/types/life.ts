// The life of one filesystem under a manager of its own: attached, shared, in conflict with another one, detached, and nothing
// left: no mount, no directory, no record, no loop device, no daemon.

import { readFileSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { defaultSettings } from '@mountkeeper/border'
import type { Answer, Attached, Filesystem, Settings } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { TypeRule } from '@mountkeeper/types'
import { expect } from 'vitest'
import { linuxHost, parseMountInfo } from '../../src/index.js'
import { readTable } from '../../src/mount-table.js'
import { ROOT } from '../world.js'

/** A filesystem that is asked for, and how the kernel shows it. */
export interface Asked {
  readonly filesystem: Filesystem
  /** A file in it, and what it contains. */
  readonly file?: readonly [name: string, content: string]
  readonly fstype: string
  readonly source: string | RegExp
  /** `/` where it is not given. */
  readonly root?: string | RegExp
  /** Warnings of the attach that mounts. */
  readonly warnings?: readonly string[]
  /** Requests that are other filesystems. */
  readonly others: readonly Filesystem[]
}

/** A manager that may mount these types. */
export const manage = async (types: Readonly<Record<string, TypeRule>>): Promise<MountManager> => {
  const defaults = defaultSettings(ROOT)
  const settings: Settings = { ...defaults, types }
  const made = await createMountManager({ settings, host: linuxHost({ types }), journal: createMemoryJournal() })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  const up = await made.right.hostUp()()
  if (up._tag === 'Left') throw new Error(JSON.stringify(up.left))
  return made.right
}

const attachedOf = (answer: Answer): Attached => {
  if (!answer.ok || answer.result._tag !== 'Attached') throw new Error(JSON.stringify(answer))
  return answer.result
}

/** The layers at a mountpoint, as the table has them. */
const shownAt = (mountpoint: string): readonly { fstype: string; source: string; root: string }[] =>
  parseMountInfo(Buffer.from(readTable().text.slice(1), 'latin1'))
    .lines.filter(({ target }) => target === mountpoint)
    .map(({ fstype, source, root }) => ({ fstype, source, root }))

/** Loop devices that have a file of this host below a directory. */
export const loopsBelow = (path: string): readonly string[] =>
  readdirSync('/sys/block').filter((name) => {
    try {
      return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').startsWith(`${path}/`)
    } catch {
      return false
    }
  })

const matching = (wanted: string | RegExp): unknown =>
  typeof wanted === 'string' ? wanted : expect.stringMatching(wanted)

/** Two lives, one after the other, so that what the first leaves behind is met by the second. */
export const live = async (manager: MountManager, name: string, asked: Asked): Promise<void> => {
  const mountpoint = `${ROOT}/${name}`
  const { filesystem } = asked
  const attach = (who: string, filesystem: Filesystem): Promise<Answer> =>
    manager.submit({ op: 'attach', mountpoint, filesystem, volume: `vol-${who}`, consumer: `vm-${who}` })
  const detach = (who: string): Promise<Answer> =>
    manager.submit({ op: 'detach', mountpoint, volume: `vol-${who}`, consumer: `vm-${who}` })
  for (const round of [1, 2]) {
    const first = attachedOf(await attach('1', filesystem))
    expect({ round, mount: first.mount, warnings: first.warnings.map(({ _tag }) => _tag) }).toEqual({
      round,
      mount: 'mounted',
      warnings: asked.warnings ?? [],
    })
    const { fstype, source, root = '/' } = asked
    expect(shownAt(mountpoint)).toEqual([{ fstype, source: matching(source), root: matching(root) }])
    if (asked.file !== undefined) {
      const [file, content] = asked.file
      // Never by this thread: the server may be one of this process.
      expect(await readFile(`${mountpoint}/${file}`, 'utf8')).toBe(content)
    }
    expect(attachedOf(await attach('2', filesystem)).mount).toBe('shared')
    for (const other of asked.others) {
      expect(await attach('3', other)).toMatchObject({ ok: false, error: { _tag: 'Conflict' } })
    }
    expect(shownAt(mountpoint)).toHaveLength(1)
    expect(await detach('1')).toMatchObject({ ok: true, result: { mount: 'held', holdersLeft: 1 } })
    expect(await detach('2')).toMatchObject({
      ok: true,
      // The namespace of the tests is private.
      result: { mount: 'unmounted', directory: 'removed', warnings: [{ _tag: 'PropagationNotShared' }] },
    })
    expect(shownAt(mountpoint)).toEqual([])
    expect(manager.state.mountpoints.get(mountpoint)?.record.phase ?? 'absent').toBe('absent')
  }
}
