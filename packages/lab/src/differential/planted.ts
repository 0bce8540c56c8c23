// Faults on both sides. On the real one a script stands before the command: as `mount.tmpfs`, which mount(8) hands over to, and
// as `umount`, `mkdir` and `rmdir`, found before the others in the PATH of commands.

import { chmodSync, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import type { Fault } from '@mountkeeper/simulator'
import { sh } from '../shell.js'

/**
 * Deadline, ms, of an effect in a story in which it has to be passed: many times what a planted program takes to begin on a
 * machine with other work. The program waits for SIGTERM, the sign that the deadline is over, and for no time of its own.
 */
export const SHORT_MS = 2_000

const MORE_MS = 500
const LATE_MS = 60

const seconds = (ms: number): string => (ms / 1_000).toString()

/** Where the faults to come are written down. */
export const FAULTS_PLACE = '/srv/faults'
/** A planted program that waits has begun, and may go on. */
export const BEGUN = `${FAULTS_PLACE}/begun`
export const GO_ON = `${FAULTS_PLACE}/go-on`

// A command that has a child gets its signal only after the child, so the end of the child is a sign as well.
const UNTIL_OVERDUE = `trap 'overdue=1' TERM; : >${BEGUN}; until [ "$overdue" ]; do sleep 600 || overdue=1; done; sleep ${seconds(MORE_MS)}`

/** How an effect goes wrong: as the simulator has it, and as a script does it; `$@` is the true command. */
const FAULTS = {
  fails: { fault: { _tag: 'Fails', worked: false }, script: 'exit 32' },
  'works, and fails': { fault: { _tag: 'Fails', worked: true }, script: '"$@"; exit 32' },
  'does nothing': { fault: { _tag: 'DoesNothing' }, script: 'exit 0' },
  late: {
    fault: { _tag: 'Late', afterMs: LATE_MS },
    script: `setsid sh -c 'sleep ${seconds(LATE_MS)}; exec "$@"' sh "$@" </dev/null >/dev/null 2>&1 & exit 0`,
  },
  /** Until the step `goOn`. */
  waits: {
    fault: { _tag: 'None' },
    waits: true,
    script: `: >${BEGUN}; until [ -e ${GO_ON} ]; do sleep 0.02; done; rm ${GO_ON}; exec "$@"`,
  },
  'hangs, and works': {
    fault: { _tag: 'Hangs', worked: true, endsAfterMs: MORE_MS },
    script: `${UNTIL_OVERDUE}; exec "$@"`,
  },
  'hangs, and does nothing': {
    fault: { _tag: 'Hangs', worked: false, endsAfterMs: MORE_MS },
    script: `${UNTIL_OVERDUE}; exit 32`,
  },
  'hangs until it is killed': { fault: { _tag: 'Hangs', worked: false, endsAfterMs: 0 }, script: 'exec sleep 60' },
  'is killed': { fault: { _tag: 'Fails', worked: false }, script: 'kill -KILL "$command"' },
  'works, and is killed': { fault: { _tag: 'Fails', worked: true }, script: '"$@"; kill -KILL "$command"' },
  'mounts something else': {
    fault: { _tag: 'WrongFilesystem' },
    script: 'mount -i -t ramfs -o nosuid,nodev "not-$source" "$target"',
  },
  'forgets nosuid': { fault: { _tag: 'MissingFlag' }, script: 'mount -i -t tmpfs -o nodev "$source" "$target"' },
  'mounts twice': { fault: { _tag: 'Twice' }, script: '"$@"; "$@"; exit 32' },
} satisfies Readonly<Record<string, { fault: Fault; script: string; waits?: true }>>

/** The name of a fault. */
export type Planted = keyof typeof FAULTS

/** What the simulator makes of it; one that `waits` begins when the story goes on. */
export const simulatedFault = (planted: Planted): { readonly fault: Fault; readonly waits?: true } => FAULTS[planted]

const PROGRAM = `#!/bin/sh
PATH=/usr/bin:/bin
kind=\${0##*/}
command=$$
case $kind in
  mount.tmpfs) command=$PPID; source=$1; target=$2; shift 2 ;;
esac
how=
for planted in ${FAULTS_PLACE}/"$kind".*; do break; done
[ -e "$planted" ] && read -r how < "$planted" && rm "$planted"
case $kind in
  mount.tmpfs) set -- mount -i -t tmpfs "$@" "$source" "$target" ;;
  *) set -- "$kind" "$@" ;;
esac
case $how in
  '') exec "$@" ;;
${Object.entries(FAULTS)
  .map(([name, { script }]) => `  '${name}') ${script} ;;`)
  .join('\n')}
esac
`

/** The programs that stand before the commands, by effect. */
export const PROGRAMS = {
  Mount: 'mount.tmpfs',
  Unmount: 'umount',
  MakeDirectory: 'mkdir',
  RemoveDirectory: 'rmdir',
} as const

/** Puts the programs where commands are looked for; the returned function takes them away again. */
export const plant = (): (() => void) => {
  const sbin = realpathSync('/usr/sbin')
  // Overlays are not stacked higher than two: one that another test file has put there is used.
  const own = !existsSync(`${sbin}/mount.slow`)
  if (own) {
    sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'planted', '/srv')
    for (const path of ['/srv/up', '/srv/work']) mkdirSync(path, { mode: 0o755 })
    sh('mount', '-t', 'overlay', '-o', `lowerdir=${sbin},upperdir=/srv/up,workdir=/srv/work`, 'planted', sbin)
  }
  const paths = Object.values(PROGRAMS).map((name) => `${sbin}/${name}`)
  for (const path of paths) {
    writeFileSync(path, PROGRAM)
    chmodSync(path, 0o755)
  }
  return () => {
    for (const path of paths) rmSync(path)
    if (own) {
      sh('umount', '-l', sbin)
      sh('umount', '-l', '/srv')
    }
  }
}
