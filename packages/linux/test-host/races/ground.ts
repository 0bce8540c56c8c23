// Where races are run: `/srv` of the namespace, with a managed root, sources, and a directory that nothing of ours may reach. It
// holds for each name of a mountpoint something to lose: a mount to be taken off or mounted on, a directory to be removed, a gap
// to make one in.

import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { TENANT } from './swapper.js'

export const ROOT = '/srv/mounts'
export const SOURCE = '/srv/source'
/** What the tenant's links lead to. */
export const OUTSIDE = '/srv/outside'

/** A command must succeed. */
export const sh = (...vector: readonly string[]): void => {
  const [file = '', ...args] = vector
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${vector.join(' ')}: ${error?.message ?? stderr}`)
}

/** Mountpoints that are worked on at the same time. */
export const LANES = 6
export const nameOf = (lane: number): string => `vol-${lane}`

const give = (path: string): void => chownSync(path, TENANT, TENANT)

/** A directory of the tenant, in which it may exchange names. */
export const tenantDirectory = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o755 })
  give(path)
}

/** A file that says whose directory this is, also one level deeper. */
const signed = (path: string, whose: string): void => {
  mkdirSync(`${path}/deep`, { recursive: true, mode: 0o755 })
  for (const at of [path, `${path}/deep`]) writeFileSync(`${at}/who`, whose)
}

/** A directory of the tenant with content of its own. */
export const tenantContent = (path: string): void => {
  signed(path, 'tenant')
  for (const at of [path, `${path}/deep`]) give(at)
}

/** A link of the tenant to what it may not reach. */
export const linkOutside = (path: string): void => symlinkSync(OUTSIDE, path)

/** Recreates everything; what an earlier race left behind is gone with its mount. */
export const prepareGround = (): void => {
  sh('mount', '-t', 'tmpfs', '-o', 'size=64m,mode=0755', 'races', '/srv')
  for (const path of [ROOT, SOURCE]) mkdirSync(path, { mode: 0o711 })
  signed(OUTSIDE, 'outside')
  for (let lane = 0; lane < LANES; lane += 1) {
    const path = `${OUTSIDE}/${nameOf(lane)}`
    if (lane % 3 !== 2) mkdirSync(path, { mode: 0o700 })
    if (lane % 3 === 0) sh('mount', '-t', 'tmpfs', '-o', 'size=64k', 'precious', path)
  }
}

/** Takes it off again, with what it holds. */
export const clearGround = (): void => {
  sh('umount', '-l', '/srv')
}

interface Line {
  readonly id: string
  readonly target: string
}

const table = (): readonly Line[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', , , , target = ''] = line.split(' ')
      return { id, target }
    })

const isBelow = ({ target }: Line, directory: string): boolean => target.startsWith(`${directory}/`)

/** Targets of what is mounted below a directory now. */
export const mountedBelow = (directory: string): readonly string[] =>
  table()
    .filter((line) => isBelow(line, directory))
    .map(({ target }) => target)

/** What a race must leave as it is, judged by the mount table and the directory alone. */
export interface Untouched {
  /** What is not as it was; empty if nothing is wrong. */
  readonly wrong: () => readonly string[]
}

/** All mounts but those below `own`, and all names outside. */
export const untouched = (own: string): Untouched => {
  const others = (): readonly string[] =>
    table()
      .filter((line) => !isBelow(line, own))
      .map(({ id, target }) => `${id} ${target}`)
  const names = (): readonly string[] => readdirSync(OUTSIDE).map((name) => `${OUTSIDE}/${name}`)
  const before = new Set([...others(), ...names()])
  return {
    wrong: () => {
      const now = new Set([...others(), ...names()])
      return [
        ...[...now].filter((each) => !before.has(each)).map((each) => `new outside: ${each}`),
        ...[...before].filter((each) => !now.has(each)).map((each) => `gone outside: ${each}`),
      ]
    },
  }
}
