// A host to mount on: `/srv` of a namespace made for these tests, with a managed root, sources and a place for mount helpers
// of our own. Every test ends with nothing left: no mount, no directory, no process.

import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import type { Discovered, EffectId, Filesystem, Found, Identity, RootIdentity, SecretSettings } from '@mountkeeper/core'
import { effectId, layersOf } from '@mountkeeper/core'
import type { HostPort, Report } from '@mountkeeper/runtime'
import type { TypeRule } from '@mountkeeper/types'
import { namedOptions, typeRule } from '@mountkeeper/types'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { TrustedOwners } from '../src/index.js'
import { execaRunner, linuxHost, parseMountInfo } from '../src/index.js'
import { readTable } from '../src/mount-table.js'
import { processes, vectorOfProcess } from '../src/processes.js'
import { SHELL_MARK } from '../src/shell-mark.js'
import { shellRunner } from '../src/shell-runner.js'

/** `root`, or `user` in a user namespace. */
export const NAMESPACE = process.env['MOUNTKEEPER_NAMESPACE']
export const isRoot = NAMESPACE === 'root'

export const ROOT = '/srv/mounts'
export const SOURCE = '/srv/source'

export const TYPES: Readonly<Record<string, TypeRule>> = {
  tmpfs: typeRule('tmpfs', ['*']),
  bind: typeRule('bind', [`${SOURCE}/`]),
  overlay: typeRule('overlay', ['overlay', `${SOURCE}/`]),
  ext4: typeRule('ext4', [`${SOURCE}/`, '/dev/loop']),
  'fuse.bindfs': typeRule('fuse.bindfs', [`${SOURCE}/`]),
  'fuse.sshfs': typeRule('fuse.sshfs', ['*'], namedOptions('fuse.sshfs', ['directport'])),
}

/** A command must succeed. */
export const sh = (...vector: readonly string[]): string => {
  const [file, ...args] = vector
  const { status, stdout, stderr, error } = spawnSync(file!, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${vector.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

export const has = (program: string): boolean => spawnSync('which', [program]).status === 0

const opens = (path: string): boolean => {
  try {
    closeSync(openSync(path, 'r+'))
    return true
  } catch {
    return false
  }
}

/** Whether a FUSE filesystem can be mounted by this program here: it is installed, and the device is open to us. */
export const hasFuse = (program: string): boolean => has(program) && opens('/dev/fuse')

export const sleep = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))

/** Plants `mount.NAME`, which `mount -t NAME` runs with source and target as its arguments. */
export const plant = (name: string, script: string): void => {
  const path = `${realpathSync('/sbin')}/mount.${name}`
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

/** Mounts a fresh `/srv` and makes room for helpers; to be called once in each file. */
export const prepareWorld = (): void => {
  beforeAll(() => {
    if (NAMESPACE === undefined) throw new Error('these tests mount: run them with npm run test:host')
    sh('mount', '-t', 'tmpfs', '-o', 'size=256m,mode=0755', 'srv', '/srv')
    for (const path of [ROOT, SOURCE, '/srv/helpers', '/srv/helpers/up', '/srv/helpers/work']) mkdirSync(path, 0o700)
    const sbin = realpathSync('/sbin')
    const layers = `lowerdir=${sbin},upperdir=/srv/helpers/up,workdir=/srv/helpers/work`
    sh('mount', '-t', 'overlay', '-o', layers, 'helpers', sbin)
  })
  afterAll(() => {
    // Overlays may not be stacked higher than two, and the next file mounts its own.
    sh('umount', '-l', realpathSync('/sbin'))
    sh('umount', '-l', '/srv')
  })
  let before: ReadonlySet<number>
  beforeEach(() => {
    before = new Set(processes().map(({ pid }) => pid))
  })
  afterEach(async () => {
    const left = (): readonly string[] => mountsBelow(ROOT)
    const mounts = left()
    // What looks and what runs commands stays for the next test, and ends with this one's.
    const isStaying = (entry: string): boolean =>
      vectorOfProcess(entry).some((each) => each.endsWith('look-process.js') || each === SHELL_MARK)
    const live = (): readonly number[] =>
      processes()
        .filter(({ pid, entry }) => pid > 0 && !before.has(pid) && !isStaying(entry))
        .map(({ pid }) => pid)
    for (let at = 0; at < 40 && live().length > 0; at += 1) await sleep(25)
    const living = live()
    // Cleared, so that one failure is not the next test's.
    for (let at = 0; at < 20 && left().length > 0; at += 1) for (const path of left()) spawnSync('umount', ['-l', path])
    const directories = readdirSync(ROOT)
    for (const name of directories) rmSync(`${ROOT}/${name}`, { recursive: true, force: true })
    expect({ mounts, directories, living }).toEqual({ mounts: [], directories: [], living: [] })
  })
}

/** Targets of all mounts below a directory, deepest layers first. */
export const mountsBelow = (path: string): readonly string[] =>
  parseMountInfo(Buffer.from(readTable().text.slice(1), 'latin1'))
    .lines.map(({ target }) => target)
    .filter((target) => target.startsWith(`${path}/`))
    .reverse()

let next = 1
const id = (): EffectId => effectId(next++)

/** The host under test, with the effects as functions of a name below the root. */
export interface World {
  readonly host: HostPort
  readonly root: RootIdentity
  readonly look: (name: string, filesystem?: Filesystem) => Promise<Report>
  readonly make: (name: string) => Promise<Report>
  readonly mount: (name: string, filesystem: Filesystem, deadlineMs?: number) => Promise<Report>
  readonly unmount: (name: string, identity: Identity, more?: Partial<Unmounting>) => Promise<Report>
  readonly remove: (name: string) => Promise<Report>
  readonly discover: (known?: readonly { mountpoint: string; filesystem: Filesystem | undefined }[]) => Promise<Report>
}

interface Unmounting {
  readonly how: 'plain' | 'force' | 'lazy'
  readonly mayHang: boolean
  readonly deadlineMs: number
}

export interface WorldOptions {
  readonly graceMs?: number
  readonly uid?: number
  readonly prefix?: readonly string[]
  readonly roots?: readonly string[]
  readonly rootPath?: string
  readonly types?: Readonly<Record<string, TypeRule>>
  readonly trustedOwners?: TrustedOwners
  readonly secrets?: SecretSettings
}

export const discovered = (report: Report): Discovered => {
  if (report.found._tag !== 'Discovered') throw new Error(JSON.stringify(report.found))
  return report.found
}

export const createWorld = async (options: WorldOptions = {}): Promise<World> => {
  const rootPath = options.rootPath ?? ROOT
  const prefix = options.prefix ?? []
  const graceMs = options.graceMs ?? 500
  const reader = execaRunner({ graceMs, prefix })
  const host = linuxHost({
    types: options.types ?? TYPES,
    runner: prefix.length > 0 ? reader : shellRunner({ other: reader, graceMs }),
    prefix,
    secrets: options.secrets,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    trustedOwners: options.trustedOwners ?? {},
  })
  const deadlineMs = 10_000
  const discover: World['discover'] = (known = []) =>
    host.run({ _tag: 'Discover', effect: id(), roots: [rootPath], known, deadlineMs })
  const root = discovered(await discover()).roots[0]!
  const at = (name: string): string => `${rootPath}/${name}`
  return {
    host,
    root,
    discover,
    look: (name, filesystem) =>
      host.run({ _tag: 'Look', effect: id(), mountpoint: at(name), filesystem, root, deadlineMs }),
    make: (name) => host.run({ _tag: 'MakeDirectory', effect: id(), mountpoint: at(name), root, deadlineMs }),
    mount: (name, filesystem, limitMs = deadlineMs) =>
      host.run({
        _tag: 'Mount',
        effect: id(),
        mountpoint: at(name),
        filesystem,
        options: filesystem.options,
        root,
        deadlineMs: limitMs,
      }),
    unmount: (name, identity, { how = 'plain', mayHang = false, deadlineMs: limitMs = deadlineMs } = {}) =>
      host.run({
        _tag: 'Unmount',
        effect: id(),
        mountpoint: at(name),
        filesystem: undefined,
        identity,
        how,
        mayHang,
        root,
        deadlineMs: limitMs,
      }),
    remove: (name) => host.run({ _tag: 'RemoveDirectory', effect: id(), mountpoint: at(name), root, deadlineMs }),
  }
}

/** The layers that a report found, top first. */
export const layers = (report: Report): readonly Identity[] => layersOf(report.found as Found)

/** The top layer; the test fails where there is none. */
export const top = (report: Report): Identity => {
  const [first] = layers(report)
  if (first === undefined) throw new Error(`nothing is mounted: ${JSON.stringify(report)}`)
  return first
}

export const tmpfs = (source = 'one', options: readonly string[] = ['size=64k', 'nosuid', 'nodev']): Filesystem => ({
  type: 'tmpfs',
  source,
  options,
})

/** Unmounts layer after layer and removes the directory, each as an effect. */
export const clear = async (world: World, name: string, mayHang = false): Promise<void> => {
  for (let seen = await world.look(name); layers(seen).length > 0; seen = await world.look(name)) {
    const report = await world.unmount(name, top(seen), { mayHang })
    if (layers(report).length >= layers(seen).length) throw new Error(JSON.stringify(report))
  }
  await world.remove(name)
}
