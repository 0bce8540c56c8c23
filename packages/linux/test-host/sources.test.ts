// Sources below a directory that others can change: what was checked is what is mounted, or nothing is.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { defaultSettings } from '@mountkeeper/border'
import type { Answer, Filesystem } from '@mountkeeper/core'
import type { HostPort } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { sourceAllowed, typeRule } from '@mountkeeper/types'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { linuxHost } from '../src/index.js'
import { hasFuse, isRoot, mountsBelow, plant, prepareWorld, ROOT, sh, SOURCE } from './world.js'

prepareWorld()

const A = `${ROOT}/a`
const TENANT = `${SOURCE}/tenant`
const OUTSIDE = '/srv/outside'
const types = {
  bind: typeRule('bind', [`${SOURCE}/`]),
  overlay: typeRule('overlay', ['overlay', `${SOURCE}/`]),
  ext4: typeRule('ext4', [`${SOURCE}/`]),
  'fuse.bindfs': typeRule('fuse.bindfs', [`${SOURCE}/`]),
  tenants: typeRule('tenants', [`${TENANT}/*`]),
}

/** A directory that says where it is. */
const directory = (path: string): void => {
  mkdirSync(path, { recursive: true })
  writeFileSync(`${path}/who`, path)
}

beforeEach(() => {
  for (const name of ['one', 'two', 'up', 'work']) directory(`${TENANT}/${name}`)
  for (const path of [`${SOURCE}/safe`, `${SOURCE}/more`, OUTSIDE]) directory(path)
  // In a user namespace there is no other user: all may write.
  if (isRoot) chownSync(TENANT, 4242, 4242)
  else chmodSync(TENANT, 0o777)
})
afterEach(() => {
  for (const path of [TENANT, `${SOURCE}/safe`, `${SOURCE}/more`, OUTSIDE]) rmSync(path, { recursive: true })
})

const UNSAFE = isRoot ? `${TENANT} belongs to user 4242` : `${TENANT} can be written by others (mode 777)`

/** What a tenant does to `one` at a moment of its choice. */
const toLink = (): void => {
  renameSync(`${TENANT}/one`, `${TENANT}/gone`)
  symlinkSync(OUTSIDE, `${TENANT}/one`)
}
const toAnother = (): void => {
  renameSync(`${TENANT}/one`, `${TENANT}/gone`)
  renameSync(`${TENANT}/two`, `${TENANT}/one`)
}

interface Moments {
  /** When the source was checked and has not been mounted. */
  readonly checked?: () => void
  /** When it was looked at, and has not been checked again for the mount. */
  readonly looked?: () => void
}

interface Run {
  readonly attached: Answer
  /** Which directory is seen at the mountpoint. */
  readonly who: string | undefined
  readonly table: string
  readonly detach: () => Promise<Answer>
  readonly commands: readonly string[]
}

/** Attaches once. */
const run = async (filesystem: Filesystem, { checked, looked }: Moments = {}): Promise<Run> => {
  let times = 0
  const once = (act: (() => void) | undefined): void => {
    times += 1
    if (times === 1) act?.()
  }
  const real = linuxHost({
    types,
    sourceAllowed: (rule, source) => {
      const allowed = sourceAllowed(rule, source)
      if (source === `${TENANT}/one`) once(checked)
      return allowed
    },
  })
  const commands: string[] = []
  const host: HostPort = {
    run: async (effect, started) => {
      if (effect._tag === 'Mount') looked?.()
      const report = await real.run(effect, started)
      commands.push(...(report.ran ?? []).map(({ command }) => command.join(' ')))
      return report
    },
  }
  const settings = { ...defaultSettings(ROOT), types }
  const made = await createMountManager({ settings, host, journal: createMemoryJournal() })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  const manager = made.right
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
  const who = { mountpoint: A, volume: 'vol', consumer: 'vm' }
  const attached = await manager.submit({ op: 'attach', ...who, filesystem })
  return {
    attached,
    who: existsSync(`${A}/who`) ? readFileSync(`${A}/who`, 'utf8') : undefined,
    table: sh('grep', '-e', ` ${A} `, '/proc/self/mountinfo', '-e', 'proc'),
    detach: async () => {
      const answer = await manager.submit({ op: 'detach', ...who })
      await manager.stop()
      return answer
    },
    commands,
  }
}

const bind: Filesystem = { type: 'bind', source: `${TENANT}/one`, options: [] }
const overlay = (lower: string, ...more: readonly string[]): Filesystem => ({
  type: 'overlay',
  source: 'overlay',
  options: [`lowerdir=${lower}`, ...more],
})
const MOUNTED = { ok: true, result: { _tag: 'Attached', mount: 'mounted' } }
const GONE = { ok: true, result: { _tag: 'Detached', mount: 'unmounted', directory: 'removed' } }

describe.each([
  ['bind', bind],
  ['overlay', overlay(`${TENANT}/one:${SOURCE}/safe`)],
] as const)('%s takes a descriptor', (_, filesystem) => {
  test('a link in the place of what was checked leads nowhere', async () => {
    const { attached, who, detach } = await run(filesystem, { checked: toLink })
    expect(who === undefined || who === `${TENANT}/one`).toBe(true)
    // Bound, it is by now another directory than the one that was looked at: the table shows its new name.
    if (filesystem.type === 'overlay') expect(attached).toMatchObject(MOUNTED)
    await detach()
    expect(mountsBelow(ROOT)).toEqual([])
  })
  test('another directory than the one that was looked at is taken off again', async () => {
    const { attached, who, detach } = await run(filesystem, { looked: toAnother })
    expect(attached).toMatchObject({ ok: false, error: { _tag: 'MountFailed', step: 'mount' } })
    expect(JSON.stringify(attached)).toContain('the mount comes from')
    expect(who).toBeUndefined()
    expect(mountsBelow(ROOT)).toEqual([])
    await detach()
  })
  test('undisturbed, it is mounted, compared, and shown by its path', async () => {
    const { attached, who, commands, detach } = await run(filesystem)
    expect(attached).toMatchObject(MOUNTED)
    expect(who).toBe(`${TENANT}/one`)
    expect(commands.filter((command) => command.startsWith('mount')).join('\n')).toContain(`${TENANT}/one`)
    expect(commands.join('\n')).not.toContain('/proc/')
    expect(await detach()).toMatchObject(GONE)
  })
})

test('overlay with its upper and its work directory below a tenant, and paths as they are where all are safe', async () => {
  const upper = [`upperdir=${TENANT}/up`, `workdir=${TENANT}/work`]
  const tenants = await run(overlay(`${SOURCE}/safe`, ...upper))
  expect(tenants.attached).toMatchObject(MOUNTED)
  expect(tenants.table).toMatch(
    /lowerdir=\/srv\/source\/safe,upperdir=\/proc\/\d+\/fd\/\d+,workdir=\/proc\/\d+\/fd\/\d+/,
  )
  writeFileSync(`${A}/new`, 'new')
  expect(readFileSync(`${TENANT}/up/new`, 'utf8')).toBe('new')
  expect(await tenants.detach()).toMatchObject(GONE)
  const safe = await run(overlay(`${SOURCE}/safe:${SOURCE}/more`))
  expect(safe.table).toContain(`lowerdir=${SOURCE}/safe:${SOURCE}/more`)
  expect(await safe.detach()).toMatchObject(GONE)
})

describe('a helper that needs a path', () => {
  const refused = async (filesystem: Filesystem): Promise<void> => {
    const { attached, commands, detach } = await run(filesystem)
    expect(attached).toMatchObject({ ok: false, error: { _tag: 'MountFailed' } })
    const text = JSON.stringify(attached)
    expect(text).toContain(
      `${filesystem.type} needs its source as a path, and others can exchange ${filesystem.source}`,
    )
    expect(text).toContain(UNSAFE)
    expect(commands.filter((command) => command.startsWith('mount'))).toEqual([])
    await detach()
    expect(existsSync(A)).toBe(false)
  }
  test.skipIf(!hasFuse('bindfs'))('fuse.bindfs (skipped without bindfs, or with /dev/fuse closed to us)', async () => {
    await refused({ type: 'fuse.bindfs', source: `${TENANT}/one`, options: [] })
    // Only root and the manager can replace this one itself.
    const safe = await run({ type: 'fuse.bindfs', source: TENANT, options: [] })
    expect(safe.attached).toMatchObject({ ok: true, result: { mount: 'mounted' } })
    expect(await safe.detach()).toMatchObject(GONE)
  })
  test('an image', async () => {
    writeFileSync(`${TENANT}/image`, '')
    await refused({ type: 'ext4', source: `${TENANT}/image`, options: ['loop'] })
  })
  test('a type that the table does not know, whose source may be a path', async () => {
    plant('tenants', 'exit 1')
    await refused({ type: 'tenants', source: `${TENANT}/one`, options: [] })
  })
})
