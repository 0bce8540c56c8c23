// What holds of the options of every type.

const BOOT = 'is for fstab and the boot, and is not passed on'

/** Flags of fstab(5) for the boot. They say nothing of a mount, and are accepted because lists of options are copied from there. */
export const BOOT_FLAGS: readonly string[] = ['_netdev', 'nofail', 'auto', 'noauto']

/** Flags of every type. `suid` and `dev` are refused unless policy allows them; `nosuid` and `nodev` are added. */
export const GENERAL_FLAGS: Readonly<Record<string, string>> = {
  ro: 'gives less',
  rw: 'is so anyway',
  nosuid: 'gives less; added to every mount',
  nodev: 'gives less; added to every mount',
  noexec: 'gives less',
  exec: 'is so anyway',
  sync: 'concerns this mount alone',
  async: 'is so anyway',
  dirsync: 'concerns this mount alone',
  suid: 'only with the policy `suid: allow`',
  dev: 'only with the policy `dev: allow`',
  defaults: 'says nothing',
  ...Object.fromEntries(BOOT_FLAGS.map((name) => [name, BOOT])),
  atime: 'concerns access times alone',
  noatime: 'concerns access times alone',
  diratime: 'concerns access times alone',
  nodiratime: 'concerns access times alone',
  relatime: 'concerns access times alone',
  norelatime: 'concerns access times alone',
  strictatime: 'concerns access times alone',
  nostrictatime: 'concerns access times alone',
  lazytime: 'concerns access times alone',
  nolazytime: 'concerns access times alone',
}

/** Options of which only one may be given, of every type. */
export const GENERAL_EXCLUSIVE: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['sync', 'async'],
  ['noatime', 'relatime', 'strictatime'],
]

/** Flags that say what is so without them. `suid` and `dev` are none: `nosuid` and `nodev` are added. */
export const GENERAL_DEFAULTS: readonly string[] = ['rw', 'nosuid', 'nodev', 'exec', 'async']

const ELSEWHERE = 'makes mount(8) do something other than this one mount'
const PROGRAM = 'names a program that mount(8) runs as root'
const OWNER = 'changes who owns or may unmount what is mounted'
const LABEL = 'names a security label'
const CODE = 'names a program or a library'

/** Options that no configuration can allow for any type: name and reason. */
export const GENERAL_NEVER: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['bind', 'rbind', 'move', 'remount', 'rec', 'make-shared', 'make-rshared', 'make-slave', 'make-rslave'].map(
      (name) => [name, ELSEWHERE],
    ),
  ),
  ...Object.fromEntries(
    ['make-private', 'make-rprivate', 'make-unbindable', 'make-runbindable', 'shared', 'rshared', 'slave'].map(
      (name) => [name, ELSEWHERE],
    ),
  ),
  ...Object.fromEntries(['helper', 'uhelper'].map((name) => [name, PROGRAM])),
  ...Object.fromEntries(['user', 'users', 'owner', 'group'].map((name) => [name, OWNER])),
  ...Object.fromEntries(
    ['context', 'fscontext', 'defcontext', 'rootcontext', 'seclabel', 'smackfsroot'].map((name) => [name, LABEL]),
  ),
  ...Object.fromEntries(['verity.roothashfile', 'verity.hashdevice', 'encryption'].map((name) => [name, CODE])),
}

/** Whether no configuration can allow an option because of how its name begins. */
export const isNeverByPrefix = (name: string): boolean => /^(?:x-|X-|verity\.)/.test(name)

/** Whether an option is for fstab and systemd alone: it is accepted, and has no effect on a mount that is made here. */
export const isForBoot = (name: string): boolean => BOOT_FLAGS.includes(name) || name.startsWith('x-systemd.')
