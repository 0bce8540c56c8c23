// The ground that managers are killed on: in the namespace that the run has made, a place for each of them below /srv, with
// helpers of mount(8) that take as long as the test says. All that is known of it is read from outside: the mount table, the
// directories below the mounts, the processes.

import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LOCK_FILE } from '@mountkeeper/linux'

/** The built command. */
export const MAIN = join(
  dirname(createRequire(import.meta.url).resolve('@mountkeeper/cli/package.json')),
  'bundle/main.js',
)

/** Everything is here. */
const TOP = '/srv/crash'
/** A file for each mountpoint whose commands are to be slow. */
const SLOW = `${TOP}/slow`
/** Helpers that have begun leave a file here. */
export const BEGUN = `${TOP}/begun`

/** Foreign layers are distinguished from ours by their source. */
const FOREIGN = 'foreign-'

export const exec = (file: string, ...args: readonly string[]): { readonly ok: boolean; readonly stderr: string } => {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  return { ok: status === 0, stderr: error?.message ?? stderr }
}

const must = (file: string, ...args: readonly string[]): void => {
  const { ok, stderr } = exec(file, ...args)
  if (!ok) throw new Error(`${file} ${args.join(' ')}: ${stderr}`)
}

/**
 * mount.NAME SOURCE TARGET -o OPTIONS. What is slow sleeps first, `resolved` after it has followed the target to its path: only
 * then does it mount although the manager, whose descriptor the target names, is gone. `deaf` does not hear SIGTERM.
 */
const MOUNT_HELPER = `#!/bin/sh
source=$1; target=$2; shift 2; name=\${target##*/}
if read -r seconds how 2>/dev/null <"${SLOW}/$name.mount"; then
  case "$how" in resolved) target=$(readlink -f "$target");; deaf) trap '' TERM;; esac
  echo >"${BEGUN}/$name.mount"
  sleep "$seconds"
fi
exec mount -i -t tmpfs "$@" "$source" "$target"
`

/** umount.tmpfs TARGET -n, for plain umount(8); \`before\` sleeps and then unmounts, \`after\` unmounts and then sleeps. */
const UMOUNT_HELPER = `#!/bin/sh
name=\${1##*/}
if read -r seconds how 2>/dev/null <"${SLOW}/$name.umount"; then
  echo >"${BEGUN}/$name.umount"
  [ "$how" != deaf ] || trap "" TERM
  [ "$how" = after ] || sleep "$seconds"
  umount -i "$@" || exit
  [ "$how" != after ] || sleep "$seconds"
  exit 0
fi
exec umount -i "$@"
`

const plant = (name: string, script: string): void => {
  const path = `/usr/sbin/${name}`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
}

/** Makes the ground, once in a namespace. */
export const prepareGround = (): void => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('this mounts: run it by .ci/in-namespace.mjs')
  if (!existsSync(MAIN)) throw new Error('the command is not built: npm run build')
  must('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'crash', '/srv')
  for (const path of [TOP, SLOW, BEGUN, '/srv/up', '/srv/work']) mkdirSync(path, { mode: 0o755 })
  must('mount', '-t', 'overlay', '-o', 'lowerdir=/usr/sbin,upperdir=/srv/up,workdir=/srv/work', 'sbin', '/usr/sbin')
  plant('mount.tmpfs', MOUNT_HELPER)
  plant('mount.growing', MOUNT_HELPER)
  plant('umount.tmpfs', UMOUNT_HELPER)
}

/** Why FUSE cannot be used here; undefined where it can. */
export const noFuse = (): string | undefined => {
  if (!exec('which', 'bindfs').ok) return 'bindfs is not installed'
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return '/dev/fuse is not open to this user'
  }
}

/** One mount as the table shows it. */
export interface Layer {
  readonly mountId: number
  readonly parentId: number
  readonly root: string
  readonly target: string
  readonly fstype: string
  readonly source: string
}

export const isForeign = ({ source }: Layer): boolean => source.startsWith(FOREIGN)

/** The mount table below a path; paths and sources of these runs have no character that is escaped. */
export const layersBelow = (path: string): readonly Layer[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${path}/`))
    .map((line) => {
      const fields = line.split(' ')
      const dash = fields.indexOf('-')
      return {
        mountId: Number(fields[0]),
        parentId: Number(fields[1]),
        root: fields[3] ?? '',
        target: fields[4] ?? '',
        fstype: fields[dash + 1] ?? '',
        source: fields[dash + 2] ?? '',
      }
    })
    .filter(({ target }) => target.startsWith(`${path}/`))

/** The layers at one path, top first. */
export const stackAt = (layers: readonly Layer[], target: string): readonly Layer[] => {
  const here = layers.filter((layer) => layer.target === target)
  const stack: Layer[] = []
  let under = here.find(({ parentId }) => !here.some(({ mountId }) => mountId === parentId))
  while (under !== undefined && !stack.includes(under)) {
    stack.unshift(under)
    const { mountId } = under
    under = here.find(({ parentId }) => parentId === mountId)
  }
  return stack
}

/** Commands that act on mountpoints whose names begin like this, and their helpers; daemons that serve a mount are none. */
export const commandsAt = (prefix: string): readonly string[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').slice(0, -1)
        const isCommand = words[0] !== 'bindfs' && words.some((word) => word.includes(`/${prefix}`))
        return isCommand ? [`${entry}: ${words.join(' ')}`] : []
      } catch {
        // It has just ended.
        return []
      }
    })

/** The place of one manager. */
export interface Place {
  readonly root: string
  readonly state: string
  readonly source: string
  /** The directories of the root without what is mounted on them. */
  readonly bare: string
  readonly configuration: string
  /** Makes the commands at a mountpoint slow, or no longer. */
  readonly slow: (name: string, which: 'mount' | 'umount', words: string | undefined) => void
}

/** How long things take in these runs: short, so that a life of a few hundred ms sees all of them. */
const TIMES = {
  deadlines: {
    requestMs: 5_000,
    mountMs: 2_500,
    unmountMs: 2_500,
    perType: { growing: { mountMs: 400 }, bind: { unmountMs: 400 } },
  },
  delays: { settleMs: 100, unmountRetryMs: [20, 60], backOffFirstMs: 40, backOffCeilingMs: 300, discoveryRetryMs: 50 },
}

/** Makes a place with these limits of the journal. */
export const createPlace = (name: string): Place => {
  const at = `${TOP}/${name}`
  const place = { root: `${at}/mounts`, state: `${at}/state`, source: `${at}/source`, bare: `${at}/bare` }
  mkdirSync(at)
  for (const path of Object.values(place)) mkdirSync(path, { mode: 0o700 })
  // A disk of its own: it can be full, or read-only.
  must('mount', '-i', '-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'state', place.state)
  for (const source of ['one', 'two']) mkdirSync(`${place.source}/${source}`)
  must('mount', '--bind', place.root, place.bare)
  const configuration = `${at}/config.json`
  const types = {
    tmpfs: { sources: ['*'], options: ['size'] },
    bind: { sources: [`${place.source}/`] },
    'fuse.bindfs': { sources: [`${place.source}/`] },
    growing: { sources: ['*'], options: { size: { size: { max: '4m' } } } },
  }
  writeFileSync(
    configuration,
    JSON.stringify(
      { roots: [place.root], stateDirectory: place.state, types, journalFactsMax: 100, ...TIMES },
      undefined,
      1,
    ),
  )
  return {
    ...place,
    configuration,
    slow: (mountpoint, which, words) =>
      writeFileSync(`${SLOW}/${mountpoint}.${which}`, words === undefined ? '' : `${words}\n`),
  }
}

const BALLAST = 'ballast'

/** Uses up a filesystem to the last page; the returned function gives all of it back. */
export const fillDisk = (directory: string): (() => void) => {
  const path = `${directory}/${BALLAST}`
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
      size <<= 1
    } catch {
      // No room for so much; for less there may be.
    }
  }
  return () => rmSync(path)
}

/** Makes a disk read-only, or writable again. */
export const remount = (directory: string, how: 'ro' | 'rw'): void =>
  must('mount', '-i', '--options-mode', 'ignore', '-o', `remount,${how}`, directory)

/** Third parties, who mount and unmount as they like. */
export const foreignMount = (target: string, number: number): Layer | undefined => {
  const source = `${FOREIGN}${number}`
  if (!exec('mount', '-i', '-t', 'tmpfs', '-o', 'size=64k', source, target).ok) return undefined
  return layersBelow(dirname(target)).find((layer) => layer.target === target && layer.source === source)
}

/** Takes off what is on top. */
export const unmountTop = (target: string): boolean => exec('umount', '-i', target).ok

/** What a directory below a mount contains, but for the lock file of the manager; undefined where there is none. */
export const contentsOf = (path: string): readonly string[] | undefined => {
  try {
    return readdirSync(path).filter((name) => name !== LOCK_FILE)
  } catch {
    return undefined
  }
}
